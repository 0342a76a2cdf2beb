#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "topology/catalog.hpp"

namespace rackwright::topology {

/// A rule of `topology/fabrics/*.json`: rail-optimised leaf-spine (and core) with closed-form
/// counts. NIC r of every node goes to a leaf of rail r.
struct FabricDesign {
  std::string id, name, file;
  std::string leaf_part, spine_part, core_part;  ///< catalogue ids; no core_part: two tiers only
  int endpoints_per_node = 8;                    ///< NICs = rails
  int gpus_per_node = 8;
  int nodes_per_su = 32;                      ///< scalable unit, or a rack group
  int leaf_ports = 64;                        ///< ports of the link speed
  int leaf_down_ports = 32;                   ///< to nodes
  int leaf_up_ports = 32;                     ///< to spines
  int spine_ports = 64;                       ///< of the smallest spine
  std::vector<int> spine_port_options;        ///< spines on offer, rising; one as a rule
  std::optional<int> spines_per_rail_per_su;  ///< a printed constant instead of the divisor rule
  int core_ports = 64;
  double link_gbit_per_s = 400;
  double uplink_gbit_per_s = 400;
  bool management_displaces_node = false;  ///< UFM takes one node of the last SU
  int management_cables = 0;       ///< fabric links to the manager, as counted in the cable column
  int management_cable_items = 0;  ///< cables bought for them (one may carry two links)
  int management_transceivers = 0;
  int ports_per_switch_transceiver = 1;  ///< 2: twin-port OSFP
  int ports_per_node_transceiver = 1;
  std::optional<int> max_nodes;  ///< the rule is published up to here
  std::string source, status, confidence;
  std::vector<std::string> notes;
};
/// Throws InputError with all problems, among them ports that do not add up.
[[nodiscard]] FabricDesign read_fabric_design(const std::filesystem::path& path);

/// Counts of a fabric for `nodes` nodes.
struct FabricCounts {
  int nodes = 0, gpus = 0;
  int scalable_units = 0;
  int leaf = 0, spine = 0, core = 0;
  int spine_ports = 0;  ///< of the spine that was chosen
  int node_leaf_cables = 0, leaf_spine_cables = 0, spine_core_cables = 0;
  int link_cables = 0;        ///< all of the above less those to the fabric manager
  int management_cables = 0;  ///< bought for the fabric manager
  int switch_transceivers = 0, node_transceivers = 0, management_transceivers = 0;
  int spare_leaf_ports = 0, spare_spine_ports = 0, spare_core_ports = 0;
  /// 0 when the part's figure is blank; a note says so.
  double switch_power_typical_w = 0, switch_power_max_w = 0;
  double bisection_bytes_per_s = 0;  ///< one direction
  double oversubscription = 1;     ///< node bandwidth over uplink bandwidth at the leaf, 1 or more
  std::vector<std::string> notes;  ///< irregularities, explained
};
/// The counts: every rail of every scalable unit has ceil(nodes / down ports) leaves; the number of
/// spines is the smallest divisor of a leaf's uplinks whose ports take all uplinks, so that every
/// leaf reaches every spine over equally many links. When no such divisor exists and the design has
/// a core, every spine splits its ports in half and the core takes the upper halves.
/// Throws InputError when the design cannot take that many nodes.
[[nodiscard]] FabricCounts count_fabric(const FabricDesign& design, int nodes,
                                        const Catalog& catalog);

}  // namespace rackwright::topology
