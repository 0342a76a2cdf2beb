#include <algorithm>
#include <cmath>
#include <map>

#include <fmt/format.h>

#include "common/statistics.hpp"
#include "topology/evaluation_context.hpp"
#include "topology/part_facts.hpp"
#include "topology/power/load_timeline.hpp"
#include "topology/power/redundancy.hpp"
#include "topology/thermal/air.hpp"
#include "topology/thermal/liquid.hpp"

namespace rackwright::topology {

namespace {

constexpr std::size_t kColumns = 1000;  // of a lane; more than a screen has

/// Air and coolant that pass a slot, and the hotter of their outlets.
void add_outlets(const EvaluationContext& context, const SlotPower& slot, double watts,
                 TrayState& tray) {
  const bool liquid = context.design.liquid && slot.bus >= 0;
  const double fraction = liquid ? context.liquid_fraction() : 0.0;
  if (const auto flow = airflow_cfm_of(*slot.part); flow && *flow > 0) {
    tray.air_m3_per_min = *flow * cfm.si() * 60;
    const Air air = air_at(Temperature::from_celsius(context.environment.air_inlet_c),
                           context.design.environment.altitude_m * metre);
    tray.hottest_c =
        context.environment.air_inlet_c +
        air_temperature_rise(Power::from_si(watts * (1 - fraction)), *flow * cfm, air).in(kelvin);
    tray.hottest_part = "air outlet";
  }
  if (!liquid || !context.liquid_flow_lpm || context.envelope.bus_w <= 0) return;
  if (context.out.coolant) {
    for (const CoolantBranch& branch : context.out.coolant->branches) {
      if (branch.slot != slot.slot) continue;
      tray.coolant_lpm = branch.flow_lpm;
      tray.hottest_c = branch.return_c;
      tray.hottest_part = "coolant outlet";
      return;
    }
  }
  // Branches are assumed balanced: each tray gets coolant in proportion to its heat.
  tray.coolant_lpm = *context.liquid_flow_lpm * watts / context.envelope.bus_w;
  if (const Figure* returned = context.out.figures.find("liquid.return.design_envelope")) {
    tray.hottest_c = returned->estimate.value;
    tray.hottest_part = "coolant outlet";
  }
}

void add_shelves(EvaluationContext& context) {
  for (std::size_t i = 0; i < context.design.buses.size(); ++i) {
    const PowerBus& bus = context.design.buses[i];
    if (bus.boundary != "busbar DC") continue;
    for (const PowerSource& source : bus.sources) {
      TrayState tray;
      tray.slot = source.slot;
      tray.rating_w = source.psus * source.psu_w;
      const double share = tray.rating_w / std::max(bus_rating_w(bus), 1.0);
      if (context.has_envelope) tray.power_w = context.envelope.bus_dc_w[i] * share;
      if (context.capacity) tray.capacity_power_w = context.capacity->bus_dc_w[i] * share;
      context.out.trays.push_back(std::move(tray));
    }
  }
}

}  // namespace

TimelineLane lane_of(const std::vector<double>& values, double window_s, double scale) {
  TimelineLane lane;
  const std::size_t per = (values.size() + kColumns - 1) / kColumns;
  for (std::size_t i = 0; i < values.size(); i += per) {
    const std::size_t end = std::min(values.size(), i + per);
    double low = values[i], high = values[i], sum = 0;
    for (std::size_t j = i; j < end; ++j) {
      low = std::min(low, values[j]);
      high = std::max(high, values[j]);
      sum += values[j];
      if (values[j] * scale > lane.peak || (i == 0 && j == 0)) {
        lane.peak = values[j] * scale;
        lane.peak_t_s = static_cast<double>(j) * window_s;
      }
    }
    lane.t_s.push_back(static_cast<double>(i) * window_s);
    lane.min.push_back(low * scale);
    lane.max.push_back(high * scale);
    lane.mean.push_back(sum / static_cast<double>(end - i) * scale);
    lane.average += sum * scale;
  }
  if (!values.empty()) lane.average /= static_cast<double>(values.size());
  lane.p99 = quantile(values, 0.99) * scale;
  return lane;
}

namespace {

/// AC input at which what stays after the loss of a feed is just enough: the DC that stays through
/// the PSUs that stay.
void add_failure_lines(const EvaluationContext& context, TimelineLane& lane) {
  const RackDesign& design = context.design;
  if (design.buses.size() != 1 || design.buses.front().boundary != "busbar DC") return;
  const PowerBus& bus = design.buses.front();
  const auto failures = bus_failures(bus, design.feeds);
  const BusFailure* worst = nullptr;
  for (const BusFailure& failure : failures) {
    if (failure.unit != "feed") continue;
    if (!worst || failure.remaining_w < worst->remaining_w) worst = &failure;
  }
  if (!worst) return;
  const double ac = context.power.bus_input_w(0, worst->remaining_w, psu_count(bus, worst->feed)) +
                    context.envelope.direct_ac_w;
  lane.lines.push_back({fmt::format("what stays after loss of {}", worst->what), ac / 1e3, true});
}

TimelineLane coolant_lane(const EvaluationContext& context, const TimelineLane& power) {
  const LiquidLoop& loop = *context.design.liquid;
  TimelineLane lane = power;
  lane.lines.clear();
  lane.label = "Coolant return (TCS)";
  lane.unit = "degC";
  lane.note = "modelled, steady balance per window: thermal mass would smooth it";
  const double supply = context.environment.tcs_supply_c;
  const Figure* rise = context.out.figures.find("liquid.rise.design_envelope");
  const double per_kw = rise->estimate.value / (context.envelope.rack_ac_w / 1e3);
  const auto convert = [&](double kw) { return supply + kw * per_kw; };
  for (auto* values : {&lane.min, &lane.mean, &lane.max}) {
    for (double& value : *values) value = convert(value);
  }
  for (double* value : {&lane.peak, &lane.p99, &lane.average}) *value = convert(*value);
  if (loop.return_max_c.value)
    lane.lines.push_back({"return limit", *loop.return_max_c.value, true});
  return lane;
}

TimelineLane air_lane(const EvaluationContext& context, const TimelineLane& power) {
  TimelineLane lane = power;
  lane.lines.clear();
  lane.label = "Air leaving the rack";
  lane.unit = "degC";
  lane.note = "modelled at the published air flow, steady balance per window";
  const Figure* rise = context.out.figures.find("air.rise.design_envelope");
  const double per_kw = rise->estimate.value / (context.envelope.rack_ac_w / 1e3);
  const auto convert = [&](double kw) { return context.environment.air_inlet_c + kw * per_kw; };
  for (auto* values : {&lane.min, &lane.mean, &lane.max}) {
    for (double& value : *values) value = convert(value);
  }
  for (double* value : {&lane.peak, &lane.p99, &lane.average}) *value = convert(*value);
  lane.lines.push_back({"design envelope", convert(context.envelope.rack_ac_w / 1e3), false});
  return lane;
}

}  // namespace

void describe_trays(EvaluationContext& context) {
  const auto& slots = context.power.slots();
  for (std::size_t i = 0; i < slots.size(); ++i) {
    TrayState tray;
    tray.slot = slots[i].slot;
    if (context.has_envelope) tray.power_w = context.envelope.slot_w[i];
    if (context.capacity) tray.capacity_power_w = context.capacity->slot_w[i];
    if (slots[i].part) {
      tray.weight_kg = slots[i].part->number("weight_kg");
      if (context.has_envelope) add_outlets(context, slots[i], tray.power_w, tray);
    }
    context.out.trays.push_back(std::move(tray));
  }
  add_shelves(context);
}

void describe_timelines(EvaluationContext& context) {
  if (context.capacity_means_w.empty()) return;
  TimelineLane lane = lane_of(context.capacity_means_w, 1.0, 1e-3);
  lane.label = "Rack AC input";
  lane.unit = "kW";
  lane.note = "modelled, 1 s means, replicas at seeded phases";
  lane.window = "1 s";
  if (context.has_envelope) {
    lane.lines.push_back({"design envelope", context.envelope.rack_ac_w / 1e3, false});
    add_failure_lines(context, lane);
  }
  context.out.timelines.push_back(lane);
  if (!context.has_envelope) return;
  if (context.design.liquid && context.out.figures.find("liquid.rise.design_envelope")) {
    context.out.timelines.push_back(coolant_lane(context, lane));
  } else if (context.out.figures.find("air.rise.design_envelope")) {
    context.out.timelines.push_back(air_lane(context, lane));
  }
}

void describe_bom(EvaluationContext& context) {
  std::map<std::string, double> counts;
  for (const Slot& slot : context.design.slots) {
    if (slot.group != "blank") counts[slot.part] += 1;
  }
  if (context.design.rear_door) counts[context.design.rear_door->part] += 1;
  if (context.design.liquid && !context.design.liquid->cdu.empty()) {
    counts[context.design.liquid->cdu] += context.design.liquid->cdus_installed /
                                          std::max(context.design.liquid->racks_per_cdu, 1e-9);
  }
  for (const auto& [id, count] : counts) {
    const Part* part = context.catalog.find(id);
    if (!part) continue;
    BomLine line;
    line.item = part->name;
    line.part = id;
    line.quantity = count;
    line.unit_w = max_power_of(*part);
    line.unit_kg = part->number("weight_kg");
    const Fact& price = part->fact("price_usd");
    line.unit_usd_low = price.low ? price.low : price.value;
    line.unit_usd_high = price.high ? price.high : price.value;
    line.region = part->fact("region").text;
    if (const auto weeks = part->number("lead_weeks"))
      line.lead_weeks = fmt::format("{:.0f}", *weeks);
    line.second_source = part->fact("second_source").text;
    line.source =
        price.blank() ? first_fact(*part, {"max_power_w", "weight_kg"}).source : price.source;
    context.out.bom.push_back(std::move(line));
  }
}

}  // namespace rackwright::topology
