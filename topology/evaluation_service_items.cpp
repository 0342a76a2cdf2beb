#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "topology/evaluation_context.hpp"

namespace rackwright::topology {

namespace {

bool is_promised(const PowerBus& bus, const char* unit) {
  return std::find(bus.promised.begin(), bus.promised.end(), unit) != bus.promised.end();
}

/// The bus that a slot feeds or is fed by; nothing for direct loads.
const PowerBus* bus_of(const RackDesign& design, const std::string& slot) {
  for (const PowerBus& bus : design.buses) {
    if (std::find(bus.loads.begin(), bus.loads.end(), slot) != bus.loads.end()) return &bus;
    for (const PowerSource& source : bus.sources) {
      if (source.slot == slot) return &bus;
    }
  }
  return nullptr;
}

std::string isolation_of(const RackDesign& design, const Slot& slot, const PowerBus* bus) {
  if (slot.group == "power") return "its AC whips";
  std::string text;
  if (design.liquid && bus != nullptr) text = "its coolant couplings";
  const bool own = bus != nullptr && bus->boundary == "node DC";
  if (own) {
    int cords = 0;
    for (const PowerSource& source : bus->sources) cords += source.psus;
    text += fmt::format("{}{} power cords", text.empty() ? "" : " and ", cords);
  } else if (bus != nullptr) {
    text += text.empty() ? "the busbar" : " and the busbar";
  }
  return text;
}

std::string outage_of(const RackDesign& design, const Slot& slot, const PowerBus* bus, int count) {
  if (slot.gpus > 0) return fmt::format("{} GPUs", slot.gpus);
  if (slot.group == "switch" && design.scale_up_switches > 0) {
    return fmt::format("1 of {} switch trays: that share of the scale-up links of {} GPUs", count,
                       design.scale_up_domain);
  }
  if (slot.group == "power" && bus != nullptr) {
    return is_promised(*bus, "shelf") ? "nothing, by the maker's promise: the other shelves carry"
                                      : "its share of the busbar: see the limits of power";
  }
  return "not stated";
}

void require_hot_swap(EvaluationContext& context, const Part& part) {
  context.require({"service_facts." + part.id, "service of " + part.name,
                   "needs: hot-swap or not, isolation steps, minutes, lifting aid from the maker",
                   "maker of " + part.id, "downtime per repair", false});
}

}  // namespace

void describe_service(EvaluationContext& context) {
  const RackDesign& design = context.design;
  std::map<std::string, int> counts;
  for (const Slot& slot : design.slots) ++counts[slot.part];
  std::map<std::string, bool> seen;
  for (const Slot& slot : design.slots) {
    const Part* part = context.catalog.find(slot.part);
    if (part == nullptr || slot.group == "blank" || seen[slot.part]) continue;
    seen[slot.part] = true;
    const PowerBus* bus = bus_of(design, slot.id);
    ServiceItem item;
    item.part = part->name;
    item.count = counts[slot.part];
    item.gpus_down = slot.gpus;
    item.goes_down = outage_of(design, slot, bus, item.count);
    item.isolation = isolation_of(design, slot, bus);
    item.kg = part->number("weight_kg");
    item.hot_swap = part->fact("hot_swap").text;
    item.source = part->source;
    if (item.hot_swap.empty()) require_hot_swap(context, *part);
    context.out.service_items.push_back(std::move(item));
  }
  for (const PowerBus& bus : design.buses) {
    if (bus.sources.empty()) continue;
    ServiceItem psu;
    psu.part = fmt::format("PSU of {:.1f} kW", bus.sources.front().psu_w / 1e3);
    for (const PowerBus& other : design.buses) {
      for (const PowerSource& source : other.sources) psu.count += source.psus;
    }
    psu.goes_down = is_promised(bus, "psu") ? "nothing, by the maker's promise: the others carry"
                                            : "its share of the supply: see the limits of power";
    psu.isolation = "its slot";
    psu.source = design.source;
    context.out.service_items.push_back(std::move(psu));
    break;  // all buses of a rack hold one kind
  }
}

}  // namespace rackwright::topology
