#include "cli/evaluate_command.hpp"

#include <algorithm>
#include <ostream>

#include "cli/review_text.hpp"
#include "common/input_error.hpp"
#include "common/output_file.hpp"
#include "results/demand_search.hpp"
#include "results/ranking.hpp"
#include "results/report/loop_drawing.hpp"
#include "results/report/single_line_drawing.hpp"

namespace rackwright::cli {

void EvaluateCommand::add_options(CLI::App& app) {
  workload_.add_to(app, "Run file; or a workload: id or file");
  workload_.allow_imported_runs(app);
  app.add_option("--rack", rack_, "The rack: id or file")->required()->type_name("R");
  app.add_flag("--json", json_, "Print JSON");
  app.add_option("--loop", loop_, "Write the coolant loop schematic (SVG)")->type_name("FILE");
  app.add_option("--branch-table", branch_table_, "Write flow, drop and outlet of each tray (CSV)")
      ->type_name("FILE");
  app.add_option("--single-line", single_line_, "Write the single-line diagram of the power chain")
      ->type_name("FILE.svg");
  app.add_option("--failure-table,--power-table", failure_table_,
                 "Write load, limit and margin of every node of power, liquid and air under every "
                 "single failure and load case")
      ->type_name("FILE.csv");
  app.add_flag("--pairs", pairs_,
               "Failure table: the worst nodes under every pair of failures too");
  app.add_option("--feed-map", feed_map_, "Which feed supplies a shelf or node's PSUs: A1=B,A2=A")
      ->delimiter(',')
      ->type_name("SOURCE=FEED");
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

namespace {

/// The A/B map of a design, changed source by source.
void apply_feed_map(const std::vector<std::string>& map, topology::RackDesign& design) {
  for (const std::string& entry : map) {
    const auto at = entry.find('=');
    const std::string source = entry.substr(0, at);
    const std::string feed = at == std::string::npos ? "" : entry.substr(at + 1);
    bool known_source = false;
    const bool known_feed = std::any_of(design.feeds.begin(), design.feeds.end(),
                                        [&](const topology::Feed& f) { return f.id == feed; });
    for (topology::PowerBus& bus : design.buses) {
      for (topology::PowerSource& s : bus.sources) {
        if (s.id != source) continue;
        known_source = true;
        if (known_feed) s.feed = feed;
      }
    }
    if (known_source && known_feed) continue;
    throw InputError(InputProblem{"", 0, "--feed-map",
                                  "a source of the rack and one of its feeds, as A1=B",
                                  "\"" + entry + "\""});
  }
}

/// Every node under every single failure and load case; pairs of the design envelope by their worst
/// node of each level.
std::string failure_table_csv(const topology::RackEvaluation& evaluation, bool pairs) {
  std::string csv;
  const topology::FailureReport& report = evaluation.failures;
  for (const auto& [load_case, load] : report.loads) {
    const std::string name(to_string(load_case));
    csv += table_csv(name, topology::rack_failure_table(report.model, load), csv.empty());
    if (pairs && load_case == topology::LoadCase::design_envelope) {
      csv += table_csv(name, topology::rack_pair_table(report.model, load), false);
    }
  }
  return csv;
}

}  // namespace

int EvaluateCommand::run(CommandContext& context) {
  const std::uint64_t seed = workload_.seed_value();
  auto options = environment_.parse(seed);
  const auto catalog = topology::Catalog::load(context.data);
  if (rack_ == "all" || rack_.find(',') != std::string::npos) {
    throw InputError(
        InputProblem{"", 0, "--rack", "one rack; for several use review", "\"" + rack_ + "\""});
  }
  auto designs = read_racks(rack_, context.data, catalog);
  apply_feed_map(feed_map_, designs.front());
  const WorkloadInput input = read_workload_input(workload_, context.data);
  options.measured = measured_load(input, context.data);
  ProgressLine line(context.err, context.err_is_terminal);
  results::DemandOptions search;
  search.seed = seed;
  search.gpu_power_cap_w = options.gpu_power_cap_w;
  search.runs = input.traces();
  const auto demands =
      results::find_demands(input.workload, designs, context.data, search, progress_on(line));
  auto evaluation =
      results::evaluate_rack(designs.front(), catalog, context.data, demands.of(0), options);
  add_measured(input, designs.front(), context.data, evaluation);
  line.finish();
  write_loop(evaluation);
  if (!single_line_.empty()) write_file(single_line_, results::single_line_svg(evaluation));
  if (!failure_table_.empty()) write_file(failure_table_, failure_table_csv(evaluation, pairs_));
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
