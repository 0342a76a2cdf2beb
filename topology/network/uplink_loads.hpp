#pragma once

#include <string>
#include <vector>

#include "common/random.hpp"
#include "topology/network/fabric_network.hpp"

namespace rackwright::topology {

/// Load of the leaves' uplinks as a share of their rate, [leaf][uplink], both directions apart.
struct UplinkLoads {
  std::vector<std::vector<double>> up, down;
  double mean_rate_share = 0;  ///< mean rate of a flow over the rate of its NIC
};
/// A random permutation of all NICs at max-min fair rates over one plane.
[[nodiscard]] UplinkLoads permutation_uplink_loads(const FabricDesign& design, int nodes,
                                                   Routing routing, RandomSource random);

/// One permutation hashed and sprayed, on the fabric of `nodes` nodes.
struct FabricLoad {
  std::string design;
  int nodes = 0;
  UplinkLoads ecmp, spray;
};
/// The same permutation for every caller, so that drawings can be compared.
[[nodiscard]] FabricLoad fabric_load(const FabricDesign& design, int nodes);

}  // namespace rackwright::topology
