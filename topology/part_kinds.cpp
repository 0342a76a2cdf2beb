#include "topology/part_kinds.hpp"

namespace rackwright::topology {

const std::vector<std::string>& part_kinds() {
  static const std::vector<std::string> kinds{
      "battery_shelf",
      "busbar",
      "cable",
      "cdu",
      "chassis",
      "chiller",
      "clearance",
      "cold_plate",
      "component",
      "compute_tray",
      "connector",
      "converter",
      "coolant",
      "cooling_tier",
      "cooling_tower",
      "coupling",
      "cpu",
      "dry_cooler",
      "environment_class",
      "facility",
      "fan",
      "feed",
      "fibre_trunk",
      "floor",
      "gpu_module",
      "lead_time",
      "management",
      "nic",
      "node",
      "pdu",
      "power_architecture",
      "power_rack",
      "power_shelf",
      "price",
      "psu",
      "rack",
      "rear_door",
      "reliability",
      "room_cooler",
      "rule",
      "site",
      "switch",
      "switch_tray",
      "transceiver",
      "transient",
  };
  return kinds;
}

}  // namespace rackwright::topology
