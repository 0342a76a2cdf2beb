#include <cmath>
#include <limits>

#include "topology/cabling/cable_plan.hpp"

namespace rackwright::topology {

namespace {

const PlacedRack& rack_of(const FloorPlan& floor, const PlacedDevice& device) {
  return floor.racks[static_cast<std::size_t>(device.rack)];
}

}  // namespace

std::string port_name(const PlacedDevice& device, int port) {
  if (device.tier == FabricTier::node) return "nic" + std::to_string(port + 1);
  if (device.ports_per_cage <= 1) return std::to_string(port + 1);
  return std::to_string(port / device.ports_per_cage + 1) + "/" +
         std::to_string(port % device.ports_per_cage + 1);
}

double port_z_m(const FloorPlan& floor, const PlacedDevice& device) {
  const PlacedRack& rack = rack_of(floor, device);
  return rack.base_m() + (device.unit - 1 + device.height / 2) * rack.unit_m;
}

double port_x_m(const FloorPlan& floor, const PlacedDevice& device, int cage) {
  const PlacedRack& rack = rack_of(floor, device);
  const double share = (cage + 0.5) / device.cages();
  return rack.x_m + (rack.width_m - rack.opening_m) / 2 + share * rack.opening_m;
}

CableLeg route_leg(const FloorPlan& floor, TrayGraph& trays, const CableEnd& from,
                   const CableEnd& to) {
  const PlacedDevice& a = floor.devices[static_cast<std::size_t>(from.device)];
  const PlacedDevice& b = floor.devices[static_cast<std::size_t>(to.device)];
  const double xa = port_x_m(floor, a, from.cage), xb = port_x_m(floor, b, to.cage);
  const double za = port_z_m(floor, a), zb = port_z_m(floor, b);
  CableLeg best;
  best.length_m = std::numeric_limits<double>::infinity();
  best.in_rack = a.rack == b.rack;
  for (const Side first : {Side::left, Side::right}) {
    for (const Side other : {Side::left, Side::right}) {
      if (best.in_rack && first != other) continue;
      const double across = std::abs(xa - TrayGraph::manager_x(rack_of(floor, a), first)) +
                            std::abs(xb - TrayGraph::manager_x(rack_of(floor, b), other));
      const double rest = best.in_rack ? std::abs(za - zb)
                                       : floor.tray_m - za + floor.tray_m - zb +
                                             trays.distance(trays.exit_of(a.rack, first),
                                                            trays.exit_of(b.rack, other));
      if (across + rest >= best.length_m) continue;
      best.length_m = across + rest;
      best.first_side = first;
      best.other_side = other;
    }
  }
  return best;
}

double needed_length_m(double routed_m, const CablingPractice& practice) {
  return routed_m * (1 + practice.slack) + 2 * practice.service_loop_m;
}

}  // namespace rackwright::topology
