#include <algorithm>
#include <cmath>
#include <tuple>
#include <utility>

#include <fmt/format.h>

#include "topology/evaluation_air_network.hpp"
#include "topology/evaluation_liquid.hpp"
#include "topology/evaluation_power.hpp"
#include "topology/part_facts.hpp"
#include "topology/power/redundancy.hpp"

// The rack in all domains at once, and what every single failure does to it.
namespace rackwright::topology {

namespace {

/// The lowest temperature at which a part in the air of a liquid tray may work.
std::optional<double> air_part_max_c(const EvaluationContext& context) {
  if (!context.design.liquid) return std::nullopt;
  const auto part = coolest_air_part(context.catalog);
  return part ? std::optional(part->first) : std::nullopt;
}

void add_fan_facts(const EvaluationContext& context, const Part& part, TrayAirFacts& tray) {
  tray.fans = static_cast<int>(part.number("fan_count").value_or(0));
  if (const auto flow = airflow_cfm_of(part); flow && *flow > 0) {
    tray.flow_m3_per_s = *flow * cfm.si();
  }
  const Part* fan = context.catalog.find(part.fact("fan_part").text);
  if (fan == nullptr) return;
  tray.fan_w = fan->number("power_w").value_or(0) * tray.fans;
  tray.fan_exponent = fan->number("power_speed_exponent_factor").value_or(3);
}

AirPlant air_plant(const EvaluationContext& context) {
  AirPlant plant;
  plant.inlet_c = context.environment.air_inlet_c;
  plant.air = air_at(Temperature::from_celsius(plant.inlet_c),
                     context.design.environment.altitude_m * metre);
  plant.outlet_max_c = air_part_max_c(context);
  plant.network = rack_air(context);
  const LiquidHeat heat =
      context.design.liquid ? liquid_heat(context, context.envelope) : LiquidHeat{};
  const auto& slots = context.power.slots();
  for (std::size_t i = 0; i < slots.size(); ++i) {
    TrayAirFacts tray;
    tray.slot = slots[i].slot;
    if (slots[i].part) add_fan_facts(context, *slots[i].part, tray);
    if (plant.network) tray.lost_fan_known = knows_lost_fan(plant.network->trays[i].fans);
    const double watts = context.envelope.slot_w[i] - (heat.slot_w.empty() ? 0.0 : heat.slot_w[i]);
    if (plant.outlet_max_c && *plant.outlet_max_c > plant.inlet_c && watts > 1) {
      tray.needed_m3_per_s =
          air_flow_for_rise(Power::from_si(watts), (*plant.outlet_max_c - plant.inlet_c) * kelvin,
                            plant.air)
              .si();
    }
    plant.trays.push_back(std::move(tray));
  }
  if (!context.design.rear_door) return plant;
  plant.door = true;
  plant.door_supply = context.design.rear_door->supply;
  if (const Part* door = context.catalog.find(context.design.rear_door->part)) {
    plant.door_w = door->number("capacity_w");
    plant.door_one_fan_lost_w = door->number("capacity_one_fan_lost_w");
    plant.door_fan_w = door->number("fan_power_w").value_or(0);
  }
  return plant;
}

RackModel rack_model(const EvaluationContext& context) {
  RackModel model;
  model.chain = context.chain;
  model.liquid = std::move(context.out.failures.model.liquid);
  model.air = air_plant(context);
  for (const Slot& slot : context.design.slots) {
    if (slot.group != "compute" && slot.group != "switch") continue;
    RackTray tray{slot.id, slot.group, slot.gpus, std::nullopt};
    if (const Part* part = context.catalog.find(slot.part)) {
      tray.converter_w = part->number("bus_converter_w");
    }
    model.trays.push_back(std::move(tray));
  }
  if (context.design.scale_up_switches > 0) {
    model.scale_up_switches = static_cast<int>(
        std::count_if(model.trays.begin(), model.trays.end(),
                      [](const RackTray& tray) { return tray.group == "switch"; }));
  }
  return model;
}

/// Interval of the rack's power in a load case over its value.
std::pair<double, double> power_interval(const EvaluationContext& context, LoadCase load_case) {
  if (load_case == LoadCase::design_envelope) {
    return {context.envelope_low, context.envelope_high};
  }
  const Figure* ac = context.out.figures.find("power.rack_ac." + std::string(key_of(load_case)));
  if (ac == nullptr || !(ac->estimate.value > 0)) return {1, 1};
  return {ac->estimate.low / ac->estimate.value, ac->estimate.high / ac->estimate.value};
}

RackLoad rack_load(const EvaluationContext& context, const RackModel& model, LoadCase load_case,
                   const RackPower& power) {
  RackLoad load;
  std::tie(load.low, load.high) = power_interval(context, load_case);
  load.demand = chain_demand(model.chain, context.power, power);
  load.gpu_w = context.power.gpus() > 0 ? power.module_w / context.power.gpus() : 0.0;
  LiquidHeat heat;
  if (context.design.liquid) heat = liquid_heat(context, power);
  load.air_heat_w = power.slot_w;
  const auto& slots = context.power.slots();
  for (std::size_t i = 0; i < heat.slot_w.size(); ++i) load.air_heat_w[i] -= heat.slot_w[i];
  load.other_liquid_w = heat.other_w;
  for (std::size_t b = 0; model.liquid && b < model.liquid->slots.size(); ++b) {
    for (std::size_t i = 0; i < slots.size(); ++i) {
      if (slots[i].slot == model.liquid->slots[b]) load.branch_heat_w.push_back(heat.slot_w[i]);
    }
  }
  return load;
}

/// Levels that the failure of a cooling machine already has a limit of its own for.
bool is_judged(const FailureRow& row) {
  if (row.failure_unit == "none") return true;
  const bool own =
      row.failure_unit == "pump" || row.failure_unit == "CDU" || row.failure_unit == "door fan";
  return own &&
         (row.level == "coolant flow" || row.level == "CDU heat" || row.level == "rear door");
}

bool survival_promised(const EvaluationContext& context, const std::string& unit) {
  if (unit == "pump" || unit == "fan" || unit == "door fan" || unit == "branch" || unit == "leak" ||
      unit == "switch") {
    return false;
  }
  if (unit == "CDU") return context.design.liquid && context.design.liquid->cdus_installed > 1;
  BusFailure failure;
  failure.unit = unit;
  return std::all_of(context.design.buses.begin(), context.design.buses.end(),
                     [&](const PowerBus& bus) { return is_promised(bus, failure); });
}

Estimate above(double value, const FailureRow& row, Origin origin) {
  const bool rise = row.base != 0;
  return exact(value - row.base, {rise ? "K" : row.unit, origin, row.boundary});
}

/// What a failure leaves of flows and temperatures, where it is worse than in service.
void add_cooling_limits(EvaluationContext& context) {
  const auto& worst = context.out.failures.worst;
  for (const FailureRow& row : worst) {
    if (row.domain != "liquid" && row.domain != "air") continue;
    if (is_judged(row) || !row.margin()) continue;
    if (!worse_than_in_service(worst, row)) continue;
    std::string level = row.level;
    std::replace(level.begin(), level.end(), ' ', '_');
    LimitName name{fmt::format("{}.{}.{}", row.domain, level, row.failure_unit),
                   row.domain,
                   fmt::format("{}: {}, {}", failure_text(row), row.level, row.node),
                   row.failure_unit,
                   row.failure,
                   survival_promised(context, row.failure_unit)};
    if (row.lost) {
      if (row.level != "coolant flow") continue;  // temperatures without flow have no end
      const EstimateTag tag{row.unit, Origin::modelled, row.boundary};
      context.out.limits.push_back(make_limit(std::move(name), exact(row.load, tag), exact(0, tag),
                                              "nothing flows: what drives the pumps is lost too"));
      continue;
    }
    const std::string cause =
        fmt::format("{:.4g} against {:.4g} {}", row.load, *row.limit, row.unit) +
        (row.base != 0 ? fmt::format(", as rise over {:.1f}", row.base) : "");
    context.out.limits.push_back(make_limit(std::move(name), above(row.load, row, Origin::modelled),
                                            above(*row.limit, row, Origin::catalogue), cause));
  }
}

void require_supplies(EvaluationContext& context) {
  const RackModel& model = context.out.failures.model;
  if (model.liquid && !model.liquid->cdus.empty() && model.liquid->cdus.front().supply.empty()) {
    const LiquidPlant& plant = *model.liquid;
    const auto one =
        cdu_flow_lpm(plant.cdu, plant.drop ? plant.drop->drop_kpa(plant.flow_lpm) : 0, 0);
    context.require(
        {"cdu_supply." + context.design.id, "which feed drives the pumps of each CDU",
         one ? fmt::format(
                   "{:.0f} of {} CDUs must stay when a feed is lost: {:.0f} l/min for {:.3g} "
                   "racks",
                   std::ceil(plant.flow_lpm * plant.racks / *one), plant.cdus.size(),
                   plant.flow_lpm * plant.racks, plant.racks)
             : "needs the A/B map of the CDUs, or transfer switches",
         "site", "coolant flow after the loss of a feed", false});
  }
  if (model.air.door && model.air.door_supply.empty()) {
    context.require({"door_supply." + context.design.id,
                     "which feeds drive the fans of the rear door",
                     "needs both feeds, or the door stops with its own", "site",
                     "rear door after the loss of a feed", false});
  }
}

/// The bus converter of a tray stands between its input and everything in it.
void require_converters(EvaluationContext& context) {
  for (const FailureRow& row : context.out.failures.worst) {
    if (row.level != "bus converter" || row.failure_unit != "none" || row.limit) continue;
    const Slot* slot = context.design.slot(row.node);
    if (slot == nullptr) continue;
    context.require({"bus_converter." + slot->part,
                     "continuous rating of the bus converters (IBC, PDB) of " + slot->part,
                     fmt::format(">= {} of input, all of a tray together", watts_text(row.load)),
                     "system maker", "load on the converters", false});
  }
}

void require_upstream(EvaluationContext& context) {
  for (const FailureRow& row : context.out.failures.worst) {
    const bool above = row.boundary == "upstream";
    if (!above || row.failure_unit != "none" || row.limit) continue;
    context.require({"upstream." + row.node, "rating of " + row.node,
                     fmt::format(">= {:.1f} kVA", row.load), "site", "margin upstream of the rack",
                     false});
  }
  if (!context.design.upstream.empty()) return;
  const auto& worst = context.out.failures.worst;
  const auto lost = std::find_if(worst.begin(), worst.end(), [](const FailureRow& row) {
    return row.level == "feed" && row.failure_unit == "feed";
  });
  if (lost == worst.end()) return;
  context.require({"upstream." + context.design.id, "PDU, busway and UPS behind the feeds",
                   fmt::format("{:.0f} A at {:.0f} V on one feed when another is lost, in each of "
                               "them, times the racks on it",
                               lost->load, context.design.feeds.front().volts_line_to_line),
                   "site", "margin upstream of the rack; name them under \"upstream\"", false});
}

}  // namespace

constexpr double kNoticeable = 5e-4;  // of a margin: watts of a fan move no section of a busbar

bool worse_than_in_service(const std::vector<FailureRow>& worst, const FailureRow& row) {
  const auto service = std::find_if(worst.begin(), worst.end(), [&](const FailureRow& other) {
    return other.level == row.level && other.failure_unit == "none";
  });
  return service == worst.end() || !service->margin() || !row.margin() ||
         *row.margin() < *service->margin() - kNoticeable;
}

void evaluate_failures(EvaluationContext& context) {
  if (!context.has_envelope) return;
  context.case_power[static_cast<std::size_t>(LoadCase::design_envelope)] = context.envelope;
  FailureReport& report = context.out.failures;
  report.model = rack_model(context);
  for (const LoadCase c : kLoadCases) {
    const auto& power = context.case_power[static_cast<std::size_t>(c)];
    if (power) report.loads.emplace_back(c, rack_load(context, report.model, c, *power));
  }
  if (report.loads.empty() || report.loads.front().first != LoadCase::design_envelope) return;
  report.worst = worst_rows(rack_failure_table(report.model, report.loads.front().second));
  add_cooling_limits(context);
  require_supplies(context);
  require_converters(context);
  require_upstream(context);
}

}  // namespace rackwright::topology
