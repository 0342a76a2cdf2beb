#include <algorithm>
#include <cmath>
#include <numbers>

#include <fmt/format.h>

#include "topology/evaluation_liquid.hpp"
#include "topology/part_facts.hpp"

namespace rackwright::topology {

namespace {

std::optional<Coolant> coolant_of(const EvaluationContext& context, double temperature_c) {
  const Part* part = context.catalog.find(context.design.liquid->coolant);
  if (!part) return std::nullopt;
  const auto table = coolant_table(*part);
  if (table.empty()) return std::nullopt;
  return coolant_at(table, Temperature::from_celsius(temperature_c));
}

/// Name and source of the coolant's properties: editions differ.
std::string coolant_source(const EvaluationContext& context) {
  const Part* part = context.catalog.find(context.design.liquid->coolant);
  if (!part) return "coolant blank";
  for (const auto& [key, fact] : part->facts) {
    if (key.rfind("specific_heat", 0) == 0 && !fact.blank()) return part->name + ", " + fact.source;
  }
  return part->name;
}

void fit_published(LoopState& loop, const LiquidLoop& design) {
  std::vector<RequiredFlow> flows;
  std::vector<DropPoint> drops;
  for (const FlowPoint& point : design.required) {
    if (point.flow_lpm > 0 && point.supply_c > 0) flows.push_back({point.supply_c, point.flow_lpm});
    if (point.flow_lpm > 0 && point.drop_kpa > 0) drops.push_back({point.flow_lpm, point.drop_kpa});
  }
  if (flows.size() >= 2) loop.law = fit_return_limit(flows);
  if (!drops.empty()) {
    loop.drop = fit_drop(drops);
  } else if (design.tray_drop_kpa.value && design.flow_max_lpm.value) {
    loop.drop = fit_drop({{*design.flow_max_lpm.value, *design.tray_drop_kpa.value}});
    loop.drop_of_trays = true;
  }
}

/// Operating flow: what the user sets; the published requirement at this supply; what keeps the
/// return limit; the published maximum.
void choose_flow(EvaluationContext& context, LoopState& loop) {
  const LiquidLoop& design = *context.design.liquid;
  if (context.options.tcs_flow_lpm) {
    loop.flow_lpm = *context.options.tcs_flow_lpm;
    loop.flow_basis = "as set";
    loop.flow_origin = Origin::assumed;
    return;
  }
  if (loop.law && std::isfinite(loop.law->flow_lpm(loop.supply_c))) {
    loop.flow_lpm = loop.law->flow_lpm(loop.supply_c);
    loop.flow_basis = "published requirement at this supply temperature";
    loop.flow_origin = Origin::modelled;
    return;
  }
  if (design.flow_max_lpm.value) {
    loop.flow_lpm = *design.flow_max_lpm.value;
    loop.flow_basis = "published maximum";
    return;
  }
  if (design.return_max_c.value && loop.coolant && *design.return_max_c.value > loop.supply_c) {
    loop.flow_lpm =
        liquid_flow_for_rise(Power::from_si(loop.heat_w),
                             (*design.return_max_c.value - loop.supply_c) * kelvin, *loop.coolant)
            .in(litre_per_minute);
    loop.flow_basis = "least flow that keeps the return limit";
    loop.flow_origin = Origin::modelled;
  }
}

/// Margin that wetted surfaces keep over the dew point, as door makers state it.
double dew_guard_k(const Catalog& catalog) {
  double guard_k = 2;
  for (const auto& [id, part] : catalog.parts()) {
    if (const auto value = part.number("water_above_dew_point_min_k")) guard_k = *value;
  }
  return guard_k;
}

/// The coldest wetted surface in the room is the facility pipe of a CDU that stands there. Pipes
/// can be lagged, a cold plate cannot: a finding, not a broken promise.
void add_facility_condensation(EvaluationContext& context) {
  const Part* cdu = context.catalog.find(context.design.liquid->cdu);
  const std::string place = cdu ? cdu->fact("place").text : "";
  if (place.rfind("in-", 0) != 0) return;
  const double guard_k = dew_guard_k(context.catalog);
  const double fws = context.environment.fws_supply_c;
  Limit limit = make_limit(
      {"liquid.condensation.fws", "liquid",
       fmt::format("Facility pipes of the {} CDU above the dew point", place), "none", "", false},
      exact(guard_k, {"K", Origin::catalogue, "FWS supply"}),
      exact(fws - context.environment.dew_point_c, {"K", Origin::assumed, "FWS supply"}),
      fmt::format("FWS {:.1f} degC, dew point {:.1f} degC, {:.0f} K kept; the "
                  "coldest wetted surface of the room",
                  fws, context.environment.dew_point_c, guard_k));
  if (limit.state == LimitState::violated) {
    const double supply = std::floor(context.environment.dew_point_c + guard_k) + 1;
    limit.remedy = fmt::format("Lag the facility pipes, or supply FWS at {:.0f} degC", supply);
    limit.remedied_margin = margin_of(guard_k, supply - context.environment.dew_point_c);
  }
  context.out.limits.push_back(std::move(limit));
}

void add_condensation_limit(EvaluationContext& context, double supply_c) {
  const double guard_k = dew_guard_k(context.catalog);
  const double above = supply_c - context.environment.dew_point_c;
  Limit limit =
      make_limit({"liquid.condensation", "liquid", "Supply above the dew point", "none", ""},
                 exact(guard_k, {"K", Origin::catalogue, "TCS supply"}),
                 exact(above, {"K", Origin::assumed, "TCS supply"}),
                 fmt::format("supply {:.1f} degC, dew point {:.1f} degC, {:.0f} K kept", supply_c,
                             context.environment.dew_point_c, guard_k));
  if (limit.state == LimitState::violated) {
    const double supply = std::floor(context.environment.dew_point_c + guard_k) + 1;
    limit.remedy = fmt::format("Supply at {:.0f} degC or more", supply);
    limit.remedied_margin = margin_of(guard_k, supply - context.environment.dew_point_c);
  }
  context.out.limits.push_back(std::move(limit));
}

/// Highest supply the rack accepts. Both as rise over the dew point, the lowest supply there can
/// be.
void add_supply_limit(EvaluationContext& context, double supply_c) {
  const auto most = fact_estimate(context.design.liquid->supply_max_c, "degC", "TCS supply");
  const double base = context.environment.dew_point_c;
  if (!most || most->value <= base) return;
  Limit limit = make_limit({"liquid.supply", "liquid", "TCS supply temperature"},
                           exact(supply_c - base, {"K", Origin::assumed, "TCS supply"}),
                           exact(most->value - base, {"K", most->origin, "TCS supply"}),
                           fmt::format("{:.1f} degC set, {:.1f} degC allowed; both as rise over "
                                       "the dew point of {:.1f} degC",
                                       supply_c, most->value, base));
  if (limit.state == LimitState::violated) {
    const double lower = std::ceil(most->value) - 1;
    limit.remedy = fmt::format("Supply at {:.0f} degC or less, {:.0f} K lower", lower,
                               std::ceil(supply_c - lower));
    limit.remedied_margin = margin_of(lower - base, most->value - base);
  }
  context.out.limits.push_back(std::move(limit));
}

/// No published flow and no limit to solve it from: what a rise of 10 K takes.
void require_flow(EvaluationContext& context, const LoopState& loop) {
  if (!loop.coolant) return;
  constexpr double kRise = 10;
  const double flow =
      liquid_flow_for_rise(Power::from_si(loop.heat_w), kRise * kelvin, *loop.coolant)
          .in(litre_per_minute);
  context.require({"coolant_flow." + context.design.id,
                   "coolant flow of the rack against supply temperature",
                   fmt::format("{:.0f} l/min carry {} at a rise of {:.0f} K, half of it at twice "
                               "the rise",
                               flow, watts_text(loop.heat_w), kRise),
                   "rack maker", "CDU choice and return temperature", false});
}

/// What the published table asks for, else what keeps the published return limit.
std::optional<double> needed_flow_lpm(const EvaluationContext& context, const LoopState& loop) {
  if (loop.law && loop.supply_c < loop.law->return_c) return loop.law->flow_lpm(loop.supply_c);
  const auto& most = context.design.liquid->return_max_c.value;
  if (!most || !loop.coolant || *most <= loop.supply_c) return std::nullopt;
  return liquid_flow_for_rise(Power::from_si(loop.heat_w), (*most - loop.supply_c) * kelvin,
                              *loop.coolant)
      .in(litre_per_minute);
}

void add_flow_limits(EvaluationContext& context, const LoopState& loop) {
  const LiquidLoop& design = *context.design.liquid;
  if (const auto most = fact_estimate(design.flow_max_lpm, "l/min", "TCS")) {
    if (const auto needed = needed_flow_lpm(context, loop)) {
      context.out.limits.push_back(
          make_limit({"liquid.flow", "liquid", "Coolant flow the rack needs"},
                     exact(*needed, {"l/min", Origin::modelled, "TCS"}), *most,
                     fmt::format("{:.0f} l/min needed at {:.1f} degC supply, {:.0f} l/min allowed",
                                 *needed, loop.supply_c, most->value)));
    }
  }
  if (loop.law && context.options.tcs_flow_lpm) {
    const double needed = loop.law->flow_lpm(loop.supply_c);
    Limit limit =
        make_limit({"liquid.required_flow", "liquid", "Set flow against the published requirement",
                    "none", ""},
                   exact(needed, {"l/min", Origin::modelled, "TCS"}),
                   exact(loop.flow_lpm, {"l/min", Origin::assumed, "TCS"}),
                   fmt::format("{:.0f} l/min needed at {:.1f} degC supply", needed, loop.supply_c));
    if (limit.state == LimitState::violated) {
      limit.remedy = fmt::format("Set {:.0f} l/min", std::ceil(needed * 1.01));
      limit.remedied_margin = margin_of(needed, std::ceil(needed * 1.01));
    }
    context.out.limits.push_back(std::move(limit));
  }
}

void add_return(EvaluationContext& context, const LoopState& loop) {
  if (!loop.coolant || loop.flow_lpm <= 0) return;
  const LiquidLoop& design = *context.design.liquid;
  const double rise = liquid_temperature_rise(Power::from_si(loop.heat_w),
                                              loop.flow_lpm * litre_per_minute, *loop.coolant)
                          .in(kelvin);
  Estimate warmed = exact(rise, {"K", weakest(Origin::modelled, context.envelope_origin), "TCS"});
  warmed.low = rise * context.envelope_low;
  warmed.high = rise * context.envelope_high;
  context.add("liquid.rise.design_envelope", "Coolant temperature rise, design envelope", warmed,
              "steady", "P / (rho cp Q), " + coolant_source(context));
  Estimate returned = warmed;
  for (double* value : {&returned.value, &returned.low, &returned.high}) *value += loop.supply_c;
  returned.unit = "degC";
  context.add("liquid.return.design_envelope", "Coolant return, design envelope", returned,
              "steady", "supply + rise");
  const auto most = fact_estimate(design.return_max_c, "degC", "TCS");
  if (!most || most->value <= loop.supply_c) return;
  Limit limit = make_limit({"liquid.return", "liquid", "Coolant return temperature", "none", ""},
                           warmed, exact(most->value - loop.supply_c, {"K", most->origin, "TCS"}),
                           fmt::format("return {:.1f} degC, {:.0f} degC allowed; as rise over the "
                                       "{:.1f} degC supply",
                                       returned.value, most->value, loop.supply_c));
  if (limit.state == LimitState::violated) {
    const double flow = liquid_flow_for_rise(Power::from_si(loop.heat_w),
                                             (most->value - loop.supply_c) * kelvin, *loop.coolant)
                            .in(litre_per_minute);
    limit.remedy = fmt::format("Raise the flow to {:.0f} l/min", std::ceil(flow));
    limit.remedied_margin = 1 - flow / std::ceil(flow);
  }
  context.out.limits.push_back(std::move(limit));
}

/// Share of the loop's published drop that is outside the rack.
double outside_share(const EvaluationContext& context) {
  const Part* part = context.catalog.find(context.design.liquid->drop_shares);
  if (!part) return 0;
  double sum = 0, outside = 0;
  for (const auto& [key, fact] : part->facts) {
    if (!key.ends_with("_share_pct") || !fact.value) continue;
    sum += *fact.value;
    if (key == "loop_pipes_share_pct" || key == "equipment_share_pct") outside += *fact.value;
  }
  return sum > 0 ? outside / sum : 0;
}

/// Velocity in the rack's connection. No maker prints a limit.
void add_velocity(EvaluationContext& context, const LoopState& loop) {
  const auto bore = fact_estimate(context.design.liquid->connection_mm, "mm", "TCS");
  if (loop.flow_lpm <= 0) return;
  const double flow = loop.flow_lpm / 60e3;
  const auto bore_at = [&](double v) { return 2e3 * std::sqrt(flow / (v * std::numbers::pi)); };
  const std::string bores = fmt::format(
      "at {:.0f} l/min a bore of {:.0f} mm holds 1.5 m/s, {:.0f} mm "
      "2.5 m/s",
      loop.flow_lpm, std::ceil(bore_at(1.5)), std::ceil(bore_at(2.5)));
  if (!bore) {
    context.require({"connection_bore." + context.design.id,
                     "bore of the rack's connection and its velocity limit", bores, "rack maker",
                     "erosion, noise, pressure drop", false});
    return;
  }
  const double speed = 4 * flow / (std::numbers::pi * bore->value * bore->value * 1e-6);
  context.add("liquid.connection_velocity", "Coolant velocity in the rack's connection",
              exact(speed, {"m/s", Origin::modelled, "TCS"}), "steady",
              fmt::format("Q / A, one connection of {:.1f} mm", bore->value));
  context.require({"velocity_limit." + context.design.id, "velocity limit of the rack's connection",
                   fmt::format(">= {:.1f} m/s; {}", speed, bores), "rack maker",
                   "erosion, noise, pressure drop", false});
}

/// Supply and return of the other load cases at the same flow and valves.
void add_load_cases(EvaluationContext& context, const LoopState& loop) {
  for (const LoadCase c : kLoadCases) {
    if (c == LoadCase::design_envelope) continue;
    const std::string key(key_of(c));
    const Figure* ac = context.out.figures.find("power.rack_ac." + key);
    if (!ac) continue;
    Estimate heat = scaled(ac->estimate, context.liquid_fraction(), "W");
    heat.boundary = "TCS";
    context.add("liquid.heat." + key, fmt::format("Heat to liquid, {}", to_string(c)), heat,
                ac->window, "rack AC input x published liquid fraction");
    if (!loop.coolant || loop.flow_lpm <= 0) continue;
    const double per_watt =
        liquid_temperature_rise(Power::from_si(1), loop.flow_lpm * litre_per_minute, *loop.coolant)
            .in(kelvin);
    Estimate back = scaled(heat, per_watt, "degC");
    for (double* value : {&back.value, &back.low, &back.high}) *value += loop.supply_c;
    back.origin = weakest(back.origin, Origin::modelled);
    context.add("liquid.return." + key, fmt::format("Coolant return, {}", to_string(c)), back,
                ac->window, "supply + P / (rho cp Q) at the flow of the envelope");
  }
}

void add_drop(EvaluationContext& context, const LoopState& loop) {
  const LiquidLoop& design = *context.design.liquid;
  if (loop.flow_lpm <= 0) return;
  if (!loop.drop) {
    context.require({"pressure_drop." + context.design.id, "pressure drop of the rack over flow",
                     fmt::format("needs a point at {:.0f} l/min", loop.flow_lpm), "rack maker",
                     "pump head and CDU choice", false});
    return;
  }
  const double drop = loop.drop->drop_kpa(loop.flow_lpm);
  context.add("liquid.drop.design_envelope", "Pressure drop of the rack",
              exact(drop, {"kPa", Origin::modelled, "TCS"}), "steady",
              loop.drop_of_trays
                  ? "the published drop of a tray with its quick disconnects, with Q^2"
                  : "a Q + b Q^2 through the published points");
  const double whole = drop / (1 - loop.outside_share);
  if (loop.outside_share > 0) {
    context.add("liquid.drop.loop", "Pressure drop of the loop, row pipes and filters with it",
                exact(whole, {"kPa", Origin::modelled, "TCS"}), "steady",
                fmt::format("{:.1f} % of the loop are outside the rack, as published for an NVL72",
                            loop.outside_share * 100));
  }
  const Part* cdu = context.catalog.find(design.cdu);
  const auto head = cdu ? first_estimate(*cdu, {"external_head_kpa"}, "kPa", "TCS") : std::nullopt;
  if (head) {
    context.out.limits.push_back(make_limit(
        {"liquid.head", "liquid", "Pressure drop against the CDU's external head", "none", ""},
        exact(whole, {"kPa", Origin::modelled, "TCS"}), *head,
        loop.outside_share > 0 ? "rack, and the published share of row pipes and filters"
                               : "rack only: row pipes and filters are not in this design"));
  }
  if (const auto most = fact_estimate(design.working_pressure_bar, "bar", "TCS")) {
    context.out.limits.push_back(
        make_limit({"liquid.pressure", "liquid", "Pressure at the rack inlet over its return"},
                   exact(drop, {"kPa", Origin::modelled, "TCS"}), scaled(*most, 100, "kPa"),
                   "working pressure of the loop; static fill pressure comes on top"));
  }
}

}  // namespace

void evaluate_liquid(EvaluationContext& context) {
  if (!context.design.liquid || !context.has_envelope) return;
  LoopState loop;
  loop.heat_w = context.envelope.rack_ac_w * context.liquid_fraction();
  loop.supply_c = context.environment.tcs_supply_c;
  fit_published(loop, *context.design.liquid);
  loop.coolant = coolant_of(context, loop.supply_c);
  loop.outside_share = outside_share(context);
  choose_flow(context, loop);
  if (loop.flow_lpm > 0) context.liquid_flow_lpm = loop.flow_lpm;
  context.add("liquid.heat.design_envelope", "Heat to liquid, design envelope",
              context.envelope_estimate(loop.heat_w, "TCS"), "steady",
              "rack AC input x published liquid fraction");
  if (!context.design.liquid->liquid_fraction.value) {
    context.require({"liquid_fraction." + context.design.id, "share of heat that goes to liquid",
                     "needs a figure from the rack maker", "rack maker", "flow and air heat",
                     true});
  }
  if (loop.flow_lpm > 0) {
    context.add("liquid.flow", "Coolant flow of the rack",
                exact(loop.flow_lpm, {"l/min", loop.flow_origin, "TCS"}), "steady",
                loop.flow_basis);
  }
  add_supply_limit(context, loop.supply_c);
  add_flow_limits(context, loop);
  if (loop.flow_lpm <= 0) require_flow(context, loop);
  add_return(context, loop);
  add_drop(context, loop);
  add_velocity(context, loop);
  evaluate_coolant_loop(context, loop);
  context.out.failures.model.liquid = liquid_plant(context, loop);
  evaluate_cdu(context, loop);
  add_condensation_limit(context, loop.supply_c);
  add_facility_condensation(context);
  add_load_cases(context, loop);
}

}  // namespace rackwright::topology
