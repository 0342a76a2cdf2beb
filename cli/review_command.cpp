#include "cli/review_command.hpp"

#include <filesystem>
#include <ostream>

#include <fmt/format.h>

#include "cli/option_values.hpp"
#include "cli/review_text.hpp"
#include "common/input_error.hpp"
#include "common/output_file.hpp"
#include "results/demand_search.hpp"
#include "results/ranking.hpp"
#include "results/report/report.hpp"
#include "results/report/report_assets.hpp"
#include "results/review.hpp"

namespace rackwright::cli {

namespace {

std::map<std::string, topology::FabricDesign> fabrics_of(
    const std::vector<topology::RackDesign>& designs, const DataLocator& data) {
  std::map<std::string, topology::FabricDesign> fabrics;
  for (const auto& design : designs) {
    if (design.fabric.empty() || fabrics.contains(design.fabric)) continue;
    fabrics.emplace(design.fabric,
                    topology::read_fabric_design(data.find(design.fabric, "topology/fabrics")));
  }
  return fabrics;
}

int exit_code(const results::Review& review) {
  bool undecided = false;
  for (const auto& candidate : review.candidates) {
    if (results::can_be_ranked(candidate.verdict)) return kFine;
    undecided = undecided || candidate.verdict == results::Verdict::undecided;
  }
  return undecided ? kIncomplete : kFinding;
}

/// No command line, path or machine: same input, same bytes.
profiler::RunMeta meta_of(const CommandContext& context, const topology::Catalog& catalog,
                          const std::string& workload_json) {
  profiler::RunMeta meta;
  meta.version = context.version;
  meta.command = "rackwright review";
  meta.data_hash = catalog.hash();
  meta.workload_json = workload_json;
  return meta;
}

void write_run(const std::filesystem::path& path, const profiler::RunMeta& meta,
               const profiler::Trace& trace) {
  profiler::RunFileWriter writer(path, meta);
  writer.write(trace);
  writer.finish();
}

}  // namespace

void ReviewCommand::add_options(CLI::App& app) {
  workload_.add_to(app, "Workload: id or file; or a run file");
  workload_.allow_imported_runs(app);
  workload_.allow_more_runs(app);
  app.add_option("--racks", racks_, "Candidates: ids or files with commas between, or all")
      ->required()
      ->type_name("A,B|all");
  app.add_option("--out", out_, "Folder for review.json, report.html and a run per rack")
      ->required()
      ->type_name("DIR");
  app.add_option("--rank-by", rank_by_,
                 fmt::format("{} ({})", fmt::join(results::rank_metrics(), ", "), rank_by_))
      ->type_name("METRIC");
  app.add_option("--demand", demand_, "Output tokens per second that every candidate must carry")
      ->type_name("N");
  app.add_flag("--json", json_, "Print review.json instead of the table");
  environment_.add_to(app);
}

int ReviewCommand::run(CommandContext& context) {
  const std::uint64_t seed = workload_.seed_value();
  auto evaluate_options = environment_.parse(seed);
  results::ReviewOptions options;
  options.rank_by = results::find_rank_metric(rank_by_).key;
  options.version = context.version;
  if (!demand_.empty()) options.demand_tokens_per_s = parse_positive(demand_, "--demand");
  OutputFolder folder(out_);  // before the long work: may it be written?
  const results::LoadedAssets assets = results::load_report_assets(context.data);

  ProgressLine line(context.err, context.err_is_terminal);
  const ProgressCallback progress = progress_on(line);
  progress("reading", 0, 1);
  const auto catalog = topology::Catalog::load(context.data);
  auto designs = read_racks(racks_, context.data, catalog);
  options.fabrics = fabrics_of(designs, context.data);
  options.catalog = &catalog;
  const WorkloadInput input = read_workload_input(workload_, context.data);
  evaluate_options.measured = measured_load(input, context.data);

  results::DemandOptions search;
  search.seed = seed;
  search.gpu_power_cap_w = evaluate_options.gpu_power_cap_w;
  search.runs = input.traces();
  auto demands = results::find_demands(input.workload, designs, context.data, search, progress);

  const auto meta = meta_of(context, catalog, input.json);
  std::vector<topology::RackEvaluation> evaluations;
  for (std::size_t i = 0; i < designs.size(); ++i) {
    progress("evaluating " + designs[i].id, static_cast<double>(i),
             static_cast<double>(designs.size()));
    const results::RackDemand& demand = demands.of(i);
    evaluations.push_back(
        results::evaluate_rack(designs[i], catalog, context.data, demand, evaluate_options));
    add_measured(input, designs[i], context.data, evaluations.back());
    if (demand.demand) {
      write_run(folder.stage(designs[i].id + ".rw"), meta, demand.demand->capacity.trace);
    }
  }
  const results::Review review = results::make_review(input.workload, seed, std::move(designs),
                                                      std::move(evaluations), options);
  progress("writing", 1, 1);
  const std::string json = results::to_json(review).dump(1) + "\n";
  folder.add("review.json", json);
  folder.add("report.html", results::render_report(review, assets.assets));
  folder.commit();
  line.finish();
  if (!assets.warning.empty()) context.err << "rackwright: warning: " << assets.warning << '\n';
  context.out << (json_ ? json : review_text(review));
  if (!json_) {
    context.out << fmt::format("\n{0}/report.html\n{0}/review.json\n", folder.path().string());
  }
  return exit_code(review);
}

}  // namespace rackwright::cli
