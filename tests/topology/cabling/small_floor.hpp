#pragma once

#include <filesystem>
#include <string>

#include "common/data_locator.hpp"
#include "topology/cabling/cable_plan.hpp"

/// Floors small enough to measure with a ruler, and the shipped designs.
namespace rackwright::topology::testing {

/// Two cabinets of 600 x 2233.6 mm side by side: 48 units of 44.45 mm are 2133.6 mm, so plinth and
/// top are 50 mm each. The tray is 300 mm over them.
inline FloorPlan two_racks() {
  FloorPlan floor;
  floor.rows = 1;
  floor.row_pitch_m = 2;
  floor.tray_m = 2.5336;
  for (int i = 0; i < 2; ++i) {
    PlacedRack rack;
    rack.name = "R0" + std::to_string(i + 1);
    rack.x_m = 0.6 * i;
    rack.width_m = 0.6;
    rack.depth_m = 1.2;
    rack.height_m = 2.2336;
    rack.opening_m = 0.45;
    rack.unit_m = 0.04445;
    rack.units = 48;
    floor.racks.push_back(rack);
  }
  return floor;
}

/// A device of one cage in the middle of its face.
inline int add_device(FloorPlan& floor, const std::string& name, int rack, double unit) {
  PlacedDevice device;
  device.name = name;
  device.rack = rack;
  device.unit = unit;
  device.ports = 1;
  floor.devices.push_back(device);
  return static_cast<int>(floor.devices.size()) - 1;
}

inline CablingPractice practice() {
  CablingPractice p;
  p.cross_tray_at_start = p.cross_tray_at_end = true;
  p.slack = 0.05;
  p.service_loop_m = 0.3;
  return p;
}

inline DataLocator data() {
  return DataLocator({std::filesystem::path(RACKWRIGHT_SOURCE_DIR)});
}

/// A shipped design on a shipped layout.
inline CablePlan shipped(const std::string& fabric, int nodes, const std::string& layout,
                         const std::string& rack) {
  const DataLocator locator = data();
  const Catalog catalog = Catalog::load(locator);
  const FabricDesign design = read_fabric_design(locator.find(fabric, "topology/fabrics"));
  return plan_cabling(design, list_links(design, plan_fabric(design, nodes)),
                      read_row_layout(locator.find(layout, kLayoutFolder), locator),
                      read_rack_design(locator.find(rack, "topology/racks"), catalog), catalog);
}

}  // namespace rackwright::topology::testing
