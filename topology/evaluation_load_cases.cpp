#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "common/statistics.hpp"
#include "topology/evaluation_context.hpp"
#include "topology/power/load_timeline.hpp"

namespace rackwright::topology {

namespace {

/// Half-width of tray power between the published idle and maximum: a judgement, stated as such.
constexpr double kTrayPowerModelError = 0.05;
constexpr double kWindow = 1.0;
constexpr double kShortWindow = 0.1;

struct CaseSource {
  LoadCase load_case;
  const profiler::Trace* trace = nullptr;
  int replicas = 0;
};

/// A mean state of the rack and what its interval needs besides.
struct CaseMean {
  RackPower power;
  Origin origin = Origin::modelled;
  double idle_spread_w = 0;  ///< what GPUs between steps may draw when their idle power is blank
};

int gpus_of_replica_here(const EvaluationContext& context) {
  const Placement& placement = context.out.placement;
  return placement.racks_per_replica > 1 ? context.power.gpus() - placement.idle_gpus
                                         : placement.gpus_per_replica;
}

/// A GPU between steps never draws more than in its lightest slice: the bound for a blank idle
/// power, which the trace counts as zero.
double idle_bound_w(const profiler::Trace& trace, double gpus_of_replicas, double other_gpus) {
  if (!trace.idle_unknown || trace.slices.empty()) return 0;
  float lightest = trace.slices.front().watts;
  for (const profiler::Slice& slice : trace.slices) lightest = std::min(lightest, slice.watts);
  return lightest * (gpus_of_replicas * (1 - trace.busy_share()) + other_gpus);
}

Estimate case_estimate(const EvaluationContext& context, double watts, const CaseMean& of,
                       std::string boundary) {
  const RackPower& mean = of.power;
  // The fixed rest may sink at part load when the part has no published idle, and blank switch
  // trays may draw less than what the rack figure leaves them. The rack figure may also hold loads
  // that no part itemises.
  const double load = context.gpu_envelope_w > 0
                          ? mean.module_w / (context.gpu_envelope_w * context.power.gpus())
                          : 1.0;
  const bool module = boundary == "module input";
  const double base = std::max(module ? mean.module_w : mean.rack_ac_w, 1.0);
  const double spread =
      module ? 0.0
             : context.power.rest_spread_w() * std::max(0.0, 1 - load) + context.power.filled_w();
  const double extra = of.idle_spread_w + (module ? 0.0 : context.power.unitemised_w());
  Estimate e = exact(watts, {"W", of.origin, std::move(boundary)});
  e.low = watts * std::max(0.0, 1 - std::hypot(kTrayPowerModelError, spread / base));
  e.high = watts * (1 + std::hypot(kTrayPowerModelError, extra / base));
  return e;
}

void add_mean_figures(EvaluationContext& context, LoadCase load_case, const CaseMean& of,
                      const std::string& window, const std::string& basis) {
  const RackPower& mean = of.power;
  const auto key = key_of(load_case);
  const auto add = [&](const char* at, const char* label, double watts, std::string boundary) {
    context.add(fmt::format("power.{}.{}", at, key),
                fmt::format("{}, {}", label, to_string(load_case)),
                case_estimate(context, watts, of, std::move(boundary)), window, basis);
  };
  add("module", "All GPUs", mean.module_w, "module input");
  add("tray", "Compute trays", mean.tray_w, "tray");
  add("bus", "DC output of all PSUs", mean.bus_w, context.bus_boundary());
  add("rack_ac", "Rack AC input", mean.rack_ac_w, "rack AC input");
}

void add_window_figures(EvaluationContext& context, LoadCase load_case,
                        const std::vector<double>& means, const CaseMean& of,
                        const std::string& basis) {
  const std::string key = fmt::format("power.rack_ac.{}", key_of(load_case));
  const auto add = [&](const char* suffix, const char* label, double watts) {
    context.add(key + suffix, fmt::format("Rack AC input, {}, {}", to_string(load_case), label),
                case_estimate(context, watts, of, "rack AC input"), "1 s", basis);
  };
  add(".p99", "P99", quantile(means, 0.99));
  add(".peak", "peak", *std::max_element(means.begin(), means.end()));
  context.add(key + ".ramp_1s", "Largest change between 1 s means",
              exact(largest_ramp(means, kWindow), {"W/s", of.origin, "rack AC input"}), "1 s",
              "consecutive 1 s means");
}

/// All replicas in step: the worst that phases can do.
void add_lockstep(EvaluationContext& context, const CyclicEnergy& energy, const CaseSource& source,
                  double idle_gpus_w, const CaseMean& of) {
  const double gpus = gpus_of_replica_here(context) * static_cast<double>(source.replicas);
  const auto means =
      context.power.rack_ac_means(superposed_means(energy, {0.0}, kWindow), gpus, idle_gpus_w);
  const std::string key = fmt::format("power.rack_ac.{}.lockstep_peak", key_of(source.load_case));
  context.add(
      key,
      fmt::format("Rack AC input, {}, peak with all replicas in step", to_string(source.load_case)),
      case_estimate(context, *std::max_element(means.begin(), means.end()), of, "rack AC input"),
      "1 s", "phases all equal");
}

void add_capacity_figures(EvaluationContext& context, const std::vector<double>& short_means,
                          double mean_ac_w, Origin origin) {
  context.add(
      "power.rack_ac.slo_capacity.ramp_100ms", "Largest change between 100 ms means",
      exact(largest_ramp(short_means, kShortWindow), {"W/s", Origin::modelled, "rack AC input"}),
      "100 ms", "modelled: no sensor resolves it");
  if (!context.has_envelope) return;
  const double p99 = quantile(context.capacity_means_w, 0.99);
  const double provisioned = context.envelope.rack_ac_w;
  context.add(
      "power.stranded", "Provisioned less P99 draw",
      exact(provisioned - p99, {"W", weakest(origin, context.envelope_origin), "rack AC input"}),
      "1 s", "design envelope minus P99 of 1 s means at SLO capacity");
  context.add("power.utilisation", "Mean draw over design envelope",
              exact(mean_ac_w / provisioned,
                    {"1", weakest(origin, context.envelope_origin), "rack AC input"}),
              "mean", "mean at SLO capacity / design envelope");
}

CaseMean mean_of(const EvaluationContext& context, const CaseSource& source,
                 const CyclicEnergy& energy, double gpus_of_replicas, double other_gpus) {
  const profiler::Trace& trace = *source.trace;
  CaseMean result;
  result.power = context.power.at(energy.mean_w() * gpus_of_replicas + other_gpus * trace.idle_w);
  result.idle_spread_w = idle_bound_w(trace, gpus_of_replicas, other_gpus);
  result.origin = trace.idle_unknown ? Origin::assumed : trace.origin;
  return result;
}

void require_idle_power(EvaluationContext& context, double bound_w) {
  context.require({"idle_w." + context.device.id, "idle power of " + context.device.name,
                   fmt::format("needs a figure from the module maker; gaps count as 0 W, and may "
                               "draw up to {} in the rack",
                               watts_text(bound_w)),
                   "module maker", "tokens per joule: the value is an upper bound", false});
}

void evaluate_trace(EvaluationContext& context, const CaseSource& source) {
  const profiler::Trace& trace = *source.trace;
  if (!(trace.end_s > 0) || trace.slices.empty() || !context.power.complete()) return;
  const CyclicEnergy energy(profiler::power_timeline(trace));
  const int here = gpus_of_replica_here(context);
  const double others = std::max(0, context.power.gpus() - here * source.replicas);
  const double idle_gpus = others * trace.idle_w;
  const auto phases = replica_phases(
      source.replicas, energy.period_s(),
      RandomSource(context.options.seed).stream(fmt::format("phase {}", key_of(source.load_case))));
  const auto gpu_means = superposed_means(energy, phases, kWindow);
  if (gpu_means.empty()) return;
  const auto means = context.power.rack_ac_means(gpu_means, here, idle_gpus);
  const CaseMean mean = mean_of(context, source, energy, here * source.replicas, others);
  add_mean_figures(context, source.load_case, mean, fmt::format("mean over {:.0f} s", trace.end_s),
                   fmt::format("{} replicas of {} GPUs", source.replicas, here));
  add_window_figures(context, source.load_case, means, mean,
                     "exact integrals over 1 s windows, replicas at seeded phases");
  add_lockstep(context, energy, source, idle_gpus, mean);
  context.case_power[static_cast<std::size_t>(source.load_case)] =
      context.power.at(quantile(gpu_means, 0.99) * here + idle_gpus);
  if (source.load_case != LoadCase::slo_capacity) return;
  evaluate_power_steps(context, trace, energy, phases, here, idle_gpus);
  if (trace.idle_unknown) require_idle_power(context, mean.idle_spread_w);
  context.capacity_means_w = means;
  context.capacity = mean.power;
  const auto fine =
      context.power.rack_ac_means(superposed_means(energy, phases, kShortWindow), here, idle_gpus);
  add_capacity_figures(context, fine, mean.power.rack_ac_w, mean.origin);
}

void evaluate_idle(EvaluationContext& context) {
  std::optional<double> idle = context.device.idle_w.value;
  if (context.demand && context.demand->capacity.trace.idle_w > 0) {
    idle = context.demand->capacity.trace.idle_w;
  }
  if (!idle) {
    context.require({"idle_w." + context.device.id, "idle power of " + context.device.id,
                     "needs a measured idle power from the module maker or an operator",
                     "module maker", "load case idle cannot be formed", false});
    return;
  }
  if (!context.power.complete()) return;
  CaseMean mean;
  mean.power = context.power.at(*idle * context.power.gpus());
  mean.origin = context.device.idle_w.value ? Origin::modelled : Origin::assumed;
  context.case_power[static_cast<std::size_t>(LoadCase::idle)] = mean.power;
  add_mean_figures(context, LoadCase::idle, mean, "steady",
                   "every GPU at its idle power; no published idle of a part: its rest is kept");
}

/// Every GPU of the rack draws what was measured, all at once: what one training job or one burst
/// of traffic over all replicas does.
void evaluate_measured(EvaluationContext& context) {
  const auto& measured = context.options.measured;
  if (!measured || measured->device != context.design.device || measured->gpu_w.empty() ||
      !context.power.complete()) {
    return;
  }
  const double gpus = context.power.gpus();
  CaseMean mean;
  mean.power = context.power.at(rackwright::mean(measured->gpu_w) * gpus);
  mean.origin = weakest(Origin::measured, Origin::modelled);  // the rest of the rack is modelled
  const std::string basis =
      fmt::format("all {} GPUs as the measured ones, at once; {}", gpus, measured->source);
  add_mean_figures(context, LoadCase::as_measured, mean,
                   fmt::format("mean over {:.0f} s", measured->window_s), basis);
  const auto means = context.power.rack_ac_means(measured->gpu_w, gpus, 0);
  add_window_figures(context, LoadCase::as_measured, means, mean, basis);
  context.case_power[static_cast<std::size_t>(LoadCase::as_measured)] =
      context.power.at(quantile(measured->gpu_w, 0.99) * gpus);
}

void evaluate_traces(EvaluationContext& context) {
  const Placement& placement = context.out.placement;
  const profiler::SloCapacity& capacity = context.demand->capacity;
  if (capacity.load_factor > 0 && placement.replicas > 0) {
    evaluate_trace(context, {LoadCase::slo_capacity, &capacity.trace, placement.replicas});
  }
  const double copies = capacity.load_factor > 0 ? std::ceil(1 / capacity.load_factor) : 1.0;
  const int replicas = std::clamp(static_cast<int>(copies), 1, std::max(placement.replicas, 1));
  evaluate_trace(context, {LoadCase::as_recorded, &context.demand->recorded, replicas});
}

}  // namespace

void evaluate_load_cases(EvaluationContext& context) {
  if (context.demand) evaluate_traces(context);
  evaluate_measured(context);
  evaluate_idle(context);  // last: a trace that lacks the idle power says more about it
}

}  // namespace rackwright::topology
