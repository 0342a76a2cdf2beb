#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "topology/catalog.hpp"

namespace rackwright::topology {

/// A rule of `topology/fabrics/*.json`: rail-optimised leaf-spine (and core) with closed-form
/// counts.
struct FabricDesign {
  std::string id, name, file;
  std::string leaf_part, spine_part, core_part;  ///< catalogue ids
  int endpoints_per_node = 8;  ///< NICs = rails
  int gpus_per_node = 8;
  int nodes_per_su = 32;
  int leaf_ports = 64;   ///< ports of the link speed
  int spine_ports = 64;
  double link_gbit_per_s = 400;
  bool management_displaces_node = false;  ///< UFM takes one node of the last SU
  int management_cables = 0;
  std::string source;
};
[[nodiscard]] FabricDesign read_fabric_design(const std::filesystem::path& path);

/// Counts of a fabric for `nodes` nodes.
struct FabricCounts {
  int nodes = 0, gpus = 0;
  int leaf = 0, spine = 0, core = 0;
  int node_leaf_cables = 0, leaf_spine_cables = 0, spine_core_cables = 0;
  int switch_transceivers = 0, node_transceivers = 0, management_transceivers = 0;
  int spare_leaf_ports = 0, spare_spine_ports = 0;
  double switch_power_typical_w = 0, switch_power_max_w = 0;
  double bisection_bytes_per_s = 0;  ///< one direction
  std::vector<std::string> notes;    ///< irregularities, explained
};
/// Throws InputError when the design cannot take that many nodes.
[[nodiscard]] FabricCounts count_fabric(const FabricDesign& design, int nodes,
                                        const Catalog& catalog);

}  // namespace rackwright::topology
