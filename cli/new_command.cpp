#include "cli/new_command.hpp"

#include <ostream>

#include <fmt/format.h>

#include "common/input_error.hpp"
#include "common/json_document.hpp"
#include "common/output_file.hpp"

namespace rackwright::cli {

namespace fs = std::filesystem;

namespace {

/// The id a design gets from the name of its file.
std::string id_of(const fs::path& file) {
  return file.stem().string();
}

/// Relative paths inside a workload are relative to the file: they would break in a new place.
void refuse_relative(const nlohmann::ordered_json& value, const std::string& from) {
  if (!value.is_string()) return;
  const auto text = value.get<std::string>();
  const bool is_path = text.find('/') != std::string::npos || text.ends_with(".json");
  if (is_path && !fs::path(text).is_absolute()) {
    throw InputError(InputProblem{from, 0, "", "ids or absolute paths inside",
                                  fmt::format("\"{}\", relative to this file", text)});
  }
}

}  // namespace

void NewCommand::add_options(CLI::App& app) {
  app.add_option("KIND", kind_, "rack or workload")->required();
  app.add_option("--from", from_, "Id or file of the one to start from")
      ->required()
      ->type_name("ID");
  app.add_option("-o,--output", file_, "File to write; must not exist")
      ->required()
      ->type_name("FILE.json");
}

int NewCommand::run(CommandContext& context) {
  if (kind_ != "rack" && kind_ != "workload") {
    std::string found = fmt::format("\"{}\"", kind_);
    if (const auto near = nearest_word(kind_, {"rack", "workload"}); !near.empty()) {
      found += fmt::format("; did you mean \"{}\"?", near);
    }
    throw InputError(InputProblem{"", 0, "new", "rack or workload", found});
  }
  const bool rack = kind_ == "rack";
  const fs::path source = context.data.find(from_, rack ? "topology/racks" : "workloads");
  if (fs::exists(file_)) {
    throw InputError(
        InputProblem{file_, 0, "-o", "a file that does not exist yet", "one that does"});
  }
  auto root = JsonDocument::parse_file(source).root();
  const std::string from = source.string();
  if (!rack && root.contains("model")) refuse_relative(root["model"], from);
  if (!rack && root.contains("traffic") && root["traffic"].contains("generator")) {
    refuse_relative(root["traffic"]["generator"], from);
  }
  root[rack ? "id" : "name"] = id_of(file_);
  write_file(file_, root.dump(2) + "\n");
  context.out << fmt::format("{}: {} like {}\n", file_, kind_, from_);
  const std::string file = file_.find('/') == std::string::npos ? "./" + file_ : file_;
  context.out << fmt::format(
      "next: edit it, then rackwright check {}; rackwright review {} --racks "
      "{} --out DIR\n",
      file, rack ? "WORKLOAD" : file, rack ? file : "all");
  return kFine;
}

}  // namespace rackwright::cli
