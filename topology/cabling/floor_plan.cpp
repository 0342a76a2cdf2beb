#include "topology/cabling/floor_plan.hpp"

#include <algorithm>
#include <map>
#include <stdexcept>

#include <fmt/format.h>

#include "common/input_error.hpp"
#include "topology/cabling/switch_placing.hpp"

namespace rackwright::topology {

namespace {

constexpr double kRackUnit = 0.04445, kOpenUnit = 0.048;  // m, EIA-310 and Open Rack v3
constexpr double kEia310Opening = 0.4826;                 // m, 19 inch panel width
constexpr int kTiers = 5;

int ports_of(const FabricDesign& design, FabricTier tier, int highest_port) {
  int ports = highest_port + 1;
  if (tier == FabricTier::node) ports = design.endpoints_per_node * design.planes;
  if (tier == FabricTier::leaf) ports = design.leaf_ports;
  if (tier == FabricTier::core) ports = design.core_ports;
  if (tier == FabricTier::spine) {
    for (const int option : design.spine_port_options) {
      ports = option;
      if (option > highest_port) break;
    }
  }
  return std::max(ports, highest_port + 1);
}

std::string part_of(const FabricDesign& design, FabricTier tier) {
  switch (tier) {
    case FabricTier::leaf:
      return design.leaf_part;
    case FabricTier::spine:
      return design.spine_part;
    case FabricTier::core:
      return design.core_part;
    case FabricTier::node:
    case FabricTier::manager:
      break;
  }
  return "";
}

/// One device for every end that occurs, by tier and index.
void collect_devices(const FabricDesign& design, const std::vector<FabricLink>& links,
                     FloorPlan& plan) {
  std::map<std::pair<int, int>, std::pair<const FabricLinkEnd*, int>> ends;  // and highest port
  const auto add = [&](const FabricLinkEnd& end) {
    auto& entry = ends[{static_cast<int>(end.tier), end.device}];
    if (entry.first == nullptr) entry.first = &end;
    entry.second = std::max(entry.second, end.port);
  };
  for (const FabricLink& link : links) {
    add(link.lower);
    add(link.upper);
  }
  plan.by_tier.resize(kTiers);
  for (const auto& [key, entry] : ends) {
    const FabricLinkEnd& end = *entry.first;
    PlacedDevice device;
    device.tier = end.tier;
    device.index = end.device;
    device.name = device_name(design, end);
    device.part = part_of(design, end.tier);
    device.scalable_unit = end.unit;
    device.rail = end.tier == FabricTier::node ? -1 : end.rail;
    device.plane = end.tier == FabricTier::node ? 0 : end.plane;
    device.ports = ports_of(design, end.tier, entry.second);
    device.ports_per_cage = end.tier == FabricTier::node      ? design.ports_per_node_transceiver
                            : end.tier == FabricTier::manager ? 1
                                                              : design.ports_per_switch_transceiver;
    auto& indices = plan.by_tier[static_cast<std::size_t>(key.first)];
    indices.resize(static_cast<std::size_t>(key.second) + 1, -1);
    indices.back() = static_cast<int>(plan.devices.size());
    plan.devices.push_back(std::move(device));
  }
}

std::vector<const Slot*> compute_slots(const RackDesign& rack) {
  std::vector<const Slot*> slots;
  for (const Slot& slot : rack.slots) {
    if (slot.gpus > 0) slots.push_back(&slot);
  }
  if (slots.empty()) {
    throw InputError(InputProblem{rack.file, 0, "slots", "at least one slot with GPUs", "none"});
  }
  std::sort(slots.begin(), slots.end(),
            [](const Slot* a, const Slot* b) { return a->unit < b->unit; });
  return slots;
}

PlacedRack compute_rack(const RackDesign& rack, int number, int row) {
  PlacedRack placed;
  placed.name = fmt::format("R{:02d}", number + 1);
  placed.row = row;
  placed.width_m = rack.envelope.width_mm / kMillimetresPerMetre;
  placed.depth_m = rack.envelope.depth_mm / kMillimetresPerMetre;
  placed.height_m = rack.envelope.height_mm / kMillimetresPerMetre;
  const double opening = rack.envelope.opening_mm / kMillimetresPerMetre;
  placed.opening_m = std::min(opening > 0 ? opening : kEia310Opening, placed.width_m);
  placed.unit_m = rack.envelope.pitch == UnitPitch::open_unit ? kOpenUnit : kRackUnit;
  placed.units = rack.envelope.height_units;
  return placed;
}

void place_nodes(const RackDesign& rack, const RowLayout& layout, FloorPlan& plan) {
  const auto slots = compute_slots(rack);
  const auto per_rack = static_cast<int>(slots.size());
  for (PlacedDevice& device : plan.devices) {
    if (device.tier != FabricTier::node) continue;
    const Slot& slot = *slots[static_cast<std::size_t>(device.index % per_rack)];
    device.rack = device.index / per_rack;
    device.unit = slot.unit;
    device.height = slot.height;
    device.part = slot.part;
    device.rear = slot.face == Face::rear;
    while (static_cast<int>(plan.racks.size()) <= device.rack) {
      const auto number = static_cast<int>(plan.racks.size());
      plan.racks.push_back(compute_rack(rack, number, number / layout.compute_racks_per_row));
    }
  }
  plan.rows = plan.racks.empty() ? 0 : plan.racks.back().row + 1;
}

/// Racks of a row stand side by side; rows are half an aisle of each kind apart, the figure that
/// floor area per rack is counted with.
void set_positions(const RackDesign& rack, FloorPlan& plan) {
  const Envelope& envelope = rack.envelope;
  plan.row_pitch_m =
      (envelope.depth_mm + (envelope.front_clearance_mm + envelope.rear_clearance_mm) / 2) /
      kMillimetresPerMetre;
  double x = 0;
  int row = -1;
  for (PlacedRack& placed : plan.racks) {
    if (placed.row != row) x = 0;
    row = placed.row;
    placed.x_m = x;
    placed.y_m = placed.row * plan.row_pitch_m;
    x += placed.width_m;
  }
}

}  // namespace

int FloorPlan::device_of(const FabricLinkEnd& end) const {
  const auto& indices = by_tier.at(static_cast<std::size_t>(end.tier));
  const auto i = static_cast<std::size_t>(end.device);
  if (i >= indices.size() || indices[i] < 0) throw std::logic_error("device without a link");
  return indices[i];
}

FloorPlan place_on_floor(const FabricDesign& design, const std::vector<FabricLink>& links,
                         const RowLayout& layout, const RackDesign& rack, const Catalog& catalog) {
  FloorPlan plan;
  collect_devices(design, links, plan);
  place_nodes(rack, layout, plan);
  place_switches(links, layout, rack, catalog, plan);
  set_positions(rack, plan);
  for (const PlacedRack& placed : plan.racks) plan.tray_m = std::max(plan.tray_m, placed.height_m);
  plan.tray_m += layout.practice.tray_over_rack_m;
  return plan;
}

}  // namespace rackwright::topology
