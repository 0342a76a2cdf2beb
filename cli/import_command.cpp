#include "cli/import_command.hpp"

#include <filesystem>
#include <ostream>

#include <fmt/format.h>

#include "cli/text_table.hpp"
#include "common/input_error.hpp"
#include "common/output_file.hpp"
#include "topology/import/ib_discovery.hpp"
#include "topology/import/node_topology.hpp"

namespace rackwright::cli {

namespace {

using Json = nlohmann::ordered_json;
using Read = Json (*)(const std::filesystem::path& path, const std::string& id,
                      const std::string& source);

struct ImportFormat {
  std::string_view name, what, result;
  Read read;
};

const ImportFormat kFormats[] = {
    {"nccl-topo", "NCCL topology XML (NCCL_TOPO_FILE, NCCL_TOPO_DUMP_FILE)", "parts file",
     [](const std::filesystem::path& path, const std::string& id, const std::string& source) {
       return topology::node_part(topology::read_nccl_topology(path), id, source);
     }},
    {"nvidia-smi-topo", "matrix of nvidia-smi topo -m", "parts file",
     [](const std::filesystem::path& path, const std::string& id, const std::string& source) {
       return topology::node_part(topology::read_gpu_matrix(path), id, source);
     }},
    {"ibnetdiscover", "dump of ibnetdiscover", "fabric design",
     [](const std::filesystem::path& path, const std::string& id, const std::string& source) {
       return topology::design_of(topology::read_ib_discovery(path), id, source);
     }}};

const ImportFormat& find_format(const std::string& name) {
  std::vector<std::string> known;
  std::string expected;
  for (const ImportFormat& format : kFormats) {
    if (format.name == name) return format;
    known.emplace_back(format.name);
    expected += (expected.empty() ? "one of " : ", ") + known.back();
  }
  std::string found = fmt::format("\"{}\"", name);
  if (const auto near = nearest_word(name, known); !near.empty()) {
    found += fmt::format("; did you mean \"{}\"?", near);
  }
  throw InputError(InputProblem{"", 0, "FORMAT", expected, found});
}

}  // namespace

void ImportCommand::add_options(CLI::App& app) {
  app.add_option("FORMAT", format_, "Format of the file; --list names them");
  app.add_option("FILE", file_, "What the other tool wrote");
  app.add_option("-o,--output", output_, "File to write")->type_name("FILE.json");
  app.add_option("--id", id_, "Id of the design or part (the output's name)")->type_name("ID");
  app.add_flag("--list", list_, "List the formats");
}

int ImportCommand::run(CommandContext& context) {
  if (list_) {
    TextTable table({{"format"}, {"reads"}, {"writes"}});
    for (const ImportFormat& format : kFormats) {
      table.add({std::string(format.name), std::string(format.what), std::string(format.result)});
    }
    context.out << table.text();
    return kFine;
  }
  if (format_.empty() || file_.empty() || output_.empty()) {
    throw InputError(
        InputProblem{"", 0, "import", "FORMAT FILE -o DESIGN.json, or --list", "less"});
  }
  const ImportFormat& format = find_format(format_);
  const std::string id = id_.empty() ? std::filesystem::path(output_).stem().string() : id_;
  const std::string source =
      fmt::format("{} {}", format.name, std::filesystem::path(file_).filename().string());
  write_file(output_, format.read(file_, id, source).dump(2) + "\n");
  context.out << fmt::format("wrote {} \"{}\" to {}\n", format.result, id, output_);
  return kFine;
}

}  // namespace rackwright::cli
