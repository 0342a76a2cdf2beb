#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <set>

#include <fmt/format.h>

#include "topology/evaluation_power.hpp"
#include "topology/evaluation_transient.hpp"
#include "topology/power/load_steps.hpp"
#include "topology/power/redundancy.hpp"

// When AC goes and when it comes back: hold-up, batteries, cold start.
namespace rackwright::topology {

namespace {

/// The shelf, or the node that holds the PSUs.
const Part* psu_part_of(const EvaluationContext& context, const PowerBus& bus) {
  if (bus.sources.empty()) return nullptr;
  const Slot* slot = context.design.slot(bus.sources.front().slot);
  return slot ? context.catalog.find(slot->part) : nullptr;
}

/// PSU hold-up at the envelope; nothing when not published.
std::optional<double> hold_up(EvaluationContext& context, std::size_t b, const Part& shelf) {
  const PowerBus& bus = context.design.buses[b];
  const double watts = context.envelope.bus_dc_w[b];
  const auto hold = shelf.number("hold_up_ms");
  if (!hold) {
    const bool shelves = bus.boundary == "busbar DC";
    context.require({"hold_up." + bus.id, "hold-up time of the PSUs",
                     shelves
                         ? fmt::format(">= 4 ms at {}, which a battery shelf takes to carry the "
                                       "bus (ORv3: 2 ms to detect, 2 ms to start); 20 ms is the "
                                       "ORv3 class",
                                       watts_text(watts))
                         : fmt::format(">= the transfer time of the site's UPS or switch at {}",
                                       watts_text(watts)),
                     "PSU maker", "ride-through of a lost feed", false});
    return std::nullopt;
  }
  const double seconds = hold_up_s(*hold * 1e-3, bus_rating_w(bus), watts);
  context.add("power.hold_up." + bus.id, "Hold-up of the PSUs, design envelope",
              exact(seconds, {"s", Origin::modelled, bus.boundary}), "steady",
              fmt::format("{:.0f} ms at full load, the same energy", *hold));
  return seconds;
}

/// Battery shelves of the rack at the envelope.
std::optional<double> backup(EvaluationContext& context, std::size_t b) {
  std::vector<BackupPoint> points;
  int batteries = 0;
  for (const Slot& slot : context.design.slots) {
    const Part* part = context.catalog.find(slot.part);
    if (part == nullptr || part->kind != "battery_shelf") continue;
    ++batteries;
    points.clear();
    for (const auto& [key, fact] : part->facts) {
      if (key.rfind("backup_s_at_", 0) != 0 || fact.blank()) continue;
      points.push_back({std::strtod(key.c_str() + 12, nullptr) * 1e3, *fact.value});
    }
  }
  if (batteries == 0) return std::nullopt;
  const PowerBus& bus = context.design.buses[b];
  const auto seconds = backup_time_s(points, context.envelope.bus_dc_w[b] / batteries);
  if (!seconds) return 0.0;  // more than the shelves may give
  context.add("power.backup." + bus.id, "Battery backup, design envelope",
              exact(*seconds, {"s", Origin::modelled, bus.boundary}), "steady",
              fmt::format("{} battery shelves, power law between published points", batteries));
  return seconds;
}

bool has_ups(const EvaluationContext& context) {
  return std::any_of(context.design.upstream.begin(), context.design.upstream.end(),
                     [](const UpstreamUnit& unit) { return unit.kind == "UPS"; });
}

/// Seconds that the bus holds without AC against those until AC is back.
void add_ride_through(EvaluationContext& context, std::size_t b) {
  const PowerBus& bus = context.design.buses[b];
  const Part* shelf = psu_part_of(context, bus);
  if (shelf == nullptr) return;
  const auto psus = hold_up(context, b, *shelf);
  const auto batteries = backup(context, b);
  const auto gap = cooling_gap(context);
  if (!gap || has_ups(context)) return;
  LimitName name{"power.ride_through." + bus.id,
                 "power",
                 "All feeds lost: seconds without AC that the bus holds",
                 "feed",
                 "all feeds",
                 false};
  const Estimate needed = exact(gap->seconds, {"s", gap->origin, bus.boundary});
  if (!psus && !batteries) {
    context.out.limits.push_back(make_blank_limit(
        std::move(name), needed,
        fmt::format("hold-up blank, no battery shelf and no UPS named; {} until AC is back",
                    gap->basis)));
    return;
  }
  Limit limit = make_limit(
      std::move(name), needed,
      exact(batteries.value_or(0) + psus.value_or(0), {"s", Origin::modelled, bus.boundary}),
      fmt::format("PSU hold-up and batteries of the rack; {} until AC is back", gap->basis));
  if (limit.state == LimitState::violated) {
    limit.remedy = fmt::format("Battery shelves for {:.0f} s at {}, or a UPS upstream",
                               gap->seconds, watts_text(context.envelope.bus_dc_w[b]));
  }
  context.out.limits.push_back(std::move(limit));
}

/// The rack before its first step: pumps and fans at full, GPUs idle, coolant and modules at the
/// supply's temperature; then all GPUs at once to the envelope.
void add_cold_start(EvaluationContext& context) {
  const auto& idle = context.case_power[static_cast<std::size_t>(LoadCase::idle)];
  if (!idle) return;
  const Figure* pumps = context.out.figures.find("liquid.pump_power");
  double fans = 0;
  for (const Figure& figure : context.out.figures.all()) {
    if (figure.key.rfind("air.fan_power_rack.", 0) == 0) fans += figure.estimate.high;
  }
  const double cooling = (pumps ? pumps->estimate.high : 0.0) + fans;
  context.add("power.cold_start.rack_ac", "Cold start: GPUs idle, known pumps and fans at full",
              between(idle->rack_ac_w, idle->rack_ac_w + cooling, idle->rack_ac_w + cooling,
                      {"W", Origin::assumed, "rack AC input and CDU share"}),
              "steady", "idle rack, published maximum of its share of the CDUs, tray fans at full");
  const double step = context.envelope.rack_ac_w - idle->rack_ac_w;
  context.add(
      "power.cold_start.step", "Step when all GPUs leave idle at once",
      exact(step, {"W", weakest(Origin::modelled, context.envelope_origin), "rack AC input"}),
      "one step", "design envelope less idle; a stagger over n groups makes it 1/n");
  const double inlet =
      context.design.liquid ? context.environment.tcs_supply_c : context.environment.air_inlet_c;
  if (const auto resistance = module_resistance(context); resistance && context.power.gpus() > 0) {
    const double watts = idle->module_w / context.power.gpus();
    context.add(
        "transient.cold_start.gpu", "Cold start: GPU with coolant or air at supply",
        exact(inlet + watts * resistance->k_per_w.value,
              {"degC", weakest(Origin::modelled, resistance->k_per_w.origin), "GPU reading"}),
        "steady", "supply + R P at idle power");
  }
  for (const PowerBus& bus : context.design.buses) {
    if (bus.sources.empty()) continue;
    int psus = 0;
    for (const PowerBus& other : context.design.buses) {
      for (const PowerSource& source : other.sources) psus += source.psus;
    }
    context.require(
        {"inrush." + context.design.id, "inrush of a PSU when AC comes back",
         fmt::format("the sum of {} PSUs under the instantaneous trip of their breakers, or a "
                     "staggered start; a step of {} afterwards needs {:.0f} kJ of store at 10 kW/s",
                     psus, watts_text(step), store_for_step_j(step, 10e3) / 1e3),
         "PSU maker", "breakers at a cold start", false});
    break;
  }
}

}  // namespace

void evaluate_power_start(EvaluationContext& context) {
  std::set<const Part*> done;  // nodes alike are judged once
  for (std::size_t b = 0; b < context.design.buses.size(); ++b) {
    if (done.insert(psu_part_of(context, context.design.buses[b])).second) {
      add_ride_through(context, b);
    }
  }
  add_cold_start(context);
}

}  // namespace rackwright::topology
