#pragma once

#include <string>
#include <vector>

#include "topology/cabling/layout.hpp"
#include "topology/catalog.hpp"
#include "topology/network/fabric_links.hpp"
#include "topology/rack_design.hpp"

namespace rackwright::topology {

/// A cabinet on the floor. `x` runs along the rows, `y` across them; the port face of a row lies on
/// its `y`. Metres.
struct PlacedRack {
  std::string name;  ///< "R03" with nodes, "N01" with switches only
  bool network = false;
  int row = 0;  ///< in the order of y
  double x_m = 0, y_m = 0;
  double width_m = 0, depth_m = 0, height_m = 0, opening_m = 0;
  double unit_m = 0;
  int units = 0;
  /// Height of the lower edge of unit 1: plinth and top share what the units leave of the height.
  [[nodiscard]] double base_m() const { return (height_m - units * unit_m) / 2; }
};

/// A node or switch in its place.
struct PlacedDevice {
  FabricTier tier = FabricTier::node;
  int index = 0;  ///< within its tier
  std::string name;
  std::string part;  ///< catalogue id; "" when the fabric names none
  int scalable_unit = -1, rail = -1, plane = 0;
  int rack = 0;
  double unit = 1;    ///< lowest unit, from 1
  double height = 1;  ///< units
  int ports = 0;      ///< of the link speed
  int ports_per_cage = 1;
  bool rear = false;
  [[nodiscard]] int cages() const { return (ports + ports_per_cage - 1) / ports_per_cage; }
};

struct FloorPlan {
  std::vector<PlacedRack> racks;  ///< by row, then x
  std::vector<PlacedDevice> devices;
  int rows = 0;
  double row_pitch_m = 0;
  double tray_m = 0;  ///< height of every tray over the floor
  std::vector<std::string> notes;

  /// Index into `devices`. Throws std::logic_error for a device that has no link.
  [[nodiscard]] int device_of(const FabricLinkEnd& end) const;
  /// First device of each tier in `devices`, by index; -1 where there is none.
  std::vector<std::vector<int>> by_tier;
};

/// Puts nodes into compute racks in order of their numbers and switches where the layout says.
/// Throws InputError for a rack without
/// compute slots.
[[nodiscard]] FloorPlan place_on_floor(const FabricDesign& design,
                                       const std::vector<FabricLink>& links,
                                       const RowLayout& layout, const RackDesign& rack,
                                       const Catalog& catalog);

}  // namespace rackwright::topology
