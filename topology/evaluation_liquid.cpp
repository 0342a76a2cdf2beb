#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "topology/evaluation_context.hpp"
#include "topology/part_facts.hpp"
#include "topology/thermal/liquid.hpp"

namespace rackwright::topology {

namespace {

/// What the loop does in the design envelope.
struct LoopState {
  double heat_w = 0;
  double supply_c = 0;
  double flow_lpm = 0;
  std::string flow_basis;
  Origin flow_origin = Origin::catalogue;
  std::optional<ReturnLimitLaw> law;
  std::optional<DropLaw> drop;
  std::optional<Coolant> coolant;
};

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
  if (!drops.empty()) loop.drop = fit_drop(drops);
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

void add_condensation_limit(EvaluationContext& context, double supply_c) {
  // Margin a supply keeps over the dew point, as door and cold-plate makers state it.
  double guard_k = 2;
  for (const auto& [id, part] : context.catalog.parts()) {
    if (const auto value = part.number("water_above_dew_point_min_k")) guard_k = *value;
  }
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

/// Flow that the racks of a CDU group ask for against what the CDUs deliver.
void add_cdu_flow(EvaluationContext& context, const LoopState& loop, const Part& cdu) {
  const LiquidLoop& design = *context.design.liquid;
  const auto flow = first_estimate(cdu, {"secondary_flow_lpm"}, "l/min", "TCS");
  if (!flow || loop.flow_lpm <= 0) return;
  const Estimate load = exact(loop.flow_lpm * design.racks_per_cdu,
                              {"l/min", weakest(loop.flow_origin, Origin::modelled), "TCS"});
  const auto add = [&](int in_service, LimitName name) {
    Limit limit =
        make_limit(std::move(name), load, scaled(*flow, in_service, "l/min"),
                   fmt::format("{:.3g} racks of {:.0f} l/min on {} x {:.0f} l/min",
                               design.racks_per_cdu, loop.flow_lpm, in_service, flow->value));
    const double fewer = std::floor(0.95 * in_service * flow->value / loop.flow_lpm);
    if (limit.state != LimitState::met && fewer >= 1) {
      limit.remedied_margin = margin_of(loop.flow_lpm * fewer, in_service * flow->value);
      limit.remedy = fmt::format("Put {:.0f} racks on it instead of {:.3g}: {} margin", fewer,
                                 design.racks_per_cdu, percent_text(*limit.remedied_margin));
    }
    context.out.limits.push_back(std::move(limit));
  };
  add(design.cdus_installed, {"liquid.cdu_flow", "liquid", "Flow of the CDUs in service"});
  if (design.cdus_installed < 2) return;
  add(design.cdus_installed - 1,
      {"liquid.cdu_flow.one_lost", "liquid", "Flow of the CDUs with one lost", "CDU", "one CDU"});
}

/// CDU capacity for the racks it serves, all in service and with one lost.
void add_cdu_limits(EvaluationContext& context, const LoopState& loop) {
  const LiquidLoop& design = *context.design.liquid;
  const Part* cdu = context.catalog.find(design.cdu);
  const auto capacity = cdu ? first_estimate(*cdu, {"capacity_w"}, "W", "TCS") : std::nullopt;
  if (!capacity) {
    context.require({"cdu_capacity." + context.design.id, "heat that the CDU takes",
                     fmt::format(">= {} per rack", watts_text(loop.heat_w)), "CDU maker",
                     "verdict, if below", true});
    return;
  }
  add_cdu_flow(context, loop, *cdu);
  const double racks = std::max(design.racks_per_cdu, 1e-9);
  const Estimate load = scaled(context.envelope_estimate(loop.heat_w, "TCS"), racks, "W");
  const auto add = [&](int in_service, const std::string& unit, bool promised) {
    LimitName name{unit == "none" ? "liquid.cdu" : "liquid.cdu.one_lost",
                   "liquid",
                   unit == "none" ? fmt::format("CDU capacity for {:.3g} racks", racks)
                   : design.cdus_installed == 1 ? "Loss of the only CDU"
                                                : "CDU capacity with one CDU lost",
                   unit,
                   unit == "none" ? "" : "one CDU",
                   promised};
    Limit limit =
        make_limit(std::move(name), load, scaled(*capacity, in_service, "W"),
                   fmt::format("{:.0f} racks of {} on {} x {} at its rated approach", racks,
                               watts_text(loop.heat_w), in_service, watts_text(capacity->value)));
    if (limit.state == LimitState::violated || limit.state == LimitState::near) {
      const double fewer = std::floor(0.95 * in_service * capacity->value / loop.heat_w);
      if (fewer >= 1) {
        limit.remedied_margin = margin_of(loop.heat_w * fewer, in_service * capacity->value);
        limit.remedy = fmt::format("Put {:.0f} racks on it instead of {:.0f}: {} margin", fewer,
                                   racks, percent_text(*limit.remedied_margin));
      } else {
        const double needed = std::floor(load.value / capacity->value) + 1;
        limit.remedied_margin = margin_of(load.value, needed * capacity->value);
        limit.remedy = fmt::format("Keep {:.0f} CDUs in service: {} margin", needed,
                                   percent_text(*limit.remedied_margin));
      }
    }
    context.out.limits.push_back(std::move(limit));
  };
  add(design.cdus_installed, "none", true);
  add(design.cdus_installed - 1, "CDU", design.cdus_installed > 1);
  const auto approach = cdu->number("approach_k");
  if (approach) {
    const double needed = cdu_approach(*approach * kelvin, Power::from_si(load.value),
                                       Power::from_si(capacity->value * design.cdus_installed))
                              .in(kelvin);
    const double available = loop.supply_c - context.environment.fws_supply_c;
    Limit limit =
        make_limit({"liquid.approach", "liquid", "CDU approach, FWS to TCS supply", "none", ""},
                   exact(needed, {"K", Origin::modelled, "CDU"}),
                   exact(available, {"K", Origin::assumed, "CDU"}),
                   fmt::format("TCS supply {:.1f} degC over FWS {:.1f} degC; {:.1f} K at rated "
                               "heat, in proportion below it",
                               loop.supply_c, context.environment.fws_supply_c, *approach));
    if (limit.state == LimitState::violated) {
      const double fws = std::ceil(loop.supply_c - needed) - 1;
      limit.remedy = fmt::format("Supply FWS at {:.0f} degC or less", fws);
      limit.remedied_margin = margin_of(needed, loop.supply_c - fws);
    }
    context.out.limits.push_back(std::move(limit));
  }
  if (const auto power = first_estimate(*cdu, {"max_power_w", "power_w"}, "W", "facility")) {
    context.add("power.cdu_share", "CDU input, share of one rack",
                scaled(*power, design.cdus_installed / racks, "W"), "steady",
                "counted apart from rack AC input");
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
              "a Q + b Q^2 through the published points");
  const Part* cdu = context.catalog.find(design.cdu);
  const auto head = cdu ? first_estimate(*cdu, {"external_head_kpa"}, "kPa", "TCS") : std::nullopt;
  if (head) {
    context.out.limits.push_back(make_limit(
        {"liquid.head", "liquid", "Rack pressure drop against the CDU's external head", "none", ""},
        exact(drop, {"kPa", Origin::modelled, "TCS"}), *head,
        "rack only: row pipes and filters are not in this design"));
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
  add_cdu_limits(context, loop);
  add_drop(context, loop);
  add_condensation_limit(context, loop.supply_c);
}

}  // namespace rackwright::topology
