#include "topology/network/fabric_network.hpp"

#include <algorithm>
#include <cmath>

namespace rackwright::topology {

namespace {

constexpr double kBytesPerGigabit = 1e9 / 8;

std::vector<int> leaves_of_nics(const FabricDesign& design, const FabricPlan& plan) {
  const int eps = design.endpoints_per_node;
  std::vector<int> leaf(static_cast<std::size_t>(plan.nodes) * static_cast<std::size_t>(eps), 0);
  for (const LeafGroup& group : plan.leaf_groups) {
    const bool alternate =
        design.leaves_per_unit || (design.shape == FabricShape::switch_pair && group.leaves == 2);
    for (int n = 0; n < group.nodes; ++n) {
      for (int nic = 0; nic < eps; ++nic) {
        if (group.rail >= 0 && nic != group.rail) continue;
        const int place = group.rail >= 0 ? n : n * eps + nic;
        const int index = alternate ? place % group.leaves : place / design.leaf_down_ports;
        leaf[static_cast<std::size_t>((group.first_node + n) * eps + nic)] =
            group.first_leaf + index;
      }
    }
  }
  return leaf;
}

}  // namespace

std::uint64_t mix_bits(std::uint64_t value) {
  value += 0x9e3779b97f4a7c15U;
  value = (value ^ (value >> 30U)) * 0xbf58476d1ce4e5b9U;
  value = (value ^ (value >> 27U)) * 0x94d049bb133111ebU;
  return value ^ (value >> 31U);
}

FabricNetwork::FabricNetwork(const FabricDesign& design, const FabricPlan& plan,
                             FabricFailures failures)
    : design_(design), plan_(plan), leaf_of_(leaves_of_nics(design, plan)) {
  nics_ = static_cast<std::uint32_t>(leaf_of_.size());
  uplinks_ = static_cast<std::uint32_t>(plan.leaf * plan.leaf_up_ports);
  joins_ = static_cast<std::uint32_t>(plan.joining_links);
  core_links_ = static_cast<std::uint32_t>(plan.spine * plan.spine_up_ports);
  nic_bytes_per_s_ = design.link_gbit_per_s * kBytesPerGigabit;
  capacity_.assign(2 * nics_, nic_bytes_per_s_);
  int node = 0;
  for (const NodeGeneration& generation : design.generations) {
    const int end = std::min(plan.nodes, node + generation.nodes);
    for (; node < end; ++node) {
      for (int nic = 0; nic < design.endpoints_per_node; ++nic) {
        const double rate = generation.link_gbit_per_s * kBytesPerGigabit;
        capacity_[transmit({node, nic})] = capacity_[receive({node, nic})] = rate;
      }
    }
  }
  capacity_.resize(2 * (std::size_t{nics_} + uplinks_ + joins_ + core_links_),
                   design.uplink_gbit_per_s * kBytesPerGigabit);
  pod_of_.assign(static_cast<std::size_t>(plan.leaf), -1);
  for (std::size_t p = 0; p < plan.pods.size(); ++p) {
    const FabricPod& pod = plan.pods[p];
    std::fill_n(pod_of_.begin() + pod.first_leaf, pod.leaves, static_cast<int>(p));
  }
  plane_share_ = 1 - static_cast<double>(failures.planes.size()) / design.planes;
  failures.planes.clear();
  whole_ = failures.none();
  if (!whole_) fail(failures);
}

std::optional<double> FabricNetwork::expected_first_hash(const FlowSet& flows) const {
  if (!whole_ || !one_generation() || uplinks_ == 0 || flows.size() == 0 ||
      design_.uplink_gbit_per_s != design_.link_gbit_per_s) {
    return std::nullopt;
  }
  std::vector<double> leaving(static_cast<std::size_t>(plan_.leaf), 0);
  double carried = 0;
  for (std::size_t f = 0; f < flows.size(); ++f) {
    const auto first = flows.first[f];
    if (flows.first[f + 1] - first <= 2) {
      carried += 1;  // NIC to NIC under one leaf
    } else {
      leaving[static_cast<std::size_t>(leaf_of_[flows.link[first]])] += 1;
    }
  }
  const double n = plan_.leaf_up_ports;
  for (const double k : leaving) carried += n * (1 - std::pow(1 - 1 / n, k));
  return carried / static_cast<double>(flows.size());
}

std::vector<double> FabricNetwork::capacity_up() const {
  std::vector<double> capacity = capacity_;
  const auto open = [&](std::uint32_t first, std::uint32_t count) {
    // More than all NICs together can send.
    const double all = nic_bytes_per_s_ * nics_;
    for (std::uint32_t link = first; link < first + count; ++link) {
      if (capacity[link] > 0) capacity[link] = all;
    }
  };
  if (uplinks_ > 0) open(down(0, 0), uplinks_);
  if (core_links_ > 0) open(core_down(0, 0), core_links_);
  return capacity;
}

std::uint32_t FabricNetwork::transmit(Endpoint e) const {
  return static_cast<std::uint32_t>(e.node * design_.endpoints_per_node + e.nic);
}
std::uint32_t FabricNetwork::receive(Endpoint e) const {
  return nics_ + transmit(e);
}
std::uint32_t FabricNetwork::up(int leaf, int uplink) const {
  return 2 * nics_ + static_cast<std::uint32_t>(leaf * plan_.leaf_up_ports + uplink);
}
std::uint32_t FabricNetwork::down(int leaf, int uplink) const {
  return uplinks_ + up(leaf, uplink);
}
std::uint32_t FabricNetwork::joined(int from, int link) const {
  return 2 * (nics_ + uplinks_) + (from == 0 ? 0 : joins_) + static_cast<std::uint32_t>(link);
}
std::uint32_t FabricNetwork::core_up(int spine, int uplink) const {
  return 2 * (nics_ + uplinks_ + joins_) +
         static_cast<std::uint32_t>(spine * plan_.spine_up_ports + uplink);
}
std::uint32_t FabricNetwork::core_down(int spine, int uplink) const {
  return core_links_ + core_up(spine, uplink);
}

int FabricNetwork::leaf_of(Endpoint endpoint) const {
  return leaf_of_[transmit(endpoint)];
}

double FabricNetwork::rails_of_leaf(int leaf) const {
  for (const LeafGroup& group : plan_.leaf_groups) {
    if (leaf < group.first_leaf || leaf >= group.first_leaf + group.leaves) continue;
    if (group.rail >= 0) return 1;
    const bool pair = design_.shape == FabricShape::switch_pair && group.leaves == 2;
    return pair ? std::max(1, design_.endpoints_per_node / 2) : design_.endpoints_per_node;
  }
  return 1;
}

bool FabricNetwork::joined_leaves(int a, int b) const {
  if (a == b || joins_ > 0) return true;
  const int pod_a = pod_of_leaf(a), pod_b = pod_of_leaf(b);
  return pod_a >= 0 && pod_b >= 0 && (pod_a == pod_b || !plan_.core_groups.empty());
}

double FabricNetwork::leaf_up_capacity(int leaf) const {
  double sum = 0;
  for (std::uint32_t k = 0; k < joins_; ++k) sum += capacity_[joined(leaf, static_cast<int>(k))];
  for (int u = 0; u < plan_.leaf_up_ports; ++u) sum += capacity_[up(leaf, u)];
  return sum;
}

double FabricNetwork::pod_up_capacity(int pod) const {
  const FabricPod& shape = plan_.pods[static_cast<std::size_t>(pod)];
  double sum = 0;
  for (int j = 0; j < shape.spines; ++j) {
    for (int q = 0; q < plan_.spine_up_ports; ++q) {
      sum += capacity_[core_up(shape.first_spine + j, q)];
    }
  }
  return sum;
}

int FabricNetwork::spine_of(const FabricPod& pod, int leaf, int uplink) const {
  if (pod.links_per_pair > 0) return uplink / pod.links_per_pair;
  return ((leaf - pod.first_leaf) * plan_.leaf_up_ports + uplink) % pod.spines;
}

void FabricNetwork::uplinks_to(const FabricPod& pod, int leaf, int j,
                               std::vector<int>& uplinks) const {
  uplinks.clear();
  const bool even = pod.links_per_pair > 0;
  const int round = (leaf - pod.first_leaf) * plan_.leaf_up_ports;
  const int first =
      even ? j * pod.links_per_pair : ((j - round) % pod.spines + pod.spines) % pod.spines;
  const int step = even ? 1 : pod.spines;
  const int end = even ? first + pod.links_per_pair : plan_.leaf_up_ports;
  for (int u = first; u < end; u += step) {
    if (alive(up(leaf, u))) uplinks.push_back(u);
  }
}

void FabricNetwork::fail(const FabricFailures& failures) {
  const auto kill = [&](std::uint32_t link) { capacity_[link] = 0; };
  for (const int leaf : failures.leaves) {
    for (std::uint32_t nic = 0; nic < nics_; ++nic) {
      if (leaf_of_[nic] != leaf) continue;
      kill(nic);
      kill(nics_ + nic);
    }
    for (int u = 0; u < plan_.leaf_up_ports; ++u) {
      kill(up(leaf, u));
      kill(down(leaf, u));
    }
  }
  for (const auto& [leaf, uplink] : failures.leaf_uplinks) {
    kill(up(leaf, uplink));
    kill(down(leaf, uplink));
  }
  for (const int spine : failures.spines) {
    for (const FabricPod& pod : plan_.pods) {
      if (spine < pod.first_spine || spine >= pod.first_spine + pod.spines) continue;
      for (int leaf = pod.first_leaf; leaf < pod.first_leaf + pod.leaves; ++leaf) {
        for (int u = 0; u < plan_.leaf_up_ports; ++u) {
          if (spine_of(pod, leaf, u) != spine - pod.first_spine) continue;
          kill(up(leaf, u));
          kill(down(leaf, u));
        }
      }
    }
    for (int q = 0; q < plan_.spine_up_ports; ++q) {
      kill(core_up(spine, q));
      kill(core_down(spine, q));
    }
  }
  for (const int core : failures.cores) {
    for (const FabricPod& pod : plan_.pods) {
      for (int j = 0; j < pod.spines; ++j) {
        const CoreGroup& group = plan_.core_groups[static_cast<std::size_t>(j)];
        if (core < group.first_core || core >= group.first_core + group.cores) continue;
        for (int k = 0; k < group.links_per_pair; ++k) {
          const int q = (core - group.first_core) * group.links_per_pair + k;
          kill(core_up(pod.first_spine + j, q));
          kill(core_down(pod.first_spine + j, q));
        }
      }
    }
  }
}

}  // namespace rackwright::topology
