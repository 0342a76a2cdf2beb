#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "topology/cabling/cable_media.hpp"
#include "topology/cabling/floor_plan.hpp"
#include "topology/cabling/tray_graph.hpp"

namespace rackwright::topology {

/// One plug of a cable.
struct CableEnd {
  int device = 0;          ///< index into the floor plan
  int cage = 0;            ///< of the device, from 0
  std::vector<int> ports;  ///< of the link speed, from 0
};

/// The way from the first end to another one.
struct CableLeg {
  Side first_side = Side::left, other_side = Side::left;  ///< managers used
  bool in_rack = false;                                   ///< never leaves the managers of a rack
  double length_m = 0;                                    ///< port to port, without slack
};

/// One cable to pull.
struct PulledCable {
  std::vector<int> links;      ///< indices into the links of the plan
  std::vector<CableEnd> ends;  ///< two; a breakout has its shared end first and two others
  std::vector<CableLeg> legs;  ///< one for each end but the first
  Medium medium = Medium::unknown;
  std::string part;               ///< catalogue id; "" when nothing fits
  double routed_m = 0;            ///< of the longest leg
  double needed_m = 0;            ///< with slack and service loops
  std::optional<double> sku_m;    ///< ordered length; blank where lengths are not published
  std::optional<double> loss_db;  ///< fibre: the channel with its two module connectors
  std::optional<double> loss_budget_db;
  std::string polarity;  ///< of a fibre cord, with pins; "" where not published and on copper
  double reach_m = 0;    ///< longest length of this medium here; 0 where unknown
  int cord = 0;          ///< of several that carry one link, from 0
  std::string problem;   ///< why nothing fits, or what is blank
  /// Ordered length, or the needed one where none is published.
  [[nodiscard]] double length_m() const { return sku_m.value_or(needed_m); }
};

/// A pluggable module in a cage.
struct PlacedTransceiver {
  int device = 0, cage = 0;
  std::string part;  ///< "" when the form of the cage is blank or nothing fits
  Medium medium = Medium::unknown;
  bool flat_top = false;
};

/// Factory cables of the racks: never pulled, no line on the pull sheet.
struct FactoryBackplane {
  int racks = 0, cartridges_per_rack = 0, pairs_per_rack = 0;
};

/// Everything there is to pull for a fabric on a floor.
struct CablePlan {
  RowLayout layout;
  std::vector<FabricLink> links;
  FloorPlan floor;
  std::vector<CageType> cages;  ///< type of the cages of each device
  std::vector<PulledCable> cables;
  std::vector<PlacedTransceiver> transceivers;
  FactoryBackplane backplane;
  std::vector<std::string> notes;
};

/// Lays every link: twin-port copper where all links of two cages join each other, a copper
/// breakout where a cage splits to single-link cages, else modules and fibre; of these the first of
/// the catalogue that reaches. A module serves all links of its cage, so cages that are joined by
/// fibre take one kind of light together. Throws InputError as `place_on_floor` does.
[[nodiscard]] CablePlan plan_cabling(const FabricDesign& design, std::vector<FabricLink> links,
                                     const RowLayout& layout, const RackDesign& rack,
                                     const Catalog& catalog);

/// "3/1" on a cage of several links, else "5"; NICs "nic2". Numbers from 1.
[[nodiscard]] std::string port_name(const PlacedDevice& device, int port);

/// Height of a device's middle and place of a cage across the opening, m.
[[nodiscard]] double port_z_m(const FloorPlan& floor, const PlacedDevice& device);
[[nodiscard]] double port_x_m(const FloorPlan& floor, const PlacedDevice& device, int cage);

/// The shortest way between two plugs. In a rack: to the side, along the manager, back. Else over
/// the trays; the sides are chosen so that the sum is least.
[[nodiscard]] CableLeg route_leg(const FloorPlan& floor, TrayGraph& trays, const CableEnd& from,
                                 const CableEnd& to);
/// Length to order at least: routed (1 + slack) + two service loops.
[[nodiscard]] double needed_length_m(double routed_m, const CablingPractice& practice);

}  // namespace rackwright::topology
