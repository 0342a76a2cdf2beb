#include <algorithm>
#include <cmath>
#include <map>

#include <fmt/format.h>

#include "topology/evaluation_air_network.hpp"
#include "topology/evaluation_liquid.hpp"
#include "topology/part_facts.hpp"
#include "topology/thermal/air.hpp"
#include "topology/thermal/air_network.hpp"

namespace rackwright::topology {

namespace {

/// Half-widths of an intake temperature from any room model, by where the rack stands. A judgement
/// from one row of four racks computed three ways; not validated.
double intake_width_k(const AirSide& air) {
  if (air.contained) return 1;
  return air.row_end ? 3 : 2;
}

Air air_here(const EvaluationContext& context) {
  return air_at(Temperature::from_celsius(context.environment.air_inlet_c),
                context.design.environment.altitude_m * metre);
}

void add_recirculation(EvaluationContext& context) {
  const Figure* rise = context.out.figures.find("air.rise.design_envelope");
  const Figure* flow = context.out.figures.find("air.flow");
  if (!rise || !flow) return;
  const AirSide& air = context.design.air;
  if (!air.supply_over_demand.value) {
    context.require(
        {"air_supply." + context.design.id, "cold air that the room supplies to the rack",
         fmt::format(">= {:.0f} m3/min; at 80 % of it hot air comes back and the intake "
                     "rises by {:.1f} K on average when mixed perfectly",
                     flow->estimate.value, recirculation_bound_k(rise->estimate.value, 0.8)),
         "site", "intake temperature", false});
    return;
  }
  const double supply = *air.supply_over_demand.value;
  const double value = recirculation_bound_k(rise->estimate.value, supply);
  context.add("air.recirculation_bound", "Mean intake rise by recirculation, bound",
              between(0, value, recirculation_bound_k(rise->estimate.high, supply),
                      {"K", Origin::modelled, "rack air inlet"}),
              "steady", "perfect mixing: dT max(0, demand / supply - 1); 0 when nothing mixes");
}

/// Intake of each unit with air flow, where the layout gives the shares of each other's exhaust.
void add_intakes(EvaluationContext& context) {
  const AirSide& side = context.design.air;
  double warmest = context.environment.air_inlet_c;
  std::string basis = "room air at the rack";
  if (!side.recirculation.empty()) {
    const auto& slots = context.power.slots();
    std::vector<double> rises;
    for (std::size_t i = 0; i < slots.size(); ++i) {
      const auto flow = slots[i].part ? airflow_cfm_of(*slots[i].part) : std::nullopt;
      if (!flow || *flow <= 0) continue;
      rises.push_back(air_temperature_rise(Power::from_si(context.envelope.slot_w[i] *
                                                          (1 - context.liquid_fraction())),
                                           *flow * cfm, air_here(context))
                          .in(kelvin));
    }
    if (rises.size() != side.recirculation.size()) {
      context.out.notes.push_back(fmt::format(
          "The recirculation matrix has {} rows, {} slots have a published air flow: it "
          "is left out.",
          side.recirculation.size(), rises.size()));
    } else {
      const auto intakes = mixed_intakes_c(side.recirculation, rises, warmest);
      warmest = *std::max_element(intakes.begin(), intakes.end());
      basis = "recirculation matrix of the layout, warmest unit";
    }
  }
  const double width = intake_width_k(side);
  context.add("air.intake.design_envelope", "Air at the warmest intake",
              between(warmest - width, warmest, warmest + width,
                      {"degC", Origin::modelled, "tray air inlet"}),
              "steady",
              basis + fmt::format("; width ±{:.0f} K is a judgement{}, not validated", width,
                                  side.row_end ? " for an open row end" : ""));
}

/// Classes of ASHRAE TC9.9 that allow this inlet, and its recommended range.
void add_classes(EvaluationContext& context) {
  const double inlet = context.environment.air_inlet_c;
  std::string allowed;
  std::optional<double> recommended, base;
  for (const auto& [id, part] : context.catalog.parts()) {
    if (part.kind != "environment_class") continue;
    const auto most = part.number("allowable_max_c"), least = part.number("allowable_min_c");
    if (most && least && inlet >= *least && inlet <= *most) {
      allowed += (allowed.empty() ? "" : ", ") + part.name;
    }
    const auto high = part.number("recommended_max_c"), low = part.number("recommended_min_c");
    if (high && low && (!recommended || *high > *recommended)) {
      recommended = high;
      base = low;
    }
  }
  if (!allowed.empty()) {
    context.out.notes.push_back(
        fmt::format("Air at {:.1f} degC is allowed in: {}.", inlet, allowed));
  }
  if (!recommended || !base || *recommended <= *base) return;
  Limit limit = make_limit(
      {"air.recommended", "air", "Air inlet against the recommended range", "none", "", false},
      exact(inlet - *base, {"K", Origin::assumed, "rack air inlet"}),
      exact(*recommended - *base, {"K", Origin::catalogue, "rack air inlet"}),
      fmt::format(
          "{:.1f} degC inlet, {:.1f} to {:.1f} degC recommended; as rise over the lower end", inlet,
          *base, *recommended));
  if (limit.state == LimitState::violated) {
    limit.remedy = fmt::format("Supply air at {:.0f} degC or less", std::floor(*recommended) - 1);
    limit.remedied_margin = margin_of(std::floor(*recommended) - 1 - *base, *recommended - *base);
  }
  context.out.limits.push_back(std::move(limit));
}

/// Exponent of power over speed between a fan's own duties, else the one it states.
double power_exponent(const Part& fan) {
  return fan.number("power_speed_exponent_factor").value_or(1.56);
}

/// Pressure behind the first slot of a part.
double out_pa(const EvaluationContext& context, const Part& part, double flow) {
  for (const Slot& slot : context.design.slots) {
    if (slot.part == part.id) return way_out_pa(context, slot, flow);
  }
  return 0;
}

/// A tray's fans must move at least `flow`: what free delivery says about speed and power, and the
/// curve that is wanted.
void require_fans(EvaluationContext& context, const Part& tray, double flow, int trays) {
  if (rack_air(context)) return;
  const double per_cfm = 1 / cfm.si();
  const auto count = tray.number("fan_count");
  const Part* fan = context.catalog.find(tray.fact("fan_part").text);
  const double free_flow = fan ? fan->number("max_airflow_cfm").value_or(0) : 0;
  const std::string behind = fmt::format(" and {:.1f} Pa behind it", out_pa(context, tray, flow));
  std::string solved =
      fmt::format("{:.0f} CFM at the tray's own impedance{}", flow * per_cfm, behind);
  if (count && *count > 1) {
    const double each = flow * per_cfm / *count;
    solved = fmt::format(
        "{:.1f} CFM from each of {:.0f} fans, {:.1f} CFM with one lost and flapped; "
        "pressure there >= the tray's{}",
        each, *count, flow * per_cfm / (*count - 1), behind);
    const double power = fan ? fan->number("power_w").value_or(0) : 0;
    if (power > 0 && each < free_flow) {
      const double speed = std::max(each / free_flow, least_fan_speed(*fan));
      const double least =
          FanPower{power, power_exponent(*fan), {}}.at(each * cfm.si(), speed) * *count;
      const double most = power * *count;
      context.add("air.fan_power." + tray.id, "Fans of one " + tray.name,
                  between(least, least, most, {"W", Origin::assumed, "tray"}), "steady",
                  fmt::format("{:.0f} fans of the size class of {}: at least {:.0f} % speed (free "
                              "delivery), power to the {:.2f}; high: full speed",
                              *count, fan->name, speed * 100, power_exponent(*fan)));
      context.add(
          "air.fan_power_rack." + tray.id, fmt::format("Fans of {} trays", trays),
          between(least * trays, least * trays, most * trays, {"W", Origin::assumed, "tray"}),
          "steady", "inside the trays' power");
    }
  }
  context.require({"fan_curve." + tray.id, "fan curve and impedance of " + tray.name, solved,
                   "system maker", "air flow of the tray, failed fan, fan power", false});
}

/// Air side of trays with cold plates: what optics, drives, NICs and memory give off must leave
/// below what the most sensitive of them bears.
void add_liquid_trays(EvaluationContext& context) {
  const LiquidHeat heat = liquid_heat(context, context.envelope);
  const auto limit = coolest_air_part(context.catalog);
  const double inlet = context.environment.air_inlet_c;
  std::map<std::string, std::pair<double, int>> by_part;
  const auto& slots = context.power.slots();
  for (std::size_t i = 0; i < slots.size(); ++i) {
    if (!slots[i].part || airflow_cfm_of(*slots[i].part)) continue;
    auto& [watts, count] = by_part[slots[i].part->id];
    watts = std::max(watts, context.envelope.slot_w[i] - heat.slot_w[i]);
    ++count;
  }
  for (const auto& [id, tray] : by_part) {
    const auto [watts, count] = tray;
    const Part& part = *context.catalog.find(id);
    if (watts < 1) continue;
    context.add("air.heat_tray." + id, "Heat to air of one " + part.name,
                context.envelope_estimate(watts, "tray air"), "steady",
                "tray input less what its cold plates take");
    if (!limit || limit->first <= inlet) continue;
    const double flow =
        air_flow_for_rise(Power::from_si(watts), (limit->first - inlet) * kelvin, air_here(context))
            .si();
    context.require(
        {"airflow." + id, "air flow of " + part.name,
         fmt::format(">= {:.0f} CFM for {}: air leaves at {:.0f} degC, the lowest limit of "
                     "its parts in the air ({}); drives, DPU and memory print none",
                     flow / cfm.si(), watts_text(watts), limit->first,
                     limit->second == "nic" ? "NIC" : "optics"),
         "system maker", "optics, NVMe, DPU, DIMM temperatures", false});
    require_fans(context, part, flow, count);
  }
}

/// The module of this rack's device.
const Part* module_of(const EvaluationContext& context) {
  for (const auto& [id, part] : context.catalog.parts()) {
    if (part.kind == "gpu_module" && part.fact("device").text == context.device.id) return &part;
  }
  return nullptr;
}

void add_module_temperature(EvaluationContext& context) {
  const Part* module = module_of(context);
  if (!module) return;
  const double inlet = context.environment.air_inlet_c, watts = context.gpu_envelope_w;
  const auto rise = module->number("rise_over_inlet_k"), at = module->number("rise_power_w");
  const auto most = module->number("operating_max_c");
  if (!rise || !at) {
    context.require(
        {"sink_resistance." + context.device.id,
         "thermal resistance of the GPU heat sink over air flow, highest GPU temperature",
         most ? fmt::format("<= {:.4f} K/W at {:.0f} W and {:.0f} degC inlet",
                            (*most - inlet) / watts, watts, inlet)
              : fmt::format("<= (T_max - {:.0f} degC) / {:.0f} W: {:.4f} K/W for each 10 K "
                            "of room",
                            inlet, watts, 10 / watts),
         "system maker", "GPU temperature, throttling", false});
    return;
  }
  constexpr double kRiseError = 0.12;  // fans and ducts leave the flow past a GPU that uncertain
  const double first = *rise * watts / *at;
  const double width = intake_width_k(context.design.air);
  const auto add = [&](const char* key, const char* label, double over, const std::string& basis) {
    context.add(key, label,
                between(inlet + over * (1 - kRiseError) - width, inlet + over,
                        inlet + over * (1 + kRiseError) + width, {"degC", Origin::modelled, "GPU"}),
                "steady", basis);
  };
  add("air.gpu.design_envelope", "GPU with fresh air", first,
      fmt::format(
          "inlet + {:.0f} K at {:.0f} W in proportion; measured on one node, its fan speed is "
          "not known",
          *rise, *at));
  if (const auto behind = module->number("downstream_slot_rise_k")) {
    add("air.gpu_downstream.design_envelope", "GPU behind another one", first + *behind,
        fmt::format("{:.1f} K over its neighbour, as measured under serving load", *behind));
  }
  if (most) return;
  context.require(
      {"gpu_limit." + context.device.id, "highest GPU temperature without throttling",
       fmt::format(">= {:.0f} degC",
                   inlet + first + module->number("downstream_slot_rise_k").value_or(0)),
       "module maker", "throttling in the design envelope", false});
}

void add_load_cases(EvaluationContext& context) {
  const Figure* rise = context.out.figures.find("air.rise.design_envelope");
  for (const LoadCase c : kLoadCases) {
    if (c == LoadCase::design_envelope) continue;
    const std::string key(key_of(c));
    const Figure* ac = context.out.figures.find("power.rack_ac." + key);
    if (!ac) continue;
    Estimate heat = scaled(ac->estimate, 1 - context.liquid_fraction(), "W");
    heat.boundary = "rack air";
    context.add("air.heat." + key, fmt::format("Heat to air, {}", to_string(c)), heat, ac->window,
                "rack AC input less the liquid fraction");
    if (!rise || context.envelope.rack_ac_w <= 0) continue;
    Estimate outlet =
        scaled(ac->estimate, rise->estimate.value / context.envelope.rack_ac_w, "degC");
    for (double* value : {&outlet.value, &outlet.low, &outlet.high}) {
      *value += context.environment.air_inlet_c;
    }
    outlet.boundary = "rack air";
    outlet.origin = weakest(outlet.origin, Origin::modelled);
    context.add("air.outlet." + key, fmt::format("Air leaving the rack, {}", to_string(c)), outlet,
                ac->window, "at the published air flow; fans that slow down with load let it rise");
  }
}

/// Nodes that move their published air: what one lost fan leaves.
void require_node_fans(EvaluationContext& context) {
  if (rack_air(context)) return;
  std::map<std::string, double> nodes;
  for (const SlotPower& slot : context.power.slots()) {
    const auto flow = slot.part ? airflow_cfm_of(*slot.part) : std::nullopt;
    if (flow && *flow > 0) nodes[slot.part->id] = *flow;
  }
  for (const auto& [id, flow] : nodes) {
    const Part& node = *context.catalog.find(id);
    const auto count = node.number("fan_count");
    context.require(
        {"fan_curve." + id, "fan curve, impedance and number of fans of " + node.name,
         count ? fmt::format("{:.0f} CFM at {:.1f} Pa behind the node with one of {:.0f} fans lost",
                             flow, out_pa(context, node, flow * cfm.si()), *count)
               : fmt::format(
                     "{:.0f} CFM at {:.1f} Pa behind the node with one fan lost; each 10 % of "
                     "flow that is lost warms the exhaust by a ninth of its rise",
                     flow, out_pa(context, node, flow * cfm.si())),
         "system maker", "failed fan, fan power", false});
  }
}

}  // namespace

std::optional<std::pair<double, std::string>> coolest_air_part(const Catalog& catalog) {
  std::optional<std::pair<double, std::string>> found;
  for (const auto& [id, part] : catalog.parts()) {
    if (part.kind != "nic" && part.kind != "transceiver") continue;
    const auto most = part.number("operating_max_c");
    if (most && (!found || *most < found->first)) found = {*most, part.kind};
  }
  return found;
}

void evaluate_air_trays(EvaluationContext& context) {
  add_classes(context);
  if (!context.has_envelope) return;
  add_recirculation(context);
  add_intakes(context);
  if (context.design.liquid) {
    add_liquid_trays(context);
  } else {
    add_module_temperature(context);
  }
  require_node_fans(context);
  add_load_cases(context);
}

}  // namespace rackwright::topology
