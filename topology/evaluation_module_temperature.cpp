#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "topology/evaluation_transient.hpp"
#include "topology/part_facts.hpp"
#include "topology/power/load_timeline.hpp"
#include "topology/thermal/temperature_fit.hpp"
#include "topology/thermal/transient/thermal_replay.hpp"

namespace rackwright::topology {

namespace {

constexpr double kTemperatureWindow = 0.1;  // s; finer than any module's plate or sink

/// The fluid that reaches the module: supply coolant, or air at the inlet of the rack.
double module_inlet_c(const EvaluationContext& context) {
  return context.design.liquid ? context.environment.tcs_supply_c : context.environment.air_inlet_c;
}

std::string_view inlet_name(const EvaluationContext& context) {
  return context.design.liquid ? "TCS supply" : "air inlet";
}

/// The catalogue's module of this device.
const Part* module_of(const EvaluationContext& context) {
  for (const auto& [id, part] : context.catalog.parts()) {
    if (part.kind == "gpu_module" && part.fact("device").text == context.device.id) return &part;
  }
  return nullptr;
}

std::optional<Estimate> module_limit(const EvaluationContext& context) {
  if (const auto own = fact_estimate(context.design.thermal.module_limit_c, "degC")) return own;
  const auto& device = context.device.max_operating_c;
  if (device.value) {
    return exact(*device.value,
                 {"degC", device.status == "estimated" ? Origin::assumed : Origin::catalogue});
  }
  const Part* module = module_of(context);
  return module ? first_estimate(*module, {"operating_max_c"}, "degC") : std::nullopt;
}

/// What the throttle point must be, or what each 10 K under it allows.
void require_limit(EvaluationContext& context, double inlet, double watts,
                   const std::optional<ModuleResistance>& resistance) {
  const std::string solved =
      resistance ? fmt::format(">= {:.0f} degC keeps full clocks at {:.0f} W",
                               std::ceil(inlet + resistance->k_per_w.high * watts), watts)
                 : fmt::format("needs a figure; {:.0f} W over a {:.0f} degC {}", watts, inlet,
                               inlet_name(context));
  context.require({"module_limit_c." + context.device.id,
                   "temperature at which " + context.device.name + " lowers its clocks", solved,
                   "module maker", "whether GPUs throttle", false});
}

void require_resistance(EvaluationContext& context, double inlet, double watts,
                        const std::optional<Estimate>& limit) {
  const std::string solved =
      limit && limit->value > inlet
          ? fmt::format("<= {:.4f} K/W keeps {:.0f} W under {:.0f} degC from {:.0f} degC {}",
                        (limit->value - inlet) / watts, watts, limit->value, inlet,
                        inlet_name(context))
          : fmt::format(
                "<= {:.4f} K/W at {:.0f} W for each 10 K between throttle point and the "
                "{:.0f} degC {}",
                10 / watts, watts, inlet, inlet_name(context));
  context.require({"module_resistance." + context.device.id,
                   "resistance from GPU to its inlet over flow, R(Q)", solved,
                   context.design.liquid ? "cold plate maker" : "system maker",
                   "GPU temperature and throttling", false});
}

void require_capacity(EvaluationContext& context, double watts) {
  if (context.design.thermal.module_capacity_j_per_k.value) return;
  context.require(
      {"module_capacity." + context.device.id,
       fmt::format("heat capacity of a module with its {}",
                   context.design.liquid ? "cold plate" : "heat sink"),
       fmt::format("{:.0f} J/K for each second without flow that 10 K of head-room must bridge",
                   bridging_capacity_j_per_k(watts, 1, 10)),
       "module maker", "seconds to throttling when flow stops; temperatures are upper bounds",
       false});
}

/// Full clocks need a rise that the cooling cannot give: the power that it can, and what the clocks
/// that go with it leave of the speed.
void add_remedy(EvaluationContext& context, Limit& limit, double allowed_k, double k_per_w,
                double watts) {
  const double held = std::floor(std::max(0.0, allowed_k) / k_per_w);
  const double idle = context.device.idle_w.value.value_or(0);
  if (held <= idle) return;
  limit.remedy = fmt::format("GPUs at {:.0f} W stay under it", held);
  if (context.options.cap_response) {
    limit.remedy += fmt::format(", at {:.0f} % of their speed",
                                100 * context.options.cap_response->speed(held, watts, idle));
  }
  limit.remedied_margin = margin_of(held * k_per_w, allowed_k);
}

/// W of one GPU over windows of the trace at SLO capacity, replica at phase zero.
std::vector<double> gpu_means(const EvaluationContext& context, double window_s) {
  if (!context.demand) return {};
  const profiler::Trace& trace = context.demand->capacity.trace;
  if (!(context.demand->capacity.load_factor > 0) || !(trace.end_s > 0) || trace.slices.empty() ||
      context.out.placement.replicas < 1) {
    return {};
  }
  return superposed_means(CyclicEnergy(profiler::power_timeline(trace)), {0.0}, window_s);
}

/// One module on its resistance, throttled where its limit is known: temperatures at window ends
/// and what the job loses.
struct ModuleRun {
  std::vector<double> celsius;  ///< ends of 1 s
  ThermalReplay replay;
};

ModuleRun run_module(const EvaluationContext& context, double k_per_w, double j_per_k) {
  ThermalNetwork network;
  const int module = network.add_node("module", j_per_k);
  const int inlet = network.add_boundary("inlet");
  network.conduct(module, inlet, 1 / k_per_w);
  const auto watts = gpu_means(context, kTemperatureWindow);
  ThermalLoad load{{{0}, {}}, {{module, 1.0}}};
  for (const double w : watts) {
    load.watts.t.push_back(kTemperatureWindow * static_cast<double>(load.watts.t.size()));
    load.watts.w.push_back(w);
  }
  ReplaySettings settings;
  settings.step_s = kTemperatureWindow;
  if (const auto limit = module_limit(context); limit && context.options.cap_response) {
    settings.throttle = Throttle{.limit_c = limit->value,
                                 .idle_w = context.device.idle_w.value.value_or(0),
                                 .response = *context.options.cap_response};
  }
  ModuleRun run;
  const double start = module_inlet_c(context);
  run.replay =
      replay_thermal(network, {start, start}, load, settings, [&](const ReplayMoment& now) {
        if (now.time_s + 1e-9 >= static_cast<double>(run.celsius.size() + 1)) {
          run.celsius.push_back(now.solver->celsius(module));
        }
      });
  return run;
}

void add_slow_down(EvaluationContext& context, const ThermalReplay& replay) {
  if (!context.options.cap_response || !module_limit(context) || replay.work_s <= 0) return;
  context.add("transient.slow_down.slo_capacity", "Longer run time from throttling",
              exact(100 * (replay.elapsed_s / replay.work_s - 1), {"%", Origin::modelled, ""}),
              fmt::format("{:.0f} s of traffic", replay.work_s),
              "closed loop: watts, temperature, clocks, time");
}

}  // namespace

std::optional<ModuleResistance> module_resistance(const EvaluationContext& context) {
  const Fact& own = context.design.thermal.module_resistance_k_per_w;
  if (const auto estimate = fact_estimate(own, "K/W", "module input")) {
    return ModuleResistance{*estimate, own.source};
  }
  const Part* module = context.design.liquid ? nullptr : module_of(context);
  const auto rise = module ? first_estimate(*module, {"rise_over_inlet_k"}, "K") : std::nullopt;
  const auto at = module ? module->number("rise_power_w") : std::nullopt;
  if (!rise || !at) return std::nullopt;
  return ModuleResistance{scaled(*rise, 1 / *at, "K/W"), module->fact("rise_over_inlet_k").source};
}

std::optional<double> module_limit_c(const EvaluationContext& context) {
  const auto limit = module_limit(context);
  return limit ? std::optional(limit->value) : std::nullopt;
}

void evaluate_module_temperature(EvaluationContext& context) {
  const double watts = context.gpu_envelope_w > 0 ? context.gpu_envelope_w : context.power.tdp_w();
  if (watts <= 0) return;
  const double inlet = module_inlet_c(context);
  const auto resistance = module_resistance(context);
  const auto limit = module_limit(context);
  if (!limit) require_limit(context, inlet, watts, resistance);
  require_capacity(context, watts);
  if (!resistance || resistance->k_per_w.origin == Origin::assumed) {
    require_resistance(context, inlet, watts, limit);
  }
  if (!resistance) return;
  const ThermalLine line{inlet, resistance->k_per_w.value};
  Estimate rise = scaled(resistance->k_per_w, watts, "K");
  rise.origin = weakest(rise.origin, Origin::modelled);
  Estimate hot = rise;
  hot.value = line.celsius(watts);
  hot.low += inlet;
  hot.high += inlet;
  hot.unit = "degC";
  hot.boundary = "GPU reading";
  context.add(
      "transient.gpu_temperature.design_envelope", "GPU temperature, design envelope", hot,
      "steady",
      fmt::format("{} + R P at {:.0f} W; R: {}", inlet_name(context), watts, resistance->basis));
  if (!limit) return;
  Limit judged = make_limit(
      {"transient.gpu_temperature", context.design.liquid ? "liquid" : "air",
       "GPU temperature against its throttle point"},
      rise, exact(limit->value - inlet, {"K", limit->origin, "GPU reading"}),
      fmt::format("{:.1f} degC at {:.0f} W, clocks fall at {:.0f} degC; as rise over the {:.0f} "
                  "degC {}",
                  hot.value, watts, limit->value, inlet, inlet_name(context)));
  if (judged.state == LimitState::violated) {
    add_remedy(context, judged, limit->value - inlet, resistance->k_per_w.value, watts);
  }
  context.out.limits.push_back(std::move(judged));
}

void describe_module_temperature(EvaluationContext& context) {
  const auto resistance = module_resistance(context);
  if (!resistance || gpu_means(context, 1.0).empty()) return;
  const ThermalLine line{module_inlet_c(context), resistance->k_per_w.value};
  const auto& capacity = context.design.thermal.module_capacity_j_per_k.value;
  std::vector<double> celsius;
  std::string note;
  if (capacity) {
    const ModuleRun run = run_module(context, line.resistance_k_per_w, *capacity);
    celsius = run.celsius;
    note = run.replay.throttled_s > 0 ? "modelled with thermal mass, throttled"
                                      : "modelled with thermal mass";
    add_slow_down(context, run.replay);
  } else {
    for (const double watts : gpu_means(context, 1.0)) celsius.push_back(line.celsius(watts));
    note = "upper bound: steady at 1 s means, the blank thermal mass lowers its peaks";
  }
  if (celsius.empty()) return;
  TimelineLane lane = lane_of(celsius, 1.0, 1.0);
  lane.label = "GPU temperature";
  lane.unit = "degC";
  lane.note = note;
  lane.window = "1 s";
  if (const auto limit = module_limit(context)) {
    lane.lines.push_back({"clocks fall", limit->value, true});
  }
  if (const Figure* hot = context.out.figures.find("transient.gpu_temperature.design_envelope")) {
    lane.lines.push_back({"design envelope", hot->estimate.value, false});
  }
  Estimate peak = exact(
      lane.peak, {"degC", weakest(resistance->k_per_w.origin, Origin::modelled), "GPU reading"});
  const double watts = (lane.peak - line.ambient_c) / line.resistance_k_per_w;
  peak.low = line.ambient_c + resistance->k_per_w.low * watts;
  peak.high = line.ambient_c + resistance->k_per_w.high * watts;
  context.add("transient.gpu_peak.slo_capacity", "GPU temperature, trace at SLO capacity, peak",
              peak, "1 s", note);
  context.out.timelines.push_back(std::move(lane));
}

}  // namespace rackwright::topology
