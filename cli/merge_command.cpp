#include "cli/merge_command.hpp"

#include <filesystem>
#include <ostream>

#include <fmt/format.h>

#include "cli/text_table.hpp"
#include "common/input_error.hpp"
#include "profiler/merge.hpp"

namespace rackwright::cli {

namespace {

std::string rank_table(const profiler::MergeResult& result) {
  TextTable table({{"rank"},
                   {"file"},
                   {"host"},
                   {"start", TextTable::Align::right},
                   {"clock within", TextTable::Align::right},
                   {"busy", TextTable::Align::right},
                   {"slices", TextTable::Align::right},
                   {"requests", TextTable::Align::right},
                   {"state"}});
  for (const auto& rank : result.ranks) {
    const bool there = !rank.file.empty();
    table.add({fmt::format("{}{}", rank.rank, rank.heaviest ? " *" : ""), there ? rank.file : "-",
               rank.host.empty() ? "-" : rank.host,
               there ? fmt::format("{:.6f} s", rank.start_s) : "-",
               rank.clock_bound_s ? fmt::format("{:.1f} us", 1e6 * *rank.clock_bound_s) : "-",
               there ? fmt::format("{:.1f} s", rank.busy_s) : "-", std::to_string(rank.slices),
               std::to_string(rank.requests),
               rank.complete ? "complete" : (there ? "incomplete" : "no file")});
  }
  return table.text();
}

}  // namespace

int merge_into(const std::string& file, const std::string& folder, std::ostream& out,
               std::ostream& err) {
  const profiler::MergeResult result = profiler::merge_ranks(folder, file);
  out << rank_table(result)
      << "* has the most busy time: its slices, operators and traffic stand for the run\n";
  for (const auto& note : result.notes) err << "rackwright: " << note << '\n';
  out << fmt::format("{}{}\n", file, result.incomplete ? " (marked incomplete)" : "");
  return result.incomplete ? kIncomplete : kFine;
}

void MergeCommand::add_options(CLI::App& app) {
  app.add_option("DIR", folder_, "Folder of rank-0000.rw, rank-0001.rw, …")->required();
  app.add_option("-o,--output", out_, "Run file to write; must not exist (DIR/run.rw)")
      ->type_name("RUN.rw");
}

int MergeCommand::run(CommandContext& context) {
  const std::string file =
      out_.empty() ? (std::filesystem::path(folder_) / "run.rw").string() : out_;
  return merge_into(file, folder_, context.out, context.err);
}

}  // namespace rackwright::cli
