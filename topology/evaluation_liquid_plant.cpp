#include <algorithm>
#include <cstdlib>

#include <fmt/format.h>

#include "topology/evaluation_liquid.hpp"
#include "topology/evaluation_transient.hpp"
#include "topology/part_facts.hpp"

namespace rackwright::topology {

namespace {

/// One point gives no curve.
std::shared_ptr<const PressureCurve> pump_curve(const Part& cdu) {
  constexpr const char* kPrefix = "external_head_kpa_at_";
  std::vector<CurvePoint> points;
  for (const auto& [key, fact] : cdu.facts) {
    if (key.rfind(kPrefix, 0) != 0 || !fact.value) continue;
    const double lpm = std::strtod(key.c_str() + std::string(kPrefix).size(), nullptr);
    points.push_back({lpm / 60e3, *fact.value * 1e3});
  }
  if (points.size() < 2) return nullptr;
  return std::make_shared<const PressureCurve>(std::move(points));
}

void add_branches(const EvaluationContext& context, const LoopState& loop, LiquidPlant& plant) {
  const LiquidHeat heat = liquid_heat(context, context.envelope);
  for (const std::size_t slot : loop.branch_slots) {
    plant.slots.push_back(context.power.slots()[slot].slot);
    plant.sizing_heat_w.push_back(heat.slot_w[slot]);
  }
}

void add_leak_rate(const EvaluationContext& context, LiquidPlant& plant) {
  const auto& pressure = context.design.liquid->working_pressure_bar.value;
  plant.leak_valve_s = context.design.liquid->leak_valve_s.value;
  if (!plant.loop || !pressure) return;
  const auto largest = std::max_element(plant.sizing_heat_w.begin(), plant.sizing_heat_w.end());
  const auto at = static_cast<std::size_t>(largest - plant.sizing_heat_w.begin());
  plant.leak_lpm = 2 * leak_flow_lpm(plant.loop->branch(at), 0.5, *pressure * 100);
}

}  // namespace

CduRating cdu_rating(const Part& cdu) {
  CduRating rating;
  rating.capacity_w = cdu.number("capacity_w");
  rating.approach_k = cdu.number("approach_k");
  rating.flow_lpm = cdu.number("secondary_flow_lpm");
  rating.head_kpa = cdu.number("external_head_kpa");
  rating.input_w = cdu.number("max_power_w");
  rating.primary_lpm = cdu.number("primary_flow_lpm");
  rating.pumps = static_cast<int>(cdu.number("pump_count").value_or(0));
  rating.head = pump_curve(cdu);
  return rating;
}

std::optional<LiquidPlant> liquid_plant(const EvaluationContext& context, const LoopState& loop) {
  if (loop.branch_slots.empty() || !(loop.flow_lpm > 0) || !loop.coolant) return std::nullopt;
  const LiquidLoop& design = *context.design.liquid;
  LiquidPlant plant;
  plant.loop = loop.network;
  plant.drop = loop.drop;
  plant.outside_share = loop.outside_share;
  plant.flow_lpm = loop.flow_lpm;
  plant.w_per_k_lpm =
      (loop.coolant->density * loop.coolant->specific_heat * (1.0 * litre_per_minute)).si();
  plant.fws_w_per_k_lpm = facility_capacity_flow(context, 1);
  plant.supply_c = loop.supply_c;
  plant.sink_c = context.environment.fws_supply_c;
  plant.dew_point_c = context.environment.dew_point_c;
  plant.supply_max_c = design.supply_max_c.value;
  plant.outlet_max_c = design.return_max_c.value;
  if (!plant.outlet_max_c && loop.law) plant.outlet_max_c = loop.law->return_c;
  if (const auto resistance = module_resistance(context)) {
    plant.module_k_per_w = resistance->k_per_w.value;
  }
  plant.module_max_c = module_limit_c(context);
  plant.racks = std::max(design.racks_per_cdu, 1e-9);
  if (const Part* cdu = context.catalog.find(design.cdu)) {
    plant.cdu = cdu_rating(*cdu);
    plant.in_rack = cdu->fact("place").text == "in-rack";
    if (rejects_to_air(*cdu)) plant.sink_c = context.environment.air_inlet_c;
    for (int i = 0; i < design.cdus_installed; ++i) {
      const auto at = static_cast<std::size_t>(i);
      plant.cdus.push_back({fmt::format("CDU {}", i + 1), at < design.cdu_supply.size()
                                                              ? design.cdu_supply[at]
                                                              : std::vector<std::string>{}});
    }
  }
  add_branches(context, loop, plant);
  add_leak_rate(context, plant);
  plant.settle();
  return plant;
}

}  // namespace rackwright::topology
