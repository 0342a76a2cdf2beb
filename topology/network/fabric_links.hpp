#pragma once

#include <functional>
#include <string>
#include <vector>

#include "topology/network/fabric_plan.hpp"

namespace rackwright::topology {

enum class FabricTier { node, leaf, spine, core, manager };
[[nodiscard]] const char* name_of(FabricTier tier);

/// One end of a link. All numbers start at 0; -1 means "does not apply".
struct FabricLinkEnd {
  FabricTier tier = FabricTier::node;
  int device = 0;  ///< index within its tier, over the whole fabric and all planes
  int place = -1;  ///< of a leaf: its index among those of its unit and rail
  int unit = -1;   ///< scalable unit of a node or leaf; of a spine that belongs to one
  int pod = -1;    ///< of a leaf or spine; the group of a core switch
  int rail = -1;   ///< of a NIC or leaf; of a spine that belongs to one
  int plane = 0;
  int port = 0;  ///< of the link speed: NIC number x planes + plane on a node
  int cage = 0;  ///< the cage that holds the port
  int lane = 0;  ///< which part of a split cage, 0 when it is not split
};

/// One link at line rate: a fibre pair or half of a twin-port cable. `lower` is nearer to the node.
struct FabricLink {
  FabricLinkEnd lower, upper;
  double gbit_per_s = 0;
};

/// Visits every link of the built fabric: nodes to leaves, the manager's, leaves to spines (or the
/// two switches of a pair), spines to core; plane by plane. The order never changes.
void for_each_link(const FabricDesign& design, const FabricPlan& plan,
                   const std::function<void(const FabricLink&)>& visit);
[[nodiscard]] std::vector<FabricLink> list_links(const FabricDesign& design,
                                                 const FabricPlan& plan);

/// Links that are alike by symmetry: same tiers, rate and place; `count` of them in the fabric.
struct FabricLinkClass {
  FabricTier lower = FabricTier::node, upper = FabricTier::leaf;
  double gbit_per_s = 0;
  long long count = 0;
};
/// The classes in closed form, without walking the links. A class with no link is left out.
[[nodiscard]] std::vector<FabricLinkClass> classify_links(const FabricDesign& design,
                                                          const FabricPlan& plan);

/// "node-017", "leaf-su2-rail3-1", "spine-05", "core-12", "manager"; numbers from 1, a plane letter
/// before them where there is more than one: "leaf-b-su2-rail3-1".
[[nodiscard]] std::string device_name(const FabricDesign& design, const FabricLinkEnd& end);

}  // namespace rackwright::topology
