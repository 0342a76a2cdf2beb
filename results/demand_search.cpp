#include "results/demand_search.hpp"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <map>
#include <tuple>

#include <fmt/format.h>

#include "common/input_error.hpp"
#include "kernels/analytical/analytical_backend.hpp"
#include "results/parallel.hpp"
#include "results/validation/serving_formats.hpp"
#include "topology/evaluation_cabling.hpp"

namespace rackwright::results {

namespace {

/// Racks that one replica may span at most.
constexpr int kMostRacksPerReplica = 8;
/// Tolerance of the search that only picks a plan, and the requests it looks at.
constexpr double kCoarseTolerance = 0.15;
constexpr std::size_t kCoarseRequests = 1500;

/// One plan on one group of racks.
struct Attempt {
  std::size_t group = 0;
  workloads::ServingPlan plan;
  topology::Placement placement;
  std::optional<profiler::SloCapacity> capacity;
  std::string blank;    ///< facts of the device that are missing
  std::string problem;  ///< why the plan cannot run
  [[nodiscard]] double tokens_per_s_of_rack() const {
    if (!capacity) return -1;
    return capacity->output_tokens_per_s * placement.replicas /
           std::max(1, placement.racks_per_replica);
  }
};

struct Group {
  const topology::RackDesign* design = nullptr;
  kernels::DeviceInfo device;
};

/// `replicas` share the traffic: a burst meets them all, as behind a load balancer.
profiler::ReplicaSetup setup_of(const Group& group, const workloads::ServingPlan& plan,
                                int replicas, const DemandOptions& options) {
  profiler::ReplicaSetup setup;
  setup.replicas = std::max(1, replicas);
  setup.plan = plan;
  setup.gpu_memory_bytes = group.device.memory_bytes.value.value_or(0);
  setup.rank.scale_up_domain = group.design->scale_up_domain;
  setup.rank.scale_out_bytes_per_s = group.device.scale_out_bytes_per_s.value.value_or(0);
  setup.rank.power_cap_w = options.gpu_power_cap_w.value_or(0);
  return setup;
}

/// Why `plan` has no place in the rack; "" when it has.
std::string place_problem(const topology::RackDesign& design, const workloads::ServingPlan& plan) {
  if (plan.tp > design.scale_up_domain) {
    return fmt::format("TP{} exceeds the scale-up domain of {} GPUs", plan.tp,
                       design.scale_up_domain);
  }
  if (plan.gpus() > kMostRacksPerReplica * design.gpus) {
    return fmt::format("{} GPUs of a replica exceed {} racks", plan.gpus(), kMostRacksPerReplica);
  }
  return "";
}

/// Bytes per GPU that plan and longest request need.
double needed_bytes(const workloads::Workload& workload, const workloads::ServingPlan& plan,
                    double capacity) {
  const auto use = workloads::memory_use(workload.model, plan, capacity);
  return capacity - use.kv_available + workload.traffic.longest() * use.kv_per_token;
}

void check_plan(const workloads::Workload& workload, const Group& group, Attempt& attempt) {
  attempt.problem = workloads::plan_problem(workload.model, attempt.plan);
  if (attempt.problem.empty()) attempt.problem = place_problem(*group.design, attempt.plan);
  if (!attempt.problem.empty()) return;
  const auto memory = group.device.memory_bytes.value;
  if (!memory) {
    attempt.blank = "memory of " + group.device.id;
    return;
  }
  try {
    workloads::check_memory(workload.model, attempt.plan, *memory, workload.traffic.longest(),
                            group.design->gpus);
  } catch (const InputError& error) {
    attempt.problem = error.problems().front().text();
  }
}

void try_plan(const workloads::Workload& workload, const Group& group, const DataLocator& data,
              const DemandOptions& options, double tolerance, Attempt& attempt,
              const ProgressCallback& progress) {
  try {
    const auto backend =
        kernels::AnalyticalBackend::load(group.device.id, attempt.plan.weights, data);
    attempt.capacity = profiler::find_slo_capacity(
        workload, setup_of(group, attempt.plan, kRacksOfPool * attempt.placement.replicas, options),
        *backend, options.seed, tolerance, progress);
  } catch (const BackendUnavailable& error) {
    attempt.blank = error.what();
  }
}

/// The trace as recorded, spread over the fewest replicas that carry it.
profiler::Trace recorded_trace(const workloads::Workload& workload, const Group& group,
                               const Attempt& attempt, const DataLocator& data,
                               const DemandOptions& options, const ProgressCallback& progress) {
  const auto backend =
      kernels::AnalyticalBackend::load(group.device.id, attempt.plan.weights, data);
  profiler::ReplayOptions replay;
  replay.seed = options.seed;
  const double carried = attempt.capacity->load_factor;
  const double most = std::max(1, attempt.placement.replicas);
  const double fewest = carried > 0 ? std::clamp(std::ceil(1 / carried), 1.0, most) : 1.0;
  replay.load_factor = 1 / fewest;
  if (!(carried > 0)) replay.give_up_wait_s = 10 * workload.slo.ttft_s;
  return profiler::replay(workload,
                          setup_of(group, attempt.plan, static_cast<int>(fewest), options),
                          *backend, replay, progress);
}

/// Measured over modelled busy time of the run, and the uncertainty of using it elsewhere.
struct MeasuredScale {
  double ratio = 1;
  double relative_error = 0;
  std::string device;
};

/// The same plan and requests on the model of the run's own device.
std::optional<MeasuredScale> measured_scale(const workloads::Workload& workload,
                                            const DataLocator& data, const DemandOptions& options,
                                            const profiler::Trace& run,
                                            const ProgressCallback& progress) {
  const kernels::DeviceInfo device = kernels::find_device(run.device, data);
  const auto backend = kernels::AnalyticalBackend::load(run.device, run.plan.weights, data);
  profiler::ReplicaSetup setup;
  setup.plan = run.plan;
  setup.gpu_memory_bytes = device.memory_bytes.value.value_or(0);
  setup.rank.scale_up_domain = std::max(1, run.plan.gpus());
  setup.rank.scale_out_bytes_per_s = device.scale_out_bytes_per_s.value.value_or(0);
  profiler::ReplayOptions replay;
  replay.seed = options.seed;
  replay.load_factor = run.load_factor;
  replay.keep_slices = false;
  const auto modelled = profiler::replay(workload, setup, *backend, replay, progress);
  if (!(modelled.engine.busy_s > 0) || !(run.engine.busy_s > 0)) return std::nullopt;
  return MeasuredScale{run.engine.busy_s / modelled.engine.busy_s, run.relative_error, run.device};
}

/// Runs on the cores of some machine say what the steps are, not how long a GPU takes for them.
constexpr std::string_view kHostDevice = "host";

/// One scale per measured run on a GPU, in the order of the runs.
std::vector<MeasuredScale> measured_scales(const workloads::Workload& workload,
                                           const DataLocator& data, const DemandOptions& options,
                                           const ProgressCallback& progress) {
  std::vector<MeasuredScale> scales;
  for (const profiler::Trace* run : options.runs) {
    if (run->origin != Origin::measured || run->device == kHostDevice) continue;
    const auto scale = measured_scale(workload, data, options, *run, progress);
    if (scale) scales.push_back(*scale);
  }
  return scales;
}

/// The scale measured on `device`, else the first.
const MeasuredScale& scale_for(const std::vector<MeasuredScale>& scales,
                               const std::string& device) {
  const auto own = std::find_if(scales.begin(), scales.end(),
                                [&](const MeasuredScale& scale) { return scale.device == device; });
  return own == scales.end() ? scales.front() : *own;
}

void apply(const MeasuredScale& scale, const std::string& device, RackDemand& demand) {
  profiler::SloCapacity& capacity = demand.demand->capacity;
  capacity.output_tokens_per_s /= scale.ratio;
  capacity.requests_per_s /= scale.ratio;
  // On another device the ratio itself is carried over: its distance from one is an error of it.
  const double carried = device == scale.device ? 0.0 : std::abs(scale.ratio - 1);
  capacity.relative_error = std::hypot(capacity.relative_error, scale.relative_error, carried);
  if (device != scale.device) capacity.trace.extrapolated = true;
  demand.notes.push_back(
      fmt::format("capacity scaled by {:.3f}, measured over modelled busy time of the run on {}",
                  1 / scale.ratio, scale.device));
}

void note_host_runs(const DemandOptions& options, RackDemand& demand) {
  const bool any = std::any_of(options.runs.begin(), options.runs.end(),
                               [](const auto* run) { return run->device == kHostDevice; });
  if (!any) return;
  demand.notes.emplace_back(
      "the run on CPU cores gives model, plan and requests; times and power of the rack's GPUs are "
      "modelled, not scaled from the cores");
}

/// Tells one caller about work that is split over threads and phases.
class SharedProgress {
 public:
  SharedProgress(const ProgressCallback& callback, std::size_t tasks)
      : callback_(callback), tasks_(static_cast<double>(tasks)) {}
  [[nodiscard]] ProgressCallback of(const std::string& what) {
    return [this, what](std::string_view, double, double) {
      if (callback_) callback_(what, done_.load(), tasks_);
    };
  }
  void finish_one() { done_.store(done_.load() + 1); }

 private:
  const ProgressCallback& callback_;
  double tasks_;
  std::atomic<double> done_{0};
};

std::vector<Group> distinct_groups(const std::vector<topology::RackDesign>& designs,
                                   const DataLocator& data, std::vector<std::size_t>& group_of) {
  std::vector<Group> groups;
  std::map<std::tuple<std::string, int, int>, std::size_t> known;
  for (const auto& design : designs) {
    const auto key = std::make_tuple(design.device, design.scale_up_domain, design.gpus);
    const auto [found, inserted] = known.emplace(key, groups.size());
    if (inserted) groups.push_back({&design, kernels::find_device(design.device, data)});
    group_of.push_back(found->second);
  }
  return groups;
}

RackDemand::Shortage shortage_of(const workloads::Workload& workload, const Group& group,
                                 const std::vector<const Attempt*>& attempts) {
  RackDemand::Shortage shortage;
  shortage.available_bytes = group.device.memory_bytes.value.value_or(0);
  shortage.needed_bytes = shortage.available_bytes * 1e6;
  for (const Attempt* attempt : attempts) {
    const double needed = workloads::plan_problem(workload.model, attempt->plan).empty()
                              ? needed_bytes(workload, attempt->plan, shortage.available_bytes)
                              : shortage.needed_bytes;
    if (shortage.text.empty() || needed < shortage.needed_bytes) {
      shortage.needed_bytes = needed;
      shortage.text = fmt::format("{}: {}", attempt->plan.label(), attempt->problem);
    }
  }
  return shortage;
}

/// Index of the attempt with most tokens per second; ties go to the earlier plan.
std::optional<std::size_t> best_of(const std::vector<Attempt>& attempts, std::size_t group) {
  std::optional<std::size_t> best;
  for (std::size_t i = 0; i < attempts.size(); ++i) {
    if (attempts[i].group != group || !attempts[i].capacity) continue;
    if (!best || attempts[i].tokens_per_s_of_rack() > attempts[*best].tokens_per_s_of_rack()) {
      best = i;
    }
  }
  return best;
}

RackDemand without_demand(const workloads::Workload& workload, const Group& group,
                          const std::vector<Attempt>& attempts, std::size_t index) {
  RackDemand result;
  std::vector<const Attempt*> unfit;
  for (const Attempt& attempt : attempts) {
    if (attempt.group != index) continue;
    if (!attempt.blank.empty() && result.blank_reason.empty()) result.blank_reason = attempt.blank;
    if (!attempt.problem.empty()) unfit.push_back(&attempt);
  }
  if (result.blank_reason.empty()) result.shortage = shortage_of(workload, group, unfit);
  return result;
}

std::vector<Attempt> list_attempts(const workloads::Workload& workload,
                                   const std::vector<Group>& groups) {
  std::vector<Attempt> attempts;
  for (std::size_t g = 0; g < groups.size(); ++g) {
    for (const auto& plan : workload.plans) {
      Attempt attempt;
      attempt.group = g;
      attempt.plan = workloads::resolved(plan, workload.model);
      attempt.placement = topology::place(*groups[g].design, attempt.plan);
      check_plan(workload, groups[g], attempt);
      attempts.push_back(std::move(attempt));
    }
  }
  return attempts;
}

/// The workload with the beginning of its traffic: enough to tell plans apart.
workloads::Workload beginning_of(const workloads::Workload& workload) {
  workloads::Workload result = workload;
  auto& requests = result.traffic.requests;
  if (requests.size() > kCoarseRequests) requests.resize(kCoarseRequests);
  return result;
}

/// Coarse search of all runnable plans. Slices are not kept: only the figure of merit is.
void search_coarsely(const workloads::Workload& workload, const std::vector<Group>& groups,
                     const DataLocator& data, const DemandOptions& options,
                     std::vector<Attempt>& attempts, SharedProgress& progress) {
  std::vector<std::size_t> runnable;
  for (std::size_t i = 0; i < attempts.size(); ++i) {
    if (attempts[i].problem.empty() && attempts[i].blank.empty()) runnable.push_back(i);
  }
  const workloads::Workload beginning = beginning_of(workload);
  for_each_index(runnable.size(), options.threads, [&](std::size_t i) {
    Attempt& attempt = attempts[runnable[i]];
    const Group& group = groups[attempt.group];
    try_plan(beginning, group, data, options, kCoarseTolerance, attempt,
             progress.of(fmt::format("{}, {}", group.device.id, attempt.plan.label())));
    if (attempt.capacity) attempt.capacity->trace = {};
    progress.finish_one();
  });
}

/// Which plans were left out, and what the best of the others would have carried.
void add_notes(const std::vector<Attempt>& attempts, std::size_t group, const Attempt& best,
               RackDemand& demand) {
  const Attempt* second = nullptr;
  std::size_t tried = 1;
  for (const Attempt& attempt : attempts) {
    if (attempt.group != group || &attempt == &best) continue;
    if (!attempt.problem.empty()) {
      demand.notes.push_back(fmt::format("{} left out: {}", attempt.plan.label(), attempt.problem));
    } else if (!attempt.blank.empty()) {
      demand.notes.push_back(fmt::format("{} left out: {}", attempt.plan.label(), attempt.blank));
    } else {
      ++tried;
      if (second == nullptr || attempt.tokens_per_s_of_rack() > second->tokens_per_s_of_rack()) {
        second = &attempt;
      }
    }
  }
  if (second == nullptr) return;
  demand.notes.push_back(fmt::format(
      "{} plans tried: {} with about {} output tokens/s per rack, the next is {} with about {}",
      tried, best.plan.label(), format_significant(best.tokens_per_s_of_rack(), 2),
      second->plan.label(), format_significant(second->tokens_per_s_of_rack(), 2)));
}

void throw_if_nothing_fits(const std::vector<RackDemand>& groups) {
  for (const RackDemand& group : groups) {
    if (!group.shortage) return;
  }
  throw InputError(InputProblem{"", 0, "model", "a model and a plan that fit one of the racks",
                                groups.front().shortage->text});
}

}  // namespace

DemandSearch find_demands(const workloads::Workload& workload,
                          const std::vector<topology::RackDesign>& designs, const DataLocator& data,
                          const DemandOptions& options, const ProgressCallback& progress) {
  DemandSearch result;
  const std::vector<Group> groups = distinct_groups(designs, data, result.group_of);
  std::vector<Attempt> attempts = list_attempts(workload, groups);
  SharedProgress shared(progress, attempts.size() + 2 * groups.size());
  const auto scales = measured_scales(workload, data, options, progress);
  search_coarsely(workload, groups, data, options, attempts, shared);
  result.groups.resize(groups.size());
  for_each_index(groups.size(), options.threads, [&](std::size_t g) {
    const auto best = best_of(attempts, g);
    if (!best) {
      result.groups[g] = without_demand(workload, groups[g], attempts, g);
      return;
    }
    Attempt chosen = attempts[*best];
    const std::string what = fmt::format("{}, {}", groups[g].device.id, chosen.plan.label());
    try_plan(workload, groups[g], data, options, options.tolerance, chosen, shared.of(what));
    shared.finish_one();
    RackDemand& demand = result.groups[g];
    add_notes(attempts, g, attempts[*best], demand);
    topology::Demand found;
    found.recorded = recorded_trace(workload, groups[g], chosen, data, options, shared.of(what));
    found.capacity = std::move(*chosen.capacity);
    for (const profiler::Trace* run : options.runs) {
      const bool fits = run->device == groups[g].device.id && !run->incomplete &&
                        run->load_factor == found.recorded.load_factor;
      if (!fits) continue;
      found.recorded = *run;
      break;
    }
    demand.demand = std::move(found);
    note_host_runs(options, demand);
    const std::string& device = groups[g].device.id;
    if (!scales.empty()) apply(scale_for(scales, device), device, demand);
    shared.finish_one();
  });
  throw_if_nothing_fits(result.groups);
  return result;
}

topology::RackEvaluation evaluate_rack(const topology::RackDesign& design,
                                       const topology::Catalog& catalog, const DataLocator& data,
                                       const RackDemand& demand,
                                       const topology::EvaluateOptions& options) {
  topology::EvaluateOptions with_clocks = options;
  if (!with_clocks.cap_response) {
    with_clocks.cap_response =
        kernels::CapResponse::from(model_of(serving_profile("power", data), "cap_response"));
  }
  const auto cabling = topology::lay_unit(design, catalog, data);
  if (cabling && !with_clocks.cabling) with_clocks.cabling = cabling->demand();
  auto evaluation = topology::evaluate(design, catalog, kernels::find_device(design.device, data),
                                       demand.demand, with_clocks);
  if (cabling) topology::add_cabling_figures(evaluation, *cabling);
  if (demand.shortage) mark_shortage(evaluation, *demand.shortage);
  evaluation.notes.insert(evaluation.notes.end(), demand.notes.begin(), demand.notes.end());
  if (!demand.blank_reason.empty()) evaluation.notes.push_back(demand.blank_reason);
  return evaluation;
}

void mark_shortage(topology::RackEvaluation& evaluation, const RackDemand::Shortage& shortage) {
  evaluation.blank_service = false;
  std::erase_if(evaluation.requirements, [&](const topology::Requirement& requirement) {
    return requirement.id.starts_with("service.");
  });
  topology::Limit limit;
  limit.id = "service.memory";
  limit.domain = "service";
  limit.name = "Model, activations and the longest request in GPU memory";
  limit.failure_unit = "none";
  limit.load = exact(shortage.needed_bytes, {"B", Origin::modelled, "GPU memory"});
  limit.limit = exact(shortage.available_bytes, {"B", Origin::catalogue, "GPU memory"});
  limit.margin = shortage.available_bytes > 0
                     ? (shortage.available_bytes - shortage.needed_bytes) / shortage.available_bytes
                     : -1;
  limit.margin_low = limit.margin_high = limit.margin;
  limit.state = topology::LimitState::violated;
  limit.cause = shortage.text;
  evaluation.limits.insert(evaluation.limits.begin(), std::move(limit));
}

}  // namespace rackwright::results
