#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "topology/evaluation_liquid.hpp"
#include "topology/part_facts.hpp"
#include "topology/thermal/heat_exchanger.hpp"

namespace rackwright::topology {

namespace {

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
}

double capacity_flow(const LoopState& loop, double lpm) {
  return (loop.coolant->density * loop.coolant->specific_heat * (lpm * litre_per_minute)).si();
}

}  // namespace

double facility_capacity_flow(const EvaluationContext& context, double lpm) {
  const Part* water = context.catalog.find("water");
  const double flow =
      water ? coolant_properties(*water, context.environment.fws_supply_c).capacity_w_per_k(lpm)
            : 0;
  return flow > 0 ? flow : 4.17e6 * lpm / 60e3;
}

namespace {

/// Approach that one CDU needs for its share of the heat. Where the facility flow of the rating is
/// not published, both ends count: as much as the loop's, and without end.
std::optional<Estimate> needed_approach(const EvaluationContext& context, const LoopState& loop,
                                        const Part& cdu) {
  const LiquidLoop& design = *context.design.liquid;
  const auto rated = cdu.number("approach_k"), capacity = cdu.number("capacity_w");
  if (!rated || !capacity) return std::nullopt;
  const double heat = loop.heat_w * design.racks_per_cdu / design.cdus_installed;
  const auto rated_flow = cdu.number("secondary_flow_lpm");
  if (!rated_flow || !loop.coolant || loop.flow_lpm <= 0) {
    return exact(*rated * heat / *capacity, {"K", Origin::modelled, "CDU"});
  }
  const double at_rating = capacity_flow(loop, *rated_flow);
  const double now =
      capacity_flow(loop, loop.flow_lpm * design.racks_per_cdu / design.cdus_installed);
  const auto approach = [&](double facility) {
    return exchanger_approach_k({*capacity, *rated, at_rating, facility}, heat, now, facility);
  };
  if (const auto primary = cdu.number("primary_flow_lpm")) {
    return exact(approach(facility_capacity_flow(context, *primary)),
                 {"K", Origin::modelled, "CDU"});
  }
  constexpr double kWithoutEnd = 1e4;
  const double a = approach(at_rating), b = approach(at_rating * kWithoutEnd);
  return between(std::min(a, b), std::max(a, b), std::max(a, b), {"K", Origin::modelled, "CDU"});
}

}  // namespace

bool rejects_to_air(const Part& cdu) {
  return cdu.fact("place").text.find("liquid to air") != std::string::npos;
}

namespace {

void add_approach(EvaluationContext& context, const LoopState& loop, const Part& cdu) {
  const auto needed = needed_approach(context, loop, cdu);
  if (!needed) {
    context.require(
        {"cdu_approach." + context.design.id, "approach of the CDU over heat and flow",
         fmt::format("<= {:.1f} K at {} a rack", loop.supply_c - context.environment.fws_supply_c,
                     watts_text(loop.heat_w)),
         "CDU maker", "coldest TCS supply", false});
    return;
  }
  if (!std::isfinite(needed->value)) return;
  if (context.out.coolant) context.out.coolant->approach_k = needed->value;
  const bool air = rejects_to_air(cdu);
  const double cold = air ? context.environment.air_inlet_c : context.environment.fws_supply_c;
  const char* sink = air ? "room air" : "FWS";
  context.add(
      "liquid.approach", "Approach the CDU needs", *needed, "steady",
      cdu.number("primary_flow_lpm")
          ? "effectiveness-NTU from the rated point, UA with flow to the 0.8"
          : "effectiveness-NTU from the rated point; its FWS flow is not published: low for "
            "plenty of it, high for as much as the loop's");
  Limit limit = make_limit(
      {"liquid.approach", "liquid", fmt::format("CDU approach, {} to TCS supply", sink), "none",
       ""},
      *needed, exact(loop.supply_c - cold, {"K", Origin::assumed, "CDU"}),
      fmt::format("TCS supply {:.1f} degC over {} {:.1f} degC; {} K at rated heat and flow",
                  loop.supply_c, sink, cold, *cdu.number("approach_k")));
  if (limit.state == LimitState::violated) {
    const double colder = std::ceil(loop.supply_c - needed->value) - 1;
    limit.remedy = fmt::format("Supply {} at {:.0f} degC or less", sink, colder);
    limit.remedied_margin = margin_of(needed->value, loop.supply_c - colder);
  }
  context.out.limits.push_back(std::move(limit));
  if (air) {
    context.add("air.heat.sidecar", "Heat the sidecar gives to the room",
                context.envelope_estimate(loop.heat_w, "room air"), "steady",
                "liquid to air: all liquid heat");
  }
}

/// Facility water that takes the heat at the least: it cannot leave warmer than the coolant comes.
void require_facility_flow(EvaluationContext& context, const LoopState& loop, const Part& cdu) {
  if (rejects_to_air(cdu) || !loop.coolant || loop.flow_lpm <= 0) return;
  const double back = loop.supply_c + loop.heat_w / capacity_flow(loop, loop.flow_lpm);
  const double span = back - context.environment.fws_supply_c;
  if (span <= 0) return;
  const double lpm = loop.heat_w / span / facility_capacity_flow(context, 1);
  context.add("liquid.fws_flow_least", "Facility water a rack needs at the least",
              exact(lpm, {"l/min", Origin::modelled, "FWS"}), "steady",
              "P / (rho cp (TCS return - FWS supply)): leaves as warm as the coolant comes");
  if (cdu.number("primary_flow_lpm")) return;
  context.require({"cdu_primary_flow." + context.design.id, "facility flow and drop of the CDU",
                   fmt::format("> {:.0f} l/min a rack", lpm), "CDU maker",
                   "approach, facility pumps", false});
}

/// One pump lost: each that stays gives at least its part of the rated flow at the rated head.
void add_failed_pump(EvaluationContext& context, const LoopState& loop, const Part& cdu,
                     double head_kpa, double rated_lpm) {
  const LiquidLoop& design = *context.design.liquid;
  const double asked = loop.flow_lpm * design.racks_per_cdu / design.cdus_installed;
  const auto pumps = cdu.number("pump_count");
  if (!pumps) {
    context.require({"pump_count." + context.design.id,
                     "pumps of the CDU and the flow of all but one",
                     fmt::format(">= {:.0f} l/min at {:.0f} kPa with one lost", asked, head_kpa),
                     "CDU maker", "loss of a pump", false});
    return;
  }
  const CduRating rating = cdu_rating(cdu);
  const double left = cdu_flow_lpm(rating, head_kpa, 1).value_or(0);
  const std::string basis =
      rating.head ? fmt::format("pump curve at {:.0f} kPa, {:.0f} of {:.0f} pumps", head_kpa,
                                *pumps - 1, *pumps)
                  : fmt::format("{:.0f} of {:.0f} pumps, at least their part of {:.0f} l/min",
                                *pumps - 1, *pumps, rated_lpm);
  Limit limit = make_limit({"liquid.pump.one_lost", "liquid", "Flow of a CDU with one pump lost",
                            "pump", "one pump", false},
                           exact(asked, {"l/min", Origin::modelled, "TCS"}),
                           exact(left, {"l/min", Origin::catalogue, "TCS"}), basis);
  if (limit.state == LimitState::violated) {
    const double racks = std::floor(0.95 * left * design.cdus_installed / loop.flow_lpm);
    limit.remedy = racks >= 1
                       ? fmt::format("Put {:.0f} racks on the group instead of {:.3g}", racks,
                                     design.racks_per_cdu)
                       : fmt::format("Ask for {:.0f} l/min with one pump lost", std::ceil(asked));
    limit.remedied_margin = racks >= 1
                                ? margin_of(racks * loop.flow_lpm, left * design.cdus_installed)
                                : margin_of(asked, std::ceil(asked * 1.01));
  }
  context.out.limits.push_back(std::move(limit));
}

void add_pumps(EvaluationContext& context, const LoopState& loop, const Part& cdu) {
  const auto head = cdu.number("external_head_kpa"), rated = cdu.number("secondary_flow_lpm");
  if (loop.flow_lpm <= 0) return;
  if (!head || !rated) {
    context.require({"pump_curve." + context.design.id, "external head of the CDU over flow",
                     fmt::format("{:.0f} l/min a rack at {}", loop.flow_lpm,
                                 loop.drop ? fmt::format("{:.0f} kPa or more",
                                                         loop.drop->drop_kpa(loop.flow_lpm))
                                           : std::string("a drop that is blank")),
                     "CDU maker", "flow of the racks", false});
    return;
  }
  add_failed_pump(context, loop, cdu, *head, *rated);
}

/// Input of the CDUs where they run; the published maximum where the pumps' point is blank.
void add_pump_power(EvaluationContext& context, const LoopState& loop, const Part& cdu) {
  const LiquidLoop& design = *context.design.liquid;
  const CduRating rating = cdu_rating(cdu);
  if (!rating.input_w) return;
  const double flow = loop.flow_lpm * design.racks_per_cdu / design.cdus_installed;
  const double drop =
      loop.drop ? loop.drop->drop_kpa(loop.flow_lpm) / (1 - loop.outside_share) : 0.0;
  const auto input = cdu_input_w(rating, flow, drop);
  const double value = input.value_or(*rating.input_w);
  const double hydraulic = std::min(value, flow * drop / 60);  // never under Q dp itself
  const std::string basis =
      input ? fmt::format(
                  "Q dp over {:.0f} %, as at the published point; low: Q dp, high: "
                  "published maximum",
                  *rating.flow_lpm * *rating.head_kpa / 60 / *rating.input_w * 100)
            : "published maximum: flow, head or drop is blank";
  const double scale = design.cdus_installed / design.racks_per_cdu;
  context.add("liquid.pump_power", "Input of the CDUs at this flow, share of one rack",
              between(hydraulic * scale, value * scale, *rating.input_w * scale,
                      {"W", Origin::modelled, "CDU input"}),
              "steady", basis);
  context.add("liquid.pump_power_unit", "Input of one CDU at this flow",
              between(hydraulic, value, *rating.input_w, {"W", Origin::modelled, "CDU input"}),
              "steady", "electrical load of one CDU, all its pumps on");
}

}  // namespace

void evaluate_cdu(EvaluationContext& context, const LoopState& loop) {
  add_cdu_limits(context, loop);
  const Part* cdu = context.catalog.find(context.design.liquid->cdu);
  if (!cdu) return;
  add_approach(context, loop, *cdu);
  add_pumps(context, loop, *cdu);
  add_pump_power(context, loop, *cdu);
  require_facility_flow(context, loop, *cdu);
}

}  // namespace rackwright::topology
