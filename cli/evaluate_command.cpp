#include "cli/evaluate_command.hpp"

#include <ostream>

#include "cli/review_text.hpp"
#include "common/input_error.hpp"
#include "common/output_file.hpp"
#include "results/demand_search.hpp"
#include "results/ranking.hpp"
#include "results/report/loop_drawing.hpp"

namespace rackwright::cli {

void EvaluateCommand::add_options(CLI::App& app) {
  workload_.add_to(app, "Run file; or a workload: id or file");
  app.add_option("--rack", rack_, "The rack: id or file")->required()->type_name("R");
  app.add_flag("--json", json_, "Print JSON");
  app.add_option("--loop", loop_, "Write the coolant loop schematic (SVG)")->type_name("FILE");
  app.add_option("--branch-table", branch_table_, "Write flow, drop and outlet of each tray (CSV)")
      ->type_name("FILE");
  environment_.add_to(app);
}

void EvaluateCommand::write_loop(const topology::RackEvaluation& evaluation) const {
  const auto write = [&](const std::string& file, const char* option, const std::string& content) {
    if (file.empty()) return;
    if (content.empty()) {
      throw InputError(InputProblem{
          "", 0, option, "a liquid rack whose heat and coolant flow are known", evaluation.rack});
    }
    write_file(file, content);
  };
  write(loop_, "--loop", results::coolant_loop_svg(evaluation));
  write(branch_table_, "--branch-table", results::coolant_branch_csv(evaluation));
}

int EvaluateCommand::run(CommandContext& context) {
  const std::uint64_t seed = workload_.seed_value();
  const auto options = environment_.parse(seed);
  const auto catalog = topology::Catalog::load(context.data);
  if (rack_ == "all" || rack_.find(',') != std::string::npos) {
    throw InputError(
        InputProblem{"", 0, "--rack", "one rack; for several use review", "\"" + rack_ + "\""});
  }
  const auto designs = read_racks(rack_, context.data, catalog);
  const WorkloadInput input = read_workload_input(workload_, context.data);
  ProgressLine line(context.err, context.err_is_terminal);
  results::DemandOptions search;
  search.seed = seed;
  search.gpu_power_cap_w = options.gpu_power_cap_w;
  search.runs = input.traces();
  const auto demands =
      results::find_demands(input.workload, designs, context.data, search, progress_on(line));
  const auto evaluation =
      results::evaluate_rack(designs.front(), catalog, context.data, demands.of(0), options);
  line.finish();
  write_loop(evaluation);
  if (json_) {
    context.out << results::to_json(evaluation).dump(1) << '\n';
  } else {
    context.out << evaluation_text(evaluation);
  }
  const auto verdict = results::judge(evaluation).verdict;
  if (verdict == results::Verdict::undecided) return kIncomplete;
  for (const auto& limit : evaluation.limits) {
    if (limit.promised && limit.state == topology::LimitState::violated) return kFinding;
  }
  return kFine;
}

}  // namespace rackwright::cli
