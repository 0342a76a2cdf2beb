#pragma once

#include <optional>
#include <string>
#include <vector>

#include "topology/catalog.hpp"
#include "topology/network/fabric_design.hpp"

namespace rackwright::topology {

/// One line of a bill of material.
struct FabricItem {
  std::string part;  ///< catalogue id; "" where the design names none
  std::string name, use;
  int quantity = 0;
  std::optional<double> typical_w, max_w, weight_kg, price_usd;  ///< of one; blank is blank
};

/// Counts of a fabric for `nodes` nodes.
struct FabricCounts {
  int nodes = 0, gpus = 0;
  int scalable_units = 0, planes = 1;
  int leaf = 0, spine = 0, core = 0;
  int spine_ports = 0;  ///< of the spine that was chosen
  int node_leaf_cables = 0, leaf_spine_cables = 0, spine_core_cables = 0;
  int joining_links = 0;   ///< between the two switches of a pair
  int joining_cables = 0;  ///< that carry them
  /// Pulled cables of all links above, less those to the manager and between a pair; links in a
  /// factory backplane are no cable.
  int link_cables = 0;
  long long fibres = 0;  ///< in those cables; 0 when the design does not say
  long long backplane_pairs = 0;
  int backplane_cartridges = 0;
  int management_cables = 0;  ///< bought for the fabric manager
  int switch_transceivers = 0, node_transceivers = 0, management_transceivers = 0;
  int spare_leaf_ports = 0, spare_spine_ports = 0, spare_core_ports = 0;
  /// 0 when the part's figure is blank; a note says so.
  double switch_power_typical_w = 0, switch_power_max_w = 0;
  /// Of switches, optics and copper that have a published figure; blanks are in the notes.
  std::optional<double> weight_kg;
  std::optional<double> height_ru;
  std::optional<double> optics_power_typical_w, optics_power_max_w;
  std::vector<FabricItem> items;     ///< bill of material
  double bisection_bytes_per_s = 0;  ///< one direction
  double oversubscription = 1;  ///< node bandwidth over uplink bandwidth at the leaf, 1 or more
  double core_oversubscription = 1;  ///< bandwidth into a spine from below over that to the core
  std::vector<std::string> notes;    ///< irregularities, explained
};
/// Counts of all planes together, by the rule of `plan_fabric`. Throws InputError when the design
/// cannot take that many nodes or names a part that the catalogue has not.
[[nodiscard]] FabricCounts count_fabric(const FabricDesign& design, int nodes,
                                        const Catalog& catalog);

}  // namespace rackwright::topology
