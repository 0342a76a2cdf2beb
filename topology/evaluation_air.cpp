#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "topology/evaluation_air_network.hpp"
#include "topology/evaluation_liquid.hpp"
#include "topology/part_facts.hpp"
#include "topology/thermal/air.hpp"

namespace rackwright::topology {

namespace {

/// Air through the slots whose air flow is published. All input of the rack becomes heat; the
/// published liquid fraction is of rack heat, so liquid and air add up to the AC input.
struct AirPath {
  double heat_w = 0;
  double heat_high_w = 0;    ///< with the heat that makers print above the highest power
  double flow_m3_per_s = 0;  ///< of slots whose air flow is published
  double heat_with_flow_w = 0;
  double flow_low = 0, flow_high = 0;
  Origin origin = Origin::catalogue;
};

AirPath air_path(const EvaluationContext& context) {
  AirPath path;
  const double air = 1 - context.liquid_fraction();
  path.heat_w = context.envelope.rack_ac_w * air;
  double over_power = 0;
  const auto& slots = context.power.slots();
  for (std::size_t i = 0; i < slots.size(); ++i) {
    if (!slots[i].part) continue;
    const auto heat = slots[i].part->number("heat_w");
    const auto most = max_power_of(*slots[i].part);
    if (heat && most) over_power += std::max(0.0, *heat - *most) * air;
    const auto flow = first_estimate(*slots[i].part, {"airflow_cfm"}, "CFM");
    if (!flow) continue;
    path.heat_with_flow_w += context.envelope.slot_w[i] * air;
    path.flow_m3_per_s += flow->value * cfm.si();
    path.flow_low += flow->low * cfm.si();
    path.flow_high += flow->high * cfm.si();
    path.origin = weakest(path.origin, flow->origin);
  }
  path.heat_high_w = path.heat_w * context.envelope_high + over_power;
  path.flow_low *= 1 - context.cable_blocked();
  return path;
}

/// Air at the inlet of the rack, at its altitude.
Air inlet_air(const EvaluationContext& context) {
  return air_at(Temperature::from_celsius(context.environment.air_inlet_c),
                context.design.environment.altitude_m * metre);
}

/// The lowest recommended inlet of the catalogue's air classes: the base that a rise to an allowed
/// inlet is counted from.
std::optional<double> recommended_min_c(const Catalog& catalog) {
  std::optional<double> lowest;
  for (const auto& [id, part] : catalog.parts()) {
    const auto value = part.number("recommended_min_c");
    if (value && (!lowest || *value < *lowest)) lowest = value;
  }
  return lowest;
}

void add_inlet_limit(EvaluationContext& context) {
  std::optional<double> allowed;
  std::string owner;
  for (const SlotPower& slot : context.power.slots()) {
    const auto limit = slot.part ? slot.part->number("inlet_max_c") : std::nullopt;
    if (!limit || (allowed && *allowed <= *limit)) continue;
    allowed = limit;
    owner = slot.part->name;
  }
  const auto base = recommended_min_c(context.catalog);
  const double inlet = context.environment.air_inlet_c;
  if (!allowed || !base || *allowed <= *base) {
    context.require({"inlet_max_c." + context.design.id, "highest allowed air inlet temperature",
                     fmt::format(">= {:.0f} degC, the inlet of this evaluation", inlet),
                     "system maker", "air limit, if below", false});
    return;
  }
  Limit limit = make_limit(
      {"air.inlet", "air", "Air inlet against the lowest allowed maximum", "none", ""},
      exact(inlet - *base, {"K", Origin::assumed, "rack air inlet"}),
      exact(*allowed - *base, {"K", Origin::catalogue, "rack air inlet"}),
      fmt::format("{:.1f} degC inlet, {} allows {:.1f} degC; both as rise over {:.0f} degC, the "
                  "lowest recommended inlet",
                  inlet, owner, *allowed, *base));
  if (limit.state == LimitState::violated) {
    limit.remedy = fmt::format("Supply air at {:.0f} degC or less", std::floor(*allowed - 1));
    limit.remedied_margin = margin_of(std::floor(*allowed - 1) - *base, *allowed - *base);
  }
  context.out.limits.push_back(std::move(limit));
}

void require_air_flow(EvaluationContext& context, double heat_w, const char* whose) {
  constexpr double kRise = 15;  // an example to scale from, not a limit
  const auto flow = air_flow_for_rise(Power::from_si(heat_w), kRise * kelvin, inlet_air(context));
  context.require({"airflow." + context.design.id, "air flow of the trays at full load",
                   fmt::format("{:.1f} m3/min carry {} ({}) at a rise of {:.0f} K, in proportion "
                               "for others",
                               flow.si() * 60, watts_text(heat_w), whose, kRise),
                   "system maker", "exhaust temperature and room air", false});
}

void add_air_figures(EvaluationContext& context, const AirPath& path) {
  const Air air = inlet_air(context);
  const auto rise = [&](double flow) {
    return air_temperature_rise(Power::from_si(path.heat_with_flow_w), VolumeFlow::from_si(flow),
                                air)
        .in(kelvin);
  };
  const Origin origin = weakest(path.origin, context.envelope_origin);
  context.add("air.flow", "Air flow through the rack",
              between(path.flow_low * 60, path.flow_m3_per_s * 60, path.flow_high * 60,
                      {"m3/min", path.origin, "rack air inlet"}),
              "steady",
              context.cable_blocked() > 0
                  ? fmt::format("sum of the parts' published air flow; low: all loss of pressure "
                                "behind cables that close {:.1f} % of the way, Q ~ 1 - blocked",
                                100 * context.cable_blocked())
                  : "sum of the parts' published air flow");
  Estimate warmed =
      exact(rise(path.flow_m3_per_s), {"K", weakest(origin, Origin::modelled), "rack air"});
  warmed.low = rise(path.flow_high) * context.envelope_low;
  warmed.high = rise(path.flow_low) * path.heat_high_w / path.heat_w;
  context.add("air.rise.design_envelope", "Air temperature rise, design envelope", warmed, "steady",
              "P / (rho cp Q), dry air at inlet temperature and altitude");
  Estimate outlet = warmed;
  for (double* value : {&outlet.value, &outlet.low, &outlet.high}) {
    *value += context.environment.air_inlet_c;
  }
  outlet.unit = "degC";
  context.add("air.outlet.design_envelope", "Air leaving the rack, design envelope", outlet,
              "steady", "inlet + rise");
  context.add("air.flow_per_power", "Air flow over heat to air",
              exact(path.flow_m3_per_s / cfm.si() / (path.heat_with_flow_w / 1e3),
                    {"CFM/kW", path.origin, "rack air inlet"}),
              "steady", "176 CFM/kW is 10 K at sea level");
}

void require_door(EvaluationContext& context, const Estimate& heat) {
  context.require({"rear_door." + context.design.id, "capacity of the rear door",
                   fmt::format(">= {}", watts_text(heat.high)), "door maker", "verdict, if below",
                   true});
}

void add_door_limit(EvaluationContext& context, LimitName name, const Estimate& heat,
                    const Estimate& capacity, const std::string& condition) {
  Limit limit = make_limit(std::move(name), heat, capacity,
                           fmt::format("{} of air heat against a door of {}",
                                       watts_text(heat.value), watts_text(capacity.value)));
  if (limit.state == LimitState::violated) {
    const double air = 1 - context.liquid_fraction();
    const auto cap = smallest_cap(
        context, [air](const RackPower& p) { return p.rack_ac_w * air; }, capacity.value);
    if (cap) {
      limit.remedy = fmt::format("Cap the rack at {:.0f} kW AC{} (GPU at {:.0f} W): {} margin",
                                 cap->rack_ac_w / 1e3, condition, std::floor(cap->gpu_w),
                                 percent_text(cap->margin));
      limit.remedied_margin = cap->margin;
    }
  }
  context.out.limits.push_back(std::move(limit));
}

/// Water of the door over the dew point of the room, by the door maker's own rule.
void add_door_dew_limit(EvaluationContext& context, const Part& door) {
  const auto guard = first_estimate(door, {"water_above_dew_point_min_k"}, "K", "door water");
  if (!guard) return;
  const double above = context.environment.fws_supply_c - context.environment.dew_point_c;
  Limit limit = make_limit(
      {"air.rear_door.condensation", "air", "Door water above the dew point"}, *guard,
      exact(above, {"K", Origin::assumed, "door water"}),
      fmt::format("water {:.1f} degC, dew point {:.1f} degC, {:.0f} K kept",
                  context.environment.fws_supply_c, context.environment.dew_point_c, guard->value));
  if (limit.state == LimitState::violated) {
    const double water = std::floor(context.environment.dew_point_c + guard->value) + 1;
    limit.remedy = fmt::format("Water at {:.0f} degC or more", water);
    limit.remedied_margin = margin_of(guard->value, water - context.environment.dew_point_c);
  }
  context.out.limits.push_back(std::move(limit));
}

void add_rear_door_limits(EvaluationContext& context, const Estimate& heat) {
  if (!context.design.rear_door) return;
  const Part* door = context.catalog.find(context.design.rear_door->part);
  const auto capacity =
      door ? first_estimate(*door, {"capacity_w"}, "W", "rack air") : std::nullopt;
  LimitName name{"air.rear_door", "air", "Rear door takes the rack's heat"};
  if (!capacity) {
    require_door(context, heat);
    context.out.limits.push_back(make_blank_limit(std::move(name), heat, "capacity blank"));
    return;
  }
  // The band of a door is what it is sold for: its upper end is the limit, not an uncertainty.
  add_door_limit(context, std::move(name), heat,
                 exact(capacity->value, {"W", capacity->origin, "rack air"}), "");
  add_door_dew_limit(context, *door);
  if (const auto left = first_estimate(*door, {"capacity_one_fan_lost_w"}, "W", "rack air")) {
    add_door_limit(
        context,
        {"air.rear_door.fan", "air", "Rear door with one fan lost", "fan", "one door fan", false},
        heat, *left, " when a door fan fails");
  } else {
    context.require({"rear_door_fan." + context.design.id,
                     "capacity of the rear door with one fan lost",
                     fmt::format(">= {}", watts_text(heat.value)), "door maker",
                     "what a failed door fan costs", false});
  }
  if (const auto fans = first_estimate(*door, {"fan_power_w"}, "W", "facility")) {
    context.add("power.rear_door_fans", "Fans of the rear door", *fans, "steady",
                "counted apart from rack AC input");
  }
}

void evaluate_rack_air(EvaluationContext& context) {
  add_inlet_limit(context);
  if (!context.has_envelope) {
    const double modules = context.power.tdp_w() * context.power.gpus();
    if (!context.design.liquid && modules > 0) require_air_flow(context, modules, "modules alone");
    return;
  }
  const AirPath path = air_path(context);
  Estimate heat = context.envelope_estimate(path.heat_w, "rack air");
  heat.high = std::max(heat.value, path.heat_high_w);
  context.add("air.heat.design_envelope", "Heat to air, design envelope", heat, "steady",
              context.design.liquid ? "rack AC input less the liquid fraction"
                                    : "all input becomes heat; high: heat printed by the maker");
  add_rear_door_limits(context, heat);
  if (path.flow_m3_per_s > 0) add_air_figures(context, path);
  if (path.heat_with_flow_w < 0.5 * path.heat_w) {
    require_air_flow(context, path.heat_w - path.heat_with_flow_w, "parts without air flow");
  }
}

}  // namespace

void evaluate_air(EvaluationContext& context) {
  evaluate_rack_air(context);
  if (context.has_envelope) evaluate_air_network(context);
  evaluate_air_trays(context);
}

}  // namespace rackwright::topology
