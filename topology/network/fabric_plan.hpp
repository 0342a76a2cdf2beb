#pragma once

#include <string>
#include <vector>

#include "topology/network/fabric_design.hpp"

namespace rackwright::topology {

/// Whole groups of `b` that hold `a` things.
[[nodiscard]] constexpr int ceil_divide(int a, int b) {
  return (a + b - 1) / b;
}

/// Leaves that serve the same NICs: one rail of one scalable unit, or a unit when NICs are attached
/// by rack (rail is then -1).
struct LeafGroup {
  int unit = 0, rail = -1;
  int first_node = 0, nodes = 0;
  int first_leaf = 0, leaves = 0;
};

/// Leaves and spines that are all joined with each other, each pair by `links_per_pair` links.
struct FabricPod {
  int unit = -1, rail = -1;  ///< -1 where the pod spans several
  int first_leaf = 0, leaves = 0;
  int first_spine = 0, spines = 0;
  int links_per_pair = 0;  ///< 0: uplinks go round the spines, pairs differ by one
};

/// Core switches that take the uplinks of spine j of every pod.
struct CoreGroup {
  int first_core = 0, cores = 0;
  int pods = 0;            ///< pods that have a spine j
  int links_per_pair = 0;  ///< between one spine and one core switch
};

/// Which switch is joined with which, in one plane; the planes of a design are equal. Counts and
/// links both come from here, so that they cannot differ.
struct FabricPlan {
  int nodes = 0, scalable_units = 0;
  int leaf = 0, spine = 0, core = 0;  ///< of one plane
  int leaf_up_ports = 0;              ///< in use; 0 when there is nothing to join
  int spine_ports = 0;                ///< of the spine that was chosen
  int spine_up_ports = 0;             ///< in use
  int joining_links = 0;              ///< between the switches of a pair
  std::vector<LeafGroup> leaf_groups;
  std::vector<FabricPod> pods;
  std::vector<CoreGroup> core_groups;
  std::vector<std::string> notes;  ///< irregularities, explained
};

/// Leaves: ceil(nodes / down ports) per rail and scalable unit, or ceil(NICs / down ports) per unit
/// when attached by rack. Spines of a pod: the smallest divisor of a leaf's uplinks whose ports
/// take all uplinks, so that every leaf reaches every spine over equally many links. Where no such
/// divisor exists and the design has a core, spines give part of their ports (half unless printed)
/// to it; spine j of every pod meets core group j, whose size is the smallest divisor of a spine's
/// uplinks that takes them. Throws InputError when the design cannot take that many nodes.
[[nodiscard]] FabricPlan plan_fabric(const FabricDesign& design, int nodes);

}  // namespace rackwright::topology
