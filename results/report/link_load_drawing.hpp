#pragma once

#include <string>
#include <vector>

#include "common/random.hpp"
#include "topology/network/fabric_network.hpp"

namespace rackwright::results {

/// Load of the leaves' uplinks as a share of their rate, [leaf][uplink], both directions apart.
struct UplinkLoads {
  std::vector<std::vector<double>> up, down;
  double mean_rate_share = 0;  ///< mean rate of a flow over the rate of its NIC
};
/// A random permutation of all NICs at max-min fair rates over one plane.
[[nodiscard]] UplinkLoads permutation_uplink_loads(const topology::FabricDesign& design, int nodes,
                                                   topology::Routing routing, RandomSource random);

/// Heat map: a row a leaf, a cell an uplink, in the order of the topology; the number in per cent
/// where it fits. Up to 2 000 cells are all drawn, as the pattern over uplinks is what the map is
/// for; above that one cell a leaf with its highest load.
[[nodiscard]] std::string link_load_svg(const topology::FabricDesign& design,
                                        const UplinkLoads& ecmp, const UplinkLoads& spray);

}  // namespace rackwright::results
