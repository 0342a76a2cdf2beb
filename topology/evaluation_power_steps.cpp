#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "common/statistics.hpp"
#include "topology/evaluation_context.hpp"
#include "topology/part_facts.hpp"
#include "topology/power/load_steps.hpp"
#include "topology/power/rack_cap.hpp"

namespace rackwright::topology {

namespace {

/// The finest window: 50 Hz, above the band that grids care about.
constexpr double kFineWindow = 0.01;
constexpr double kGridLowHz = 0.1, kGridHighHz = 20;
/// Fine windows kept: of a longer trace the first two minutes stand for it.
constexpr std::size_t kMostFine = 12000;

/// Means of `per` windows each.
std::vector<double> coarser(const std::vector<double>& means, std::size_t per) {
  std::vector<double> result;
  for (std::size_t i = 0; i + per <= means.size(); i += per) {
    double sum = 0;
    for (std::size_t j = i; j < i + per; ++j) sum += means[j];
    result.push_back(sum / static_cast<double>(per));
  }
  return result;
}

/// Fine windows over at most two minutes of the trace.
std::vector<double> fine_means(const CyclicEnergy& energy, const std::vector<double>& phases) {
  const double period = energy.period_s();
  const auto count =
      std::min(kMostFine, static_cast<std::size_t>(std::floor(period / kFineWindow)));
  std::vector<double> means(count, 0.0);
  for (const double phase : phases) {
    for (std::size_t i = 0; i < count; ++i) {
      means[i] +=
          energy.energy(static_cast<double>(i) * kFineWindow + phase, kFineWindow) / kFineWindow;
    }
  }
  return means;
}

void add_ramps(EvaluationContext& context, const std::vector<double>& fine,
               const std::vector<double>& minutes) {
  const auto add = [&](const char* key, const char* label, const std::vector<double>& means,
                       double seconds, const char* basis) {
    if (means.size() < 2) return;
    context.add(fmt::format("power.rack_ac.slo_capacity.ramp_{}", key),
                fmt::format("Largest change between {} means", label),
                exact(largest_ramp(means, seconds), {"W/s", Origin::modelled, "rack AC input"}),
                label, basis);
  };
  add("10ms", "10 ms", fine, kFineWindow, "modelled: no sensor resolves it");
  add("60s", "60 s", minutes, 60, "consecutive means of the replayed trace, modelled");
}

void add_band(EvaluationContext& context, const std::vector<double>& fine) {
  const Band band = band_of(fine, kFineWindow, kGridLowHz, kGridHighHz);
  if (fine.size() < 16) return;
  context.add("power.band.rms", "Oscillation between 0.1 and 20 Hz, rms",
              exact(band.rms_w, {"W", Origin::modelled, "rack AC input"}), "10 ms",
              "Welch estimate over 10 ms means, modelled: no sensor resolves it");
  if (band.dominant_hz <= 0) return;
  context.add("power.band.dominant", "Strongest line between 0.1 and 20 Hz",
              exact(band.dominant_hz, {"Hz", Origin::modelled, "rack AC input"}), "10 ms",
              fmt::format("{} rms of it; production training shows 0.2-3 Hz (arXiv:2508.14318)",
                          watts_text(band.dominant_rms_w)));
}

/// What the modules of this device buffer themselves, J.
std::optional<double> module_store_j(const EvaluationContext& context) {
  const Part* smoothing = context.catalog.find(context.device.id + "-power-smoothing");
  const auto each = smoothing ? smoothing->number("energy_per_gpu_j") : std::nullopt;
  if (!each) return std::nullopt;
  return *each * context.power.gpus();
}

void add_stores(EvaluationContext& context, const profiler::Trace& trace,
                const std::vector<double>& fine, double gpus) {
  const double average = mean(fine);
  if (const auto store = store_for_cap_j(fine, kFineWindow, average)) {
    context.add("power.store.mean",
                "Store that holds the draw at its mean, replicas at random phase",
                exact(*store, {"J", Origin::modelled, "rack AC input"}), "10 ms",
                "largest draw-up of the integral of P - mean over the replay");
  }
  const auto timeline = profiler::power_timeline(trace);
  const double gpu_mean = timeline.integral() / (timeline.t.back() - timeline.t.front());
  if (const auto store = store_for_cap_j(timeline, gpu_mean)) {
    context.add("power.store.mean_in_step",
                "Store that holds the modules at their mean, all in step",
                exact(*store * gpus, {"J", Origin::modelled, "module input"}), "exact edges",
                "largest draw-up of the integral of P - mean, replicas synchronised");
  }
  const auto hundred = coarser(fine, 10);
  double step = 0;
  for (std::size_t i = 1; i < hundred.size(); ++i) {
    step = std::max(step, std::abs(hundred[i] - hundred[i - 1]));
  }
  context.add("power.step.largest_100ms", "Largest step between 100 ms means",
              exact(step, {"W", Origin::modelled, "rack AC input"}), "100 ms",
              "modelled: no sensor resolves it");
  const auto own = module_store_j(context);
  context.require(
      {"ramp_limit", "ramp limit of the site's supply",
       fmt::format(
           "a store of S^2 / (2 r): {:.1f} kJ for the largest 100 ms step of {} "
           "at r = 10 kW/s, ten times that at 1 kW/s{}",
           store_for_step_j(step, 10e3) / 1e3, watts_text(step),
           own ? fmt::format("; the modules' power smoothing holds {:.2f} kJ", *own / 1e3) : ""),
       "facility or utility", "size of the store that smooths the ramp", false});
  if (own) {
    context.add("power.store.modules", "Energy the modules' power smoothing holds",
                exact(*own, {"J", Origin::catalogue, "rack AC input"}), "",
                context.catalog.find(context.device.id + "-power-smoothing")->source);
  }
}

/// A row of such racks on a budget of ten envelopes: how many fit at P99.9 of exact sums.
void add_oversubscription(EvaluationContext& context, const CyclicEnergy& energy,
                          const std::vector<double>& phases, double gpus_per_replica,
                          double other_gpus_w) {
  if (!context.has_envelope || phases.empty()) return;
  constexpr int kBudgetRacks = 10, kMostRacks = 16;
  const double budget = kBudgetRacks * context.envelope.rack_ac_w;
  const double period = energy.period_s();
  const auto all = replica_phases(static_cast<int>(phases.size()) * kMostRacks, period,
                                  RandomSource(context.options.seed).stream("phase row"));
  std::vector<double> sum;
  double fits = 0, p999 = 0;
  for (int rack = 0; rack < kMostRacks; ++rack) {
    const auto first = all.begin() + static_cast<std::ptrdiff_t>(phases.size()) * rack;
    const std::vector<double> own(first, first + static_cast<std::ptrdiff_t>(phases.size()));
    const auto means = context.power.rack_ac_means(superposed_means(energy, own, 1.0),
                                                   gpus_per_replica, other_gpus_w);
    sum.resize(means.size(), 0.0);
    for (std::size_t i = 0; i < means.size(); ++i) sum[i] += means[i];
    const double high = quantile(sum, 0.999);
    if (high > budget) break;
    fits = rack + 1;
    p999 = high;
  }
  if (!(fits > 0)) return;
  context.add(
      "power.oversubscription.racks", "Racks of this kind on the power of ten envelopes",
      exact(fits, {"racks", Origin::modelled, "rack AC input"}), "1 s",
      fmt::format("P99.9 of exact sums of independent replicas: {} of {}{}", watts_text(p999),
                  watts_text(budget), fits >= kMostRacks ? "; not tried beyond 16" : ""));
}

/// What a controller that acts late lets through, at a cap that the trace meets a tenth of the
/// time.
void add_cap_delay(EvaluationContext& context, const CappedRack& rack, const CyclicEnergy& energy,
                   const std::vector<double>& phases, double work_s, double high_w) {
  constexpr double kStep = 0.1;
  const auto means = context.power.rack_ac_means(superposed_means(energy, phases, kStep),
                                                 rack.gpus_per_replica, rack.rest_w);
  const double cap =
      context.options.rack_power_cap_w ? *context.options.rack_power_cap_w : quantile(means, 0.9);
  if (!(cap < high_w)) return;
  std::string told;
  for (const double delay : {0.1, 1.0, 5.0}) {
    const CappedReplay run = replay_under_cap(energy, phases, work_s, kStep, rack, cap,
                                              *context.options.cap_response, delay);
    told +=
        fmt::format("{}{:g} s: {} at most, {:.1f} kJ over it in {:.0f} s", told.empty() ? "" : "; ",
                    delay, watts_text(run.highest_w), run.over_j / 1e3, run.elapsed_s);
  }
  context.require(
      {"cap_delay." + context.design.id, "time from a draw over the rack's cap to lower clocks",
       fmt::format("at a cap of {}, acting after {}", watts_text(cap), told),
       "rack controller's maker", "draw over the cap, size of the store behind it", false});
}

/// What a rack cap costs: the one that is set, and the one that costs a hundredth of the time.
void add_cap(EvaluationContext& context, const CyclicEnergy& energy,
             const std::vector<double>& phases, double gpus_per_replica, double other_gpus_w,
             const std::vector<double>& fine) {
  if (!context.options.cap_response) return;
  constexpr double kStep = 0.1, kLongest = 120, kPrice = 0.01;
  const CappedRack rack{gpus_per_replica, other_gpus_w, context.device.idle_w.value.value_or(0),
                        [&](double gpu_w) { return context.power.at(gpu_w).rack_ac_w; }};
  const double work = std::min(energy.period_s(), kLongest);
  const auto replay = [&](double cap) {
    return replay_under_cap(energy, phases, work, kStep, rack, cap, *context.options.cap_response);
  };
  const std::string basis = fmt::format(
      "closed loop over {:.0f} s of traffic: watts, clocks, time; replicas at seeded "
      "phases",
      work);
  const double high = *std::max_element(fine.begin(), fine.end());
  const double low = std::min(high, context.power.at(0).rack_ac_w);
  context.add("power.cap.one_per_cent", "Rack cap that lengthens the run by 1 %",
              exact(cap_for_slow_down([&](double cap) { return replay(cap).slow_down(); }, kPrice,
                                      low, high),
                    {"W", Origin::modelled, "rack AC input"}),
              "100 ms", basis);
  add_cap_delay(context, rack, energy, phases, work, high);
  if (!context.options.rack_power_cap_w) return;
  const CappedReplay run = replay(*context.options.rack_power_cap_w);
  context.add("power.cap.slow_down", "Longer run time under the rack cap",
              exact(run.slow_down() * 100, {"%", Origin::modelled, "rack AC input"}), "100 ms",
              run.held ? basis : basis + "; the cap is under what idle GPUs draw");
  context.add("power.cap.share_of_time", "Share of the time with clocks lowered",
              exact(run.elapsed_s > 0 ? run.capped_s / run.elapsed_s : 0,
                    {"1", Origin::modelled, "rack AC input"}),
              "100 ms", basis);
}

}  // namespace

void evaluate_power_steps(EvaluationContext& context, const profiler::Trace& trace,
                          const CyclicEnergy& energy, const std::vector<double>& phases,
                          double gpus_per_replica, double other_gpus_w) {
  const auto fine =
      context.power.rack_ac_means(fine_means(energy, phases), gpus_per_replica, other_gpus_w);
  if (fine.size() < 2) return;
  const auto minutes = energy.period_s() >= 120
                           ? context.power.rack_ac_means(superposed_means(energy, phases, 60),
                                                         gpus_per_replica, other_gpus_w)
                           : std::vector<double>{};
  add_ramps(context, fine, minutes);
  add_band(context, fine);
  add_stores(context, trace, fine, gpus_per_replica * static_cast<double>(phases.size()));
  add_oversubscription(context, energy, phases, gpus_per_replica, other_gpus_w);
  add_cap(context, energy, phases, gpus_per_replica, other_gpus_w, fine);
}

}  // namespace rackwright::topology
