#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/random.hpp"
#include "topology/network/fabric_plan.hpp"
#include "topology/network/max_min.hpp"

namespace rackwright::topology {

/// What is out of service, by index within the tier and plane 0-based as in `FabricLinkEnd`.
struct FabricFailures {
  std::vector<int> leaves, spines, cores;
  std::vector<std::pair<int, int>> leaf_uplinks;  ///< leaf, uplink number
  std::vector<int> planes;                        ///< whole planes: of NVLink, a switch
  [[nodiscard]] bool none() const {
    return leaves.empty() && spines.empty() && cores.empty() && leaf_uplinks.empty() &&
           planes.empty();
  }
};

/// One NIC of one node.
struct Endpoint {
  int node = 0, nic = 0;
};

enum class Routing {
  ecmp,  ///< each flow keeps one of the equal paths, chosen by a hash
  spray  ///< packets of a flow take all equal paths alike
};

/// Directed links of one plane of a built fabric and the paths over them. Paths go up to the lowest
/// common tier and down again, over the surviving links only.
class FabricNetwork {
 public:
  FabricNetwork(const FabricDesign& design, const FabricPlan& plan, FabricFailures failures = {});

  [[nodiscard]] std::size_t link_count() const { return capacity_.size(); }
  /// Bytes per second of each link; 0 when it has failed.
  [[nodiscard]] const std::vector<double>& capacity() const { return capacity_; }
  /// "node-012 nic 3 > leaf 7", "leaf 7 up 12 > spine 3".
  [[nodiscard]] std::string link_name(std::uint32_t link) const;
  [[nodiscard]] int leaf_of(Endpoint endpoint) const;
  [[nodiscard]] bool same_leaf(Endpoint a, Endpoint b) const { return leaf_of(a) == leaf_of(b); }
  /// Nothing has failed.
  [[nodiscard]] bool whole() const { return whole_; }
  [[nodiscard]] int pod_of_leaf(int leaf) const { return pod_of_[static_cast<std::size_t>(leaf)]; }
  /// Rails that meet at a leaf: 1 on a rail leaf, all of a node's NICs on a rack leaf.
  [[nodiscard]] double rails_of_leaf(int leaf) const;
  /// Bytes per second out of a leaf, out of a pod to the core, over what survives.
  [[nodiscard]] double leaf_up_capacity(int leaf) const;
  [[nodiscard]] double pod_up_capacity(int pod) const;
  /// Switches join them, when nothing has failed.
  [[nodiscard]] bool joined_leaves(int a, int b) const;
  /// Of the design's own nodes; `capacity()` has that of each.
  [[nodiscard]] double nic_bytes_per_s() const { return nic_bytes_per_s_; }
  [[nodiscard]] double nic_bytes_per_s(Endpoint endpoint) const {
    return capacity_[transmit(endpoint)];
  }
  /// All nodes have NICs of one rate.
  [[nodiscard]] bool one_generation() const { return design_.generations.empty(); }
  /// Planes that work over all of them.
  [[nodiscard]] double plane_share() const { return plane_share_; }
  /// Mean rate over the NIC's that hashing `flows` onto the uplinks of their leaves leaves in the
  /// mean, with one flow from each NIC and uplinks of the NIC's rate: k flows that leave a leaf of
  /// n uplinks carry n (1 - (1 - 1/n)^k), as (1 - 1/n)^k of the uplinks stay empty; the others all.
  /// Nothing where rates differ or uplinks are lost.
  [[nodiscard]] std::optional<double> expected_first_hash(const FlowSet& flows) const;
  /// Capacities with the way down unlimited: what the hashes on the way up alone decide.
  [[nodiscard]] std::vector<double> capacity_up() const;

  /// Uplink of a leaf, from the leaf and to it.
  [[nodiscard]] std::uint32_t up(int leaf, int uplink) const;
  [[nodiscard]] std::uint32_t down(int leaf, int uplink) const;

  /// Adds a flow over one path that `hash` chooses. False when none survives, or none exists: rails
  /// without a common switch meet over NVLink only.
  bool add_ecmp(Endpoint from, Endpoint to, std::uint64_t hash, FlowSet& flows) const;
  /// Adds a flow spread evenly over all shortest paths that survive.
  bool add_spray(Endpoint from, Endpoint to, FlowSet& flows) const;

 private:
  struct Hop {
    std::uint32_t link;
    double share;
  };
  using Hops = std::vector<Hop>;

  std::uint32_t transmit(Endpoint e) const;
  std::uint32_t receive(Endpoint e) const;
  std::uint32_t joined(int from, int link) const;
  std::uint32_t core_up(int spine, int uplink) const;
  std::uint32_t core_down(int spine, int uplink) const;

  bool alive(std::uint32_t link) const { return capacity_[link] > 0; }
  int spine_of(const FabricPod& pod, int leaf, int uplink) const;
  /// The uplinks of `leaf` to spine `j` of its pod that survive.
  void uplinks_to(const FabricPod& pod, int leaf, int j, std::vector<int>& uplinks) const;
  /// All shortest paths between two leaves, each with its share; false when there is none.
  bool between(int from, int to, std::vector<std::vector<std::uint32_t>>& paths) const;
  bool pick(int from, int to, std::uint64_t hash, std::vector<std::uint32_t>& path) const;
  bool pick_above(const FabricPod& a, const FabricPod& b, int j, std::uint64_t hash,
                  std::vector<std::uint32_t>& path) const;
  void fail(const FabricFailures& failures);

  const FabricDesign design_;
  const FabricPlan plan_;
  double nic_bytes_per_s_ = 0;
  std::vector<int> leaf_of_;  ///< of each NIC
  std::vector<int> pod_of_;   ///< of each leaf
  std::vector<double> capacity_;
  std::uint32_t nics_ = 0, uplinks_ = 0, joins_ = 0, core_links_ = 0;
  bool whole_ = true;  ///< nothing in the plane has failed
  double plane_share_ = 1;
};

/// A random permutation of the endpoints in which none sends to itself, as flows. Endpoints without
/// a path are left out. `random` also labels the flows for the hash.
[[nodiscard]] FlowSet permutation_flows(const FabricNetwork& network, const FabricDesign& design,
                                        int nodes, Routing routing, RandomSource random);

/// Every endpoint sends to the same place under the next leaf of its rail: all traffic crosses the
/// spines and each leaf hears one other only, so one hash decides.
[[nodiscard]] FlowSet shift_flows(const FabricNetwork& network, const FabricDesign& design,
                                  int nodes, Routing routing, RandomSource random);

/// 64 well mixed bits (SplitMix64, Steele et al. 2014): the hash of flow labels.
[[nodiscard]] std::uint64_t mix_bits(std::uint64_t value);

}  // namespace rackwright::topology
