#include <algorithm>
#include <numeric>

#include <fmt/format.h>

#include "topology/network/fabric_network.hpp"

// Paths of a FabricNetwork: one by hash, or all of them.
namespace rackwright::topology {

bool FabricNetwork::pick_above(const FabricPod& a, const FabricPod& b, int j, std::uint64_t hash,
                               std::vector<std::uint32_t>& path) const {
  if (j >= b.spines || plan_.core_groups.empty()) return false;
  const CoreGroup& group = plan_.core_groups[static_cast<std::size_t>(j)];
  const int spine_a = a.first_spine + j, spine_b = b.first_spine + j;
  const auto ups = static_cast<std::uint64_t>(plan_.spine_up_ports);
  const auto pairs = static_cast<std::uint64_t>(group.links_per_pair);
  const int tries = whole_ ? 1 : 4 * plan_.spine_up_ports;
  for (int t = 0; t < tries; ++t) {
    const std::uint64_t bits = mix_bits(hash + static_cast<std::uint64_t>(t));
    const int q = static_cast<int>(bits % ups);
    const int back =
        q / group.links_per_pair * group.links_per_pair + static_cast<int>((bits >> 32U) % pairs);
    if (!alive(core_up(spine_a, q)) || !alive(core_down(spine_b, back))) continue;
    path.push_back(core_up(spine_a, q));
    path.push_back(core_down(spine_b, back));
    return true;
  }
  return false;
}

bool FabricNetwork::pick(int from, int to, std::uint64_t hash,
                         std::vector<std::uint32_t>& path) const {
  if (from == to) return true;
  if (joins_ > 0) {
    path.push_back(joined(from, static_cast<int>(mix_bits(hash) % joins_)));
    return true;
  }
  const int pod_a = pod_of_[static_cast<std::size_t>(from)];
  const int pod_b = pod_of_[static_cast<std::size_t>(to)];
  if (pod_a < 0 || pod_b < 0) return false;
  const FabricPod& a = plan_.pods[static_cast<std::size_t>(pod_a)];
  const FabricPod& b = plan_.pods[static_cast<std::size_t>(pod_b)];
  const auto ups = static_cast<std::uint64_t>(plan_.leaf_up_ports);
  const int tries = whole_ && a.spines <= b.spines ? 1 : 8 * plan_.leaf_up_ports;
  std::vector<int> back;
  for (int t = 0; t < tries; ++t) {
    const std::uint64_t bits = mix_bits(hash ^ (std::uint64_t{0x517cc1b7} * (t + 1U)));
    const int u = static_cast<int>(bits % ups);
    const int j = spine_of(a, from, u);
    if (j >= b.spines || !alive(up(from, u))) continue;
    const std::size_t mark = path.size();
    path.push_back(up(from, u));
    const bool over = pod_a == pod_b || pick_above(a, b, j, bits, path);
    uplinks_to(b, to, j, back);
    if (over && !back.empty()) {
      path.push_back(down(to, back[(bits >> 40U) % back.size()]));
      return true;
    }
    path.resize(mark);
  }
  return false;
}

bool FabricNetwork::add_ecmp(Endpoint from, Endpoint to, std::uint64_t hash, FlowSet& flows) const {
  std::vector<std::uint32_t> path;
  path.reserve(6);
  path.push_back(transmit(from));
  if (!alive(transmit(from)) || !alive(receive(to))) return false;
  if (!pick(leaf_of(from), leaf_of(to), hash, path)) return false;
  path.push_back(receive(to));
  flows.add(path);
  return true;
}

bool FabricNetwork::between(int from, int to,
                            std::vector<std::vector<std::uint32_t>>& paths) const {
  if (joins_ > 0) {
    for (int k = 0; k < static_cast<int>(joins_); ++k) paths.push_back({joined(from, k)});
    return true;
  }
  const int pod_a = pod_of_[static_cast<std::size_t>(from)];
  const int pod_b = pod_of_[static_cast<std::size_t>(to)];
  if (pod_a < 0 || pod_b < 0) return false;
  const FabricPod& a = plan_.pods[static_cast<std::size_t>(pod_a)];
  const FabricPod& b = plan_.pods[static_cast<std::size_t>(pod_b)];
  std::vector<int> back;
  for (int u = 0; u < plan_.leaf_up_ports; ++u) {
    const int j = spine_of(a, from, u);
    if (j >= b.spines || !alive(up(from, u))) continue;
    uplinks_to(b, to, j, back);
    for (const int v : back) {
      if (pod_a == pod_b) {
        paths.push_back({up(from, u), down(to, v)});
        continue;
      }
      if (plan_.core_groups.empty()) return false;
      const CoreGroup& group = plan_.core_groups[static_cast<std::size_t>(j)];
      for (int q = 0; q < plan_.spine_up_ports; ++q) {
        for (int k = 0; k < group.links_per_pair; ++k) {
          const int r = q / group.links_per_pair * group.links_per_pair + k;
          const auto rise = core_up(a.first_spine + j, q), fall = core_down(b.first_spine + j, r);
          if (alive(rise) && alive(fall)) paths.push_back({up(from, u), rise, fall, down(to, v)});
        }
      }
    }
  }
  return !paths.empty();
}

bool FabricNetwork::add_spray(Endpoint from, Endpoint to, FlowSet& flows) const {
  if (!alive(transmit(from)) || !alive(receive(to))) return false;
  std::vector<std::vector<std::uint32_t>> paths;
  const int a = leaf_of(from), b = leaf_of(to);
  if (a == b) {
    paths.emplace_back();
  } else if (!between(a, b, paths)) {
    return false;
  }
  // Each path carries the same share; a link adds up the paths that cross it.
  std::vector<std::uint32_t> crossed;
  for (const auto& path : paths) crossed.insert(crossed.end(), path.begin(), path.end());
  std::sort(crossed.begin(), crossed.end());
  const double part = 1.0 / static_cast<double>(paths.size());
  if (flows.share.size() < flows.link.size()) flows.share.resize(flows.link.size(), 1);
  const auto use = [&](std::uint32_t link, double share) {
    flows.link.push_back(link);
    flows.share.push_back(share);
  };
  use(transmit(from), 1);
  for (std::size_t i = 0; i < crossed.size();) {
    std::size_t next = i;
    while (next < crossed.size() && crossed[next] == crossed[i]) ++next;
    use(crossed[i], part * static_cast<double>(next - i));
    i = next;
  }
  use(receive(to), 1);
  flows.first.push_back(static_cast<std::uint32_t>(flows.link.size()));
  return true;
}

std::string FabricNetwork::link_name(std::uint32_t link) const {
  const auto eps = static_cast<std::uint32_t>(design_.endpoints_per_node);
  const auto ups = static_cast<std::uint32_t>(std::max(1, plan_.leaf_up_ports));
  const auto core_ups = static_cast<std::uint32_t>(std::max(1, plan_.spine_up_ports));
  if (link < nics_) {
    return fmt::format("node {} NIC {} to leaf {}", link / eps + 1, link % eps + 1,
                       leaf_of_[link] + 1);
  }
  if ((link -= nics_) < nics_) {
    return fmt::format("leaf {} to node {} NIC {}", leaf_of_[link] + 1, link / eps + 1,
                       link % eps + 1);
  }
  const bool rising = (link -= nics_) < uplinks_;
  if (rising || (link -= uplinks_) < uplinks_) {
    return fmt::format("leaf {} uplink {} {}", link / ups + 1, link % ups + 1,
                       rising ? "up" : "down");
  }
  if ((link -= uplinks_) < 2 * joins_) {
    return fmt::format("joining link {} from switch {}", link % joins_ + 1, link / joins_ + 1);
  }
  link -= 2 * joins_;
  const bool core_rising = link < core_links_;
  if (!core_rising) link -= core_links_;
  return fmt::format("spine {} uplink {} {}", link / core_ups + 1, link % core_ups + 1,
                     core_rising ? "up" : "down");
}

FlowSet permutation_flows(const FabricNetwork& network, const FabricDesign& design, int nodes,
                          Routing routing, RandomSource random) {
  const int eps = design.endpoints_per_node;
  // Rails that share no switch are permuted each for itself: a library forwards over NVLink first.
  const bool apart = nodes > 0 && eps > 1 &&
                     !network.joined_leaves(network.leaf_of({0, 0}), network.leaf_of({0, 1}));
  const int groups = apart ? eps : 1;
  const int size = apart ? nodes : nodes * eps;
  std::vector<int> to(static_cast<std::size_t>(nodes) * static_cast<std::size_t>(eps));
  std::vector<std::size_t> order(static_cast<std::size_t>(size));
  for (int group = 0; group < groups; ++group) {
    std::iota(order.begin(), order.end(), std::size_t{0});
    // Sattolo's shuffle: one cycle, so nobody sends to itself.
    for (std::size_t i = order.size() - 1; i > 0; --i) std::swap(order[i], order[random.below(i)]);
    for (std::size_t i = 0; i < order.size(); ++i) {
      const auto step = static_cast<std::size_t>(groups);
      to[i * step + static_cast<std::size_t>(group)] = static_cast<int>(order[i] * step) + group;
    }
  }
  FlowSet flows;
  for (std::size_t i = 0; i < to.size(); ++i) {
    const auto from = static_cast<int>(i);
    const Endpoint a{from / eps, from % eps}, b{to[i] / eps, to[i] % eps};
    if (routing == Routing::spray) {
      (void)network.add_spray(a, b, flows);
    } else {
      (void)network.add_ecmp(a, b, random.next(), flows);
    }
  }
  return flows;
}

FlowSet shift_flows(const FabricNetwork& network, const FabricDesign& design, int nodes,
                    Routing routing, RandomSource random) {
  FlowSet flows;
  const bool by_rail = design.attachment == Attachment::rail;
  const int step = by_rail ? design.leaf_down_ports
                           : std::max(1, design.leaf_down_ports / design.endpoints_per_node);
  for (int node = 0; node < nodes; ++node) {
    for (int nic = 0; nic < design.endpoints_per_node; ++nic) {
      const Endpoint from{node, nic}, to{(node + step) % nodes, nic};
      if (routing == Routing::spray) {
        (void)network.add_spray(from, to, flows);
      } else {
        (void)network.add_ecmp(from, to, random.next(), flows);
      }
    }
  }
  return flows;
}

}  // namespace rackwright::topology
