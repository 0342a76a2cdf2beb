#include "topology/network/uplink_loads.hpp"

#include <numeric>

namespace rackwright::topology {

UplinkLoads permutation_uplink_loads(const FabricDesign& design, int nodes, Routing routing,
                                     RandomSource random) {
  const auto plan = plan_fabric(design, nodes);
  const FabricNetwork network(design, plan);
  const auto flows = permutation_flows(network, design, nodes, routing, random);
  const auto rates = max_min_rates(network.capacity(), flows);
  const auto loads = link_loads(network.link_count(), flows, rates);
  UplinkLoads result;
  const auto share = [&](std::uint32_t link) {
    const double capacity = network.capacity()[link];
    return capacity > 0 ? loads[link] / capacity : 0.0;
  };
  for (int leaf = 0; leaf < plan.leaf; ++leaf) {
    result.up.emplace_back();
    result.down.emplace_back();
    for (int u = 0; u < plan.leaf_up_ports; ++u) {
      result.up.back().push_back(share(network.up(leaf, u)));
      result.down.back().push_back(share(network.down(leaf, u)));
    }
  }
  if (!rates.empty()) {
    result.mean_rate_share = std::accumulate(rates.begin(), rates.end(), 0.0) /
                             static_cast<double>(rates.size()) / network.nic_bytes_per_s();
  }
  return result;
}

FabricLoad fabric_load(const FabricDesign& design, int nodes) {
  constexpr std::uint64_t kSeed = 1;
  return {design.id, nodes,
          permutation_uplink_loads(design, nodes, Routing::ecmp, RandomSource(kSeed)),
          permutation_uplink_loads(design, nodes, Routing::spray, RandomSource(kSeed))};
}

}  // namespace rackwright::topology
