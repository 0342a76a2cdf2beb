#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "topology/evaluation_context.hpp"
#include "topology/evaluation_transient.hpp"
#include "topology/part_facts.hpp"
#include "topology/thermal/air.hpp"
#include "topology/thermal/liquid.hpp"
#include "topology/thermal/transient/ride_through.hpp"
#include "topology/thermal/transient/thermal_replay.hpp"

namespace rackwright::topology {

namespace {

// Reference amounts that the warming rates are printed for; they scale in inverse proportion.
constexpr double kRackLitres = 10, kLoopLitres = 1000, kRoomCubicMetres = 100;

/// J/K of one litre of the loop's coolant at its supply temperature; nothing without its table.
std::optional<double> joules_per_litre_k(const EvaluationContext& context) {
  const Part* part = context.catalog.find(context.design.liquid->coolant);
  if (!part) return std::nullopt;
  const auto table = coolant_table(*part);
  if (table.empty()) return std::nullopt;
  const Coolant coolant =
      coolant_at(table, Temperature::from_celsius(context.environment.tcs_supply_c));
  return coolant.density.si() * coolant.specific_heat.si() * 1e-3;
}

void add_rate(EvaluationContext& context, const char* key, std::string label, double k_per_s,
              std::string boundary, std::string basis) {
  Estimate rate = exact(
      k_per_s, {"K/s", weakest(Origin::modelled, context.envelope_origin), std::move(boundary)});
  rate.low = k_per_s * context.envelope_low;
  rate.high = k_per_s * context.envelope_high;
  context.add(key, std::move(label), rate, "steady load", std::move(basis));
}

Limit gap_limit(LimitName name, const CoolingGap& gap, double seconds) {
  return make_limit(std::move(name), exact(gap.seconds, {"s", gap.origin, ""}),
                    exact(seconds, {"s", Origin::modelled, ""}),
                    fmt::format("{:.1f} s against {:.0f} s ({})", seconds, gap.seconds, gap.basis));
}

Limit blank_gap(LimitName name, const CoolingGap& gap, std::string cause) {
  return make_blank_limit(std::move(name), exact(gap.seconds, {"s", gap.origin, ""}),
                          std::move(cause));
}

/// Pumps lose their supply while the load goes on behind a UPS or battery: the coolant in the rack
/// takes up the heat. Masses of plates and modules come on top where they are known.
void pumps_stop(EvaluationContext& context, const CoolingGap& gap, double heat_w,
                double j_per_litre_k) {
  const ThermalFacts& facts = context.design.thermal;
  const auto& most = context.design.liquid->return_max_c.value;
  const Figure* returned = context.out.figures.find("liquid.return.design_envelope");
  LimitName name{"liquid.ride_through.pumps",
                 "liquid",
                 "Pumps stopped, load on: seconds to the return limit",
                 "feed",
                 "feed of the pumps",
                 false};
  const double modules = facts.module_capacity_j_per_k.value.value_or(0) * context.power.gpus();
  if (facts.rack_coolant_l.value && most && returned) {
    const double capacity = *facts.rack_coolant_l.value * j_per_litre_k + modules;
    const double rise = std::max(0.0, *most - returned->estimate.value);
    const double seconds = adiabatic_seconds(capacity, rise, heat_w);
    context.add("transient.seconds_without_flow", "Seconds from stopped pumps to the return limit",
                exact(seconds, {"s", Origin::modelled, "TCS"}), "",
                "C dT / P: coolant in the rack and known module masses, no flow");
    Limit limit = gap_limit(std::move(name), gap, seconds);
    if (limit.state == LimitState::violated) limit.remedy = "Put the pumps on UPS";
    context.out.limits.push_back(std::move(limit));
    return;
  }
  const double litre_kelvins = heat_w * gap.seconds / j_per_litre_k;
  std::string solved;
  if (most && returned && *most > returned->estimate.value) {
    const double rise = *most - returned->estimate.value;
    solved = fmt::format(
        ">= {:.0f} l in the rack bridge {:.0f} s from {:.1f} to {:.0f} degC "
        "return ({:.0f} kJ/K, plates and modules count); with less the pumps "
        "need UPS",
        std::ceil(litre_kelvins / rise), gap.seconds, returned->estimate.value, *most,
        bridging_capacity_j_per_k(heat_w, gap.seconds, rise) / 1e3);
  } else {
    solved = fmt::format(
        ">= {:.0f} l in the rack for each 10 K from the return to its limit "
        "bridge {:.0f} s (plates and modules count); with less the pumps need UPS",
        std::ceil(litre_kelvins / 10), gap.seconds);
  }
  context.require({"rack_coolant_l." + context.design.id, "coolant held in one rack", solved,
                   "rack maker", "whether the pumps need UPS", false});
  context.out.limits.push_back(blank_gap(
      std::move(name), gap,
      fmt::format("coolant volume of the rack blank; {} until power is back", gap.basis)));
}

/// The facility water stops, pumps and load go on: the loop warms as a whole.
void facility_stops(EvaluationContext& context, const CoolingGap& gap, double heat_w,
                    double j_per_litre_k) {
  const LiquidLoop& design = *context.design.liquid;
  const ThermalFacts& facts = context.design.thermal;
  const double supply = context.environment.tcs_supply_c;
  const double racks = std::max(design.racks_per_cdu, 1e-9);
  if (!design.supply_max_c.value) return;
  LimitName name{"liquid.ride_through.facility",
                 "liquid",
                 "Facility water stopped, pumps on: seconds to the highest supply",
                 "feed",
                 "feed of the facility water",
                 false};
  const double rise = *design.supply_max_c.value - supply;
  if (facts.loop_coolant_l.value && context.liquid_flow_lpm) {
    CoolantLoopMass loop;
    loop.heat_w = heat_w * racks;
    loop.flow_w_per_k = *context.liquid_flow_lpm / 60 * j_per_litre_k * racks;
    const double all = *facts.loop_coolant_l.value * j_per_litre_k;
    loop.racks_j_per_k =
        std::min(all, facts.rack_coolant_l.value.value_or(0) * racks * j_per_litre_k);
    loop.rest_j_per_k = all - loop.racks_j_per_k;
    constexpr double kLong = 3600;
    const double seconds =
        seconds_without_heat_sink(loop, supply, *design.supply_max_c.value, kLong).value_or(kLong);
    context.add("transient.seconds_without_facility",
                "Seconds from stopped facility water to the highest supply",
                exact(seconds, {"s", Origin::modelled, "TCS"}), "",
                "loop and racks well mixed, joined by the flow; at most an hour is followed");
    Limit limit = gap_limit(std::move(name), gap, seconds);
    if (limit.state == LimitState::violated) {
      limit.remedy = fmt::format(
          "Hold {:.0f} l in the loop, or keep the facility water on UPS",
          std::ceil(heat_w * racks * gap.seconds / j_per_litre_k / std::max(rise, 1e-9)));
    }
    context.out.limits.push_back(std::move(limit));
    return;
  }
  if (rise > 0) {
    context.require(
        {"loop_coolant_l." + context.design.id,
         "coolant held in the technology loop of a CDU group",
         fmt::format(">= {:.0f} l for {:.3g} racks bridge {:.0f} s from {:.0f} to {:.0f} "
                     "degC supply; with less the facility water needs UPS or a tank",
                     std::ceil(heat_w * racks * gap.seconds / j_per_litre_k / rise), racks,
                     gap.seconds, supply, *design.supply_max_c.value),
         "site", "ride-through of a facility outage", false});
  }
  context.out.limits.push_back(blank_gap(std::move(name), gap, "coolant volume of the loop blank"));
}

void liquid_ride_through(EvaluationContext& context, const CoolingGap& gap) {
  const auto per_litre = joules_per_litre_k(context);
  const double heat_w = context.envelope.rack_ac_w * context.liquid_fraction();
  if (!per_litre || heat_w <= 0) return;
  const double racks = std::max(context.design.liquid->racks_per_cdu, 1e-9);
  add_rate(context, "transient.no_flow_rate",
           fmt::format("Coolant warming once pumps stop, for {:.0f} l in the rack", kRackLitres),
           heat_w / (kRackLitres * *per_litre), "TCS", "P / (rho cp V), in proportion to 1 / V");
  add_rate(context, "transient.no_facility_rate",
           fmt::format("Supply warming once facility water stops, for {:.0f} l in the loop of "
                       "{:.3g} racks",
                       kLoopLitres, racks),
           heat_w * racks / (kLoopLitres * *per_litre), "TCS",
           "P / (rho cp V), in proportion to 1 / V");
  pumps_stop(context, gap, heat_w, *per_litre);
  facility_stops(context, gap, heat_w, *per_litre);
}

/// The lowest allowed inlet maximum of the parts.
std::optional<double> inlet_max_c(const EvaluationContext& context) {
  std::optional<double> lowest;
  for (const SlotPower& slot : context.power.slots()) {
    const auto most = slot.part ? slot.part->number("inlet_max_c") : std::nullopt;
    if (most && (!lowest || *most < *lowest)) lowest = most;
  }
  return lowest;
}

/// Room units or the rear door stop, fans and load go on: the air of the room takes up the heat.
/// Walls and floor warm too, so the air alone is the worst case.
void air_ride_through(EvaluationContext& context, const CoolingGap& gap) {
  const double heat_w = context.envelope.rack_ac_w * (1 - context.liquid_fraction());
  if (heat_w <= 1) return;
  const double inlet = context.environment.air_inlet_c;
  const Air air =
      air_at(Temperature::from_celsius(inlet), context.design.environment.altitude_m * metre);
  const double per_m3 = air.density.si() * air.specific_heat.si();
  add_rate(context, "transient.no_room_cooling_rate",
           fmt::format("Room air warming once its cooling stops, for {:.0f} m3 per rack",
                       kRoomCubicMetres),
           heat_w / (kRoomCubicMetres * per_m3), "room air",
           "P / (rho cp V), air alone; walls and floor slow it down");
  const auto most = inlet_max_c(context);
  if (!most || *most <= inlet) return;
  LimitName name{"air.ride_through",
                 "air",
                 "Room cooling stopped, load on: seconds to the highest inlet",
                 "feed",
                 "feed of the room cooling",
                 false};
  if (const auto& volume = context.design.thermal.room_air_m3.value) {
    const double seconds = adiabatic_seconds(*volume * per_m3, *most - inlet, heat_w);
    context.add("transient.seconds_without_room_cooling",
                "Seconds from stopped room cooling to the highest inlet",
                exact(seconds, {"s", Origin::modelled, "room air"}), "",
                "C dT / P, air alone: a lower bound");
    Limit limit = gap_limit(std::move(name), gap, seconds);
    if (limit.state == LimitState::violated) limit.remedy = "Put fans of the room units on UPS";
    context.out.limits.push_back(std::move(limit));
    return;
  }
  const double needed = bridging_capacity_j_per_k(heat_w, gap.seconds, *most - inlet) / per_m3;
  context.require({"room_air_m3." + context.design.id, "room air per rack",
                   fmt::format(">= {:.0f} m3 bridge {:.0f} s from {:.0f} to {:.0f} degC inlet "
                               "(air alone); with less the room cooling needs UPS",
                               std::ceil(needed), gap.seconds, inlet, *most),
                   "site", "ride-through of a cooling outage", false});
  context.out.limits.push_back(blank_gap(std::move(name), gap, "room air per rack blank"));
}

}  // namespace

std::optional<CoolingGap> cooling_gap(const EvaluationContext& context) {
  if (const auto own = fact_estimate(context.design.thermal.cooling_gap_s, "s")) {
    return CoolingGap{own->value, own->origin, context.design.thermal.cooling_gap_s.source};
  }
  const Part* start = context.catalog.find("generator-start");
  const auto seconds = start ? first_estimate(*start, {"start_s"}, "s") : std::nullopt;
  if (!seconds) return std::nullopt;
  return CoolingGap{seconds->value, Origin::assumed, start->name + ", " + start->source};
}

void evaluate_transient(EvaluationContext& context) {
  evaluate_module_temperature(context);
  if (!context.has_envelope) return;
  const auto gap = cooling_gap(context);
  if (!gap) return;
  if (context.design.liquid) liquid_ride_through(context, *gap);
  air_ride_through(context, *gap);
}

}  // namespace rackwright::topology
