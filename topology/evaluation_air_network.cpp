#include "topology/evaluation_air_network.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <numeric>
#include <utility>

#include <fmt/format.h>

#include "topology/evaluation_liquid.hpp"
#include "topology/part_facts.hpp"

namespace rackwright::topology {

namespace {

/// Facts `PREFIX80cfm` of a part: flow in m3/s with the value there, by rising flow.
std::vector<std::pair<double, double>> over_flow(const Part& part, const std::string& prefix) {
  std::vector<std::pair<double, double>> points;
  for (const auto& [key, fact] : part.facts) {
    if (key.rfind(prefix, 0) != 0 || !fact.value || !key.ends_with("cfm")) continue;
    points.emplace_back(std::strtod(key.c_str() + prefix.size(), nullptr) * cfm.si(), *fact.value);
  }
  std::sort(points.begin(), points.end());
  return points;
}

/// dp = a q + b q^2 through the points of a resistance.
std::optional<FlowResistance> resistance_of(const Part& part, const std::string& prefix) {
  std::vector<DropPoint> rows;
  for (const auto& [flow, pressure_pa] : over_flow(part, prefix)) {
    if (flow > 0) rows.push_back({flow, pressure_pa});
  }
  if (rows.empty()) return std::nullopt;
  const DropLaw law = fit_drop(rows);  // the fit knows no units
  return FlowResistance{law.linear_kpa_per_lpm, law.square_kpa_per_lpm2, 2};
}

double discharge(const EvaluationContext& context) {
  const Part* rule = context.catalog.find("sharp-opening");
  return rule ? rule->number("discharge_factor").value_or(1) : 1.0;
}

Air air_of_rack(const EvaluationContext& context) {
  return air_at(Temperature::from_celsius(context.environment.air_inlet_c),
                context.design.environment.altitude_m * metre);
}

FlowResistance opening(const EvaluationContext& context, const Fact& area_mm2) {
  if (!(area_mm2.value.value_or(0) > 0)) return {};
  return orifice(*area_mm2.value * 1e-6, discharge(context), air_of_rack(context).density.si());
}

/// The way out behind a slot: the opening of the frame over its height.
FlowResistance way_out(const EvaluationContext& context, const Slot& slot) {
  const Envelope& envelope = context.design.envelope;
  const double width_mm = envelope.opening_mm > 0 ? envelope.opening_mm : envelope.width_mm;
  const double area = width_mm * slot.height * pitch_mm(envelope.pitch) * 1e-6;
  if (!(area > 0)) return {};
  return orifice(area, 1.0, air_of_rack(context).density.si());
}

/// Curve of a fan at the density of this altitude: pressure goes with it.
std::shared_ptr<const PressureCurve> fan_curve(const EvaluationContext& context, const Part& fan) {
  std::vector<CurvePoint> points;
  const double share = air_of_rack(context).density.si() / Air{}.density.si();
  for (const auto& [flow, pressure_pa] : over_flow(fan, "static_pressure_pa_at_")) {
    points.push_back({flow, pressure_pa * share});
  }
  if (points.size() < 2) return nullptr;
  return std::make_shared<const PressureCurve>(std::move(points));
}

/// Power of a fan at the density of this altitude: shaft power goes with it.
FanPower fan_power(const EvaluationContext& context, const Part& fan) {
  FanPower power{fan.number("power_w").value_or(0),
                 fan.number("power_speed_exponent_factor").value_or(3),
                 over_flow(fan, "power_w_at_")};
  const double share = air_of_rack(context).density.si() / Air{}.density.si();
  for (auto& [flow, watts] : power.over_flow) watts *= share;
  return power;
}

std::optional<TrayAir> tray_air(const EvaluationContext& context, const Slot& slot,
                                const Part& part) {
  const Part* fan = context.catalog.find(part.fact("fan_part").text);
  const auto inside = resistance_of(part, "impedance_pa_at_");
  const double count = part.number("fan_count").value_or(0);
  if (fan == nullptr || !inside || count < 1) return std::nullopt;
  TrayAir tray;
  tray.slot = slot.id;
  tray.fans.curve = fan_curve(context, *fan);
  if (!tray.fans.curve) return std::nullopt;
  tray.fans.fans = static_cast<int>(count);
  tray.fans.power = fan_power(context, *fan);
  tray.fans.least_speed = least_fan_speed(*fan);
  tray.fans.flap = part.fact("back_draught_flap").text == "yes";
  tray.fans.stopped = resistance_of(*fan, "stopped_pa_at_").value_or(FlowResistance{});
  tray.inside = *inside;
  tray.outlet = way_out(context, slot);
  tray.cable_blocked = context.cable_blocked();
  return tray;
}

double sum(const std::vector<double>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0);
}

const char* power_basis(const FanPower& power) {
  return power.over_flow.empty()
             ? "published power at full speed, to the exponent of the maker's duties"
             : "published power over flow at each fan's own operating point, s^3 P(q / s)";
}

void add_network_figures(EvaluationContext& context, const RackAir& rack) {
  const RackAirState all = solve_rack_air(rack);
  const double flow = sum(all.tray_m3_per_s);
  const auto add = [&](const char* key, const char* label, double value, const char* unit,
                       const char* boundary, std::string basis) {
    context.add(std::string("air.network.") + key, label,
                exact(value, {unit, Origin::modelled, boundary}), "steady", std::move(basis));
  };
  add("flow", "Air through the trays, fans at full speed", flow * 60, "m3/min", "rack air",
      fmt::format("fan curves against impedance, doors and {:.0f} % of the way out behind cables",
                  context.cable_blocked() * 100));
  add("leak", "Air that leaks back to the intakes", all.leak_m3_per_s * 60, "m3/min", "rack air",
      "pressure behind the trays over the leak area");
  add("fan_power", "Fans at full speed", sum(all.fan_power_w), "W", "tray",
      power_basis(rack.trays.front().fans.power));
  const double heat = context.envelope.rack_ac_w * (1 - context.liquid_fraction());
  const double share = flow > 0 ? std::max(0.0, all.leak_m3_per_s) / flow : 0.0;
  const auto air = rack_air_temperatures(heat, flow, share, context.environment.air_inlet_c,
                                         air_of_rack(context));
  add("intake", "Air at the intakes, leak mixed in", air.intake_c, "degC", "tray air inlet",
      "room air and leaked exhaust");
  add("exhaust", "Air leaving the rack by the network", air.exhaust_c, "degC", "rack air",
      "P / (rho cp Q), design envelope");
}

/// Speed and power of the fans where each load case needs them.
void add_fan_speeds(EvaluationContext& context, const RackAir& rack) {
  for (const LoadCase c : kLoadCases) {
    const auto& power = c == LoadCase::design_envelope
                            ? std::optional(context.envelope)
                            : context.case_power[static_cast<std::size_t>(c)];
    if (!power) continue;
    const RackAir set = with_speeds_for(rack, air_needs(context, rack, *power));
    const RackAirState state = solve_rack_air(set);
    double fastest = 0;
    for (const TrayAir& tray : set.trays) fastest = std::max(fastest, tray.fans.speed);
    const std::string key(key_of(c));
    const std::string name(to_string(c));
    context.add("air.network.fan_speed." + key, "Speed of the fastest fans, " + name,
                exact(fastest * 100, {"%", Origin::modelled, "tray"}), "steady",
                "of full speed: each tray gets the air it needs on its own system curve");
    context.add("air.network.fan_power." + key, "Fans at those speeds, " + name,
                exact(sum(state.fan_power_w), {"W", Origin::modelled, "tray"}), "steady",
                power_basis(rack.trays.front().fans.power));
  }
}

/// Published flow through doors, past cables and gaps.
void add_published_flow(EvaluationContext& context) {
  double flow = 0, out_pa = 0;
  const double density = air_of_rack(context).density.si();
  for (const SlotPower& slot : context.power.slots()) {
    const double own = slot.part ? airflow_cfm_of(*slot.part).value_or(0) * cfm.si() : 0.0;
    const Slot* at = context.design.slot(slot.slot);
    if (!(own > 0) || at == nullptr) continue;
    flow += own;
    out_pa = std::max(out_pa, way_out_pa(context, *at, own));
  }
  if (!(flow > 0)) return;
  context.add("air.way_out_drop", "Pressure lost behind the fullest node, cables in the way",
              exact(out_pa, {"Pa", Origin::modelled, "rack air"}), "steady",
              fmt::format("rho / 2 (Q / A)^2 over the frame's opening, {:.0f} % behind cables; the "
                          "node's fans must have it to spare",
                          context.cable_blocked() * 100));
  const AirSide& side = context.design.air;
  const double doors = opening(context, side.front_door_area_mm2).drop_pa(flow) +
                       opening(context, side.rear_door_area_mm2).drop_pa(flow);
  if (!(doors > 0)) {
    context.require(
        {"door_area." + context.design.id, "free area of the rack's doors and its leaks",
         fmt::format("{:.0f} cm2 of free area in each door lose 10 Pa at {:.0f} m3/min; "
                     "none is needed where the rack has no doors",
                     flow / (discharge(context) * std::sqrt(2 * 10 / density)) * 1e4, flow * 60),
         "rack maker", "leak of exhaust to the intakes", false});
    return;
  }
  context.add("air.door_drop", "Pressure lost in the doors at the published flow",
              exact(doors, {"Pa", Origin::modelled, "rack air"}), "steady",
              "rho / 2 (Q / (Cd A))^2 of both doors");
  const double velocity = discharge(context) * std::sqrt(2 * doors / density);
  const double leak_m2 = side.leak_area_mm2.value.value_or(0) * 1e-6;
  const double share = std::min(leak_m2 * velocity / flow, 0.99);
  const double heat = context.envelope.rack_ac_w * (1 - context.liquid_fraction());
  const auto air = rack_air_temperatures(heat, flow, share, context.environment.air_inlet_c,
                                         air_of_rack(context));
  if (side.leak_area_mm2.value) {
    context.add("air.leak_share", "Share of the intake that leaks back from the exhaust",
                exact(share, {"1", Origin::modelled, "rack air"}), "steady",
                "leak area at the pressure that the doors lose");
    context.add("air.leak_intake", "Air at the intakes, leak mixed in",
                exact(air.intake_c, {"degC", Origin::modelled, "tray air inlet"}), "steady",
                "room air and leaked exhaust");
    return;
  }
  const double rise = heat / (density * air_of_rack(context).specific_heat.si() * flow);
  context.require({"leak_area." + context.design.id, "open area from the hot to the cold side",
                   fmt::format("<= {:.0f} cm2 keeps the intake within 1 K of the room",
                               flow / velocity / (rise + 1) * 1e4),
                   "rack maker", "leak of exhaust to the intakes", false});
}

}  // namespace

double way_out_pa(const EvaluationContext& context, const Slot& slot, double flow_m3_per_s) {
  const double open = 1 - context.cable_blocked();
  return way_out(context, slot).drop_pa(flow_m3_per_s) / (open * open);
}

std::optional<RackAir> rack_air(const EvaluationContext& context) {
  RackAir rack;
  for (const SlotPower& power : context.power.slots()) {
    const Slot* slot = context.design.slot(power.slot);
    if (slot == nullptr || power.part == nullptr) return std::nullopt;
    auto tray = tray_air(context, *slot, *power.part);
    if (!tray) return std::nullopt;
    rack.trays.push_back(std::move(*tray));
  }
  if (rack.trays.empty()) return std::nullopt;
  rack.front_door = opening(context, context.design.air.front_door_area_mm2);
  rack.rear_door = opening(context, context.design.air.rear_door_area_mm2);
  rack.leak = opening(context, context.design.air.leak_area_mm2);
  return rack;
}

double least_fan_speed(const Part& fan) {
  const auto full = fan.number("speed_rpm");
  double least = 1;
  for (const auto& [key, fact] : fan.facts) {
    if (key.rfind("speed_rpm_at_", 0) != 0 || !fact.value || !full) continue;
    least = std::min(least, *fact.value / *full);
  }
  return least < 1 ? least : 0;
}

std::vector<double> air_needs(const EvaluationContext& context, const RackAir& rack,
                              const RackPower& power) {
  const auto to_air = [&](const RackPower& at) {
    std::vector<double> watts = at.slot_w;
    if (!context.design.liquid) return watts;
    const LiquidHeat heat = liquid_heat(context, at);
    for (std::size_t i = 0; i < heat.slot_w.size(); ++i) watts[i] -= heat.slot_w[i];
    return watts;
  };
  const std::vector<double> watts = to_air(power), envelope = to_air(context.envelope);
  const auto part = context.design.liquid ? coolest_air_part(context.catalog) : std::nullopt;
  const double room_k = part ? part->first - context.environment.air_inlet_c : 0;
  const std::vector<double> full = solve_rack_air(rack).tray_m3_per_s;
  std::vector<double> needs;
  for (std::size_t i = 0; i < rack.trays.size(); ++i) {
    const auto published = airflow_cfm_of(*context.power.slots()[i].part);
    const double most = published ? *published * cfm.si() : full[i];
    needs.push_back(room_k > 0 ? air_flow_for_rise(Power::from_si(watts[i]), room_k * kelvin,
                                                   air_of_rack(context))
                                     .si()
                               : most * (envelope[i] > 0 ? watts[i] / envelope[i] : 1.0));
  }
  return needs;
}

bool knows_lost_fan(const FanBank& fans) {
  return fans.flap || fans.stopped.linear_pa_s_per_m3 > 0 || fans.stopped.power_coefficient > 0;
}

void evaluate_air_network(EvaluationContext& context) {
  if (const auto rack = rack_air(context)) {
    add_network_figures(context, *rack);
    add_fan_speeds(context, *rack);
    if (!std::all_of(rack->trays.begin(), rack->trays.end(),
                     [](const TrayAir& tray) { return knows_lost_fan(tray.fans); })) {
      context.require({"stopped_fan." + context.design.id,
                       "resistance of a fan that stands still, or a back-draught flap",
                       "needs a point of pressure over flow backwards, or the word that there is a "
                       "flap",
                       "fan maker", "flow with one fan lost", false});
    }
  } else {
    add_published_flow(context);
  }
}

}  // namespace rackwright::topology
