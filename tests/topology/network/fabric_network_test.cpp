#include "topology/network/fabric_network.hpp"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <numeric>

#include <gtest/gtest.h>

namespace rackwright::topology {
namespace {

const std::filesystem::path kSource(RACKWRIGHT_SOURCE_DIR);

struct Built {
  FabricDesign design;
  FabricPlan plan;
  FabricNetwork network;
};

Built build(const std::string& id, int nodes, const FabricFailures& failures = {}) {
  const FabricDesign design = read_fabric_design(kSource / "topology/fabrics" / (id + ".json"));
  const FabricPlan plan = plan_fabric(design, nodes);
  return {design, plan, FabricNetwork(design, plan, failures)};
}

double mean(const std::vector<double>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

FlowSet rail_ring(const Built& built, int nodes, Routing routing) {
  FlowSet flows;
  for (int node = 0; node < nodes; ++node) {
    for (int nic = 0; nic < built.design.endpoints_per_node; ++nic) {
      const Endpoint from{node, nic}, to{(node + 1) % nodes, nic};
      if (routing == Routing::spray) {
        (void)built.network.add_spray(from, to, flows);
      } else {
        (void)built.network.add_ecmp(from, to, mix_bits(static_cast<std::uint64_t>(node)), flows);
      }
    }
  }
  return flows;
}

constexpr double kNdr = 50e9;  // 400 Gb/s

TEST(FabricNetwork, RunsARailRingAtLineRate) {
  const Built built = build("dgx-h100-superpod-ideal", 128);
  for (const Routing routing : {Routing::spray, Routing::ecmp}) {
    const FlowSet flows = rail_ring(built, 128, routing);
    EXPECT_EQ(flows.size(), 128u * 8);
    for (const double rate : max_min_rates(built.network.capacity(), flows)) {
      EXPECT_NEAR(rate, kNdr, 1);
    }
  }
}

TEST(FabricNetwork, SpraysAnyPermutationAtLineRateOnANonBlockingFabric) {
  const Built built = build("dgx-h100-superpod-ideal", 128);
  const FlowSet flows =
      permutation_flows(built.network, built.design, 128, Routing::spray, RandomSource(3));
  for (const double rate : max_min_rates(built.network.capacity(), flows)) {
    EXPECT_NEAR(rate, kNdr, 1e-3 * kNdr);
  }
}

// A hash throws n flows on n uplinks: a share (1 - 1/n)^n -> 1/e of them stays empty.
TEST(FabricNetwork, LosesAThirdOfAPermutationToHashing) {
  const Built built = build("dgx-h100-superpod-ideal", 256);
  const FlowSet flows =
      permutation_flows(built.network, built.design, 256, Routing::ecmp, RandomSource(3));
  const double share = mean(max_min_rates(built.network.capacity(), flows)) / kNdr;
  EXPECT_GT(share, 0.5);
  EXPECT_LT(share, 0.7);
}

// The way up alone is one hash of k flows onto 32 uplinks, of which (1 - 1/32)^k stay empty: with
// k = 32 x 2016/2047 that leave their leaf 64.2 % each, the 31 in 2047 under their own leaf get
// all: 64.8 %. 64 leaves scatter by 0.7 %, eight seeds by 0.25 %. What is expected of the permutation
// drawn moves with the flows that stay, 31 +- 5.6, each worth (1 - 1/32)^32 of a link: 0.17 %, the
// mean of eight 0.06 %.
TEST(FabricNetwork, HashesAPermutationOnTheWayUpToTwoThirds) {
  const Built built = build("dgx-h100-superpod-ideal", 256);
  double up = 0, both = 0, expected = 0;
  constexpr int kSeeds = 8;
  for (int seed = 1; seed <= kSeeds; ++seed) {
    const FlowSet flows = permutation_flows(built.network, built.design, 256, Routing::ecmp,
                                            RandomSource(static_cast<std::uint64_t>(seed)));
    up += mean(max_min_rates(built.network.capacity_up(), flows)) / kNdr / kSeeds;
    expected += *built.network.expected_first_hash(flows) / kSeeds;
    both += mean(max_min_rates(built.network.capacity(), flows)) / kNdr / kSeeds;
  }
  const double stay = 31.0 / 2047, k = 32 * (1 - stay);
  EXPECT_NEAR(up, stay + (1 - stay) * 32 * (1 - std::pow(1 - 1.0 / 32, k)) / k, 0.0075);
  EXPECT_NEAR(expected, 0.648, 0.002);
  EXPECT_LT(both, up - 0.05);
}

// Half of the nodes have 400G NICs on 800G ports: what they send or hear runs at 400G.
TEST(FabricNetwork, HoldsNodesOfTwoGenerationsToTheirOwnNics) {
  FabricDesign design = build("dgx-b300-superpod-eth", 64).design;
  design.generations = {{32, 400, "h100-sxm"}};
  const FabricPlan plan = plan_fabric(design, 64);
  const FabricNetwork network(design, plan);
  FlowSet flows;
  ASSERT_TRUE(network.add_spray({0, 3}, {1, 3}, flows));    // old to old
  ASSERT_TRUE(network.add_spray({40, 3}, {41, 3}, flows));  // new to new
  ASSERT_TRUE(network.add_spray({2, 3}, {63, 3}, flows));   // old to new
  const auto rates = max_min_rates(network.capacity(), flows);
  EXPECT_DOUBLE_EQ(rates[0], 50e9);
  EXPECT_DOUBLE_EQ(rates[1], 100e9);
  EXPECT_DOUBLE_EQ(rates[2], 50e9);
}

TEST(FabricNetwork, NeverCarriesMoreThanItsPorts) {
  for (const Routing routing : {Routing::spray, Routing::ecmp}) {
    const Built built = build("dgx-h100-superpod-ideal", 64);
    const FlowSet flows =
        permutation_flows(built.network, built.design, 64, routing, RandomSource(9));
    const auto rates = max_min_rates(built.network.capacity(), flows);
    const auto loads = link_loads(built.network.link_count(), flows, rates);
    for (std::size_t l = 0; l < loads.size(); ++l) {
      EXPECT_LE(loads[l], built.network.capacity()[l] * (1 + 1e-9));
    }
  }
}

// 4 of 16 spines out: 24 of 32 uplinks stay, so traffic that all crosses the spines drops to 3/4.
TEST(FabricNetwork, LosesTheShareOfItsFailedSpines) {
  const Built built =
      build("dgx-h100-superpod-ideal", 128,
            {.leaves = {}, .spines = {0, 5, 6, 15}, .cores = {}, .leaf_uplinks = {}});
  // Rail r to rail r + 1 of the next unit: every flow crosses the spines.
  FlowSet flows;
  for (int node = 0; node < 128; ++node) {
    for (int nic = 0; nic < 8; ++nic) {
      ASSERT_TRUE(built.network.add_spray({node, nic}, {(node + 32) % 128, (nic + 1) % 8}, flows));
    }
  }
  for (const double rate : max_min_rates(built.network.capacity(), flows)) {
    EXPECT_NEAR(rate, 0.75 * kNdr, 1e-6 * kNdr);
  }
}

TEST(FabricNetwork, RoutesHashedFlowsRoundAFailedUplink) {
  const Built built = build("dgx-h100-superpod-ideal", 128,
                            {.leaves = {}, .spines = {2}, .cores = {}, .leaf_uplinks = {{0, 0}}});
  const FlowSet flows =
      permutation_flows(built.network, built.design, 128, Routing::ecmp, RandomSource(5));
  EXPECT_EQ(flows.size(), 128u * 8);
  for (const double rate : max_min_rates(built.network.capacity(), flows)) EXPECT_GT(rate, 0);
}

TEST(FabricNetwork, LosesTheNicsOfAFailedLeaf) {
  const Built built = build("dgx-h100-superpod-ideal", 32,
                            {.leaves = {0}, .spines = {}, .cores = {}, .leaf_uplinks = {}});
  FlowSet flows;
  EXPECT_FALSE(built.network.add_spray({0, 0}, {1, 0}, flows));
  EXPECT_FALSE(built.network.add_ecmp({0, 1}, {1, 0}, 7, flows));
  EXPECT_TRUE(built.network.add_spray({0, 1}, {1, 1}, flows));
}

TEST(FabricNetwork, HasNoPathBetweenRailsThatMeetOverNvlinkOnly) {
  const Built built = build("gb200-superpod", 144);
  FlowSet flows;
  EXPECT_TRUE(built.network.add_ecmp({0, 1}, {143, 1}, 1, flows));
  EXPECT_FALSE(built.network.add_ecmp({0, 1}, {143, 2}, 1, flows));
}

// Pods with 1:7 above (384 down, 55 up): all traffic between pods gets 55/384 of the line.
TEST(FabricNetwork, CutsTrafficBetweenPodsByTheirOversubscription) {
  const Built built = build("llama3-roce-24k", 768);
  FlowSet flows;
  for (int node = 0; node < 768; ++node) {
    for (int nic = 0; nic < 8; ++nic) {
      ASSERT_TRUE(built.network.add_ecmp({node, nic}, {(node + 384) % 768, nic},
                                         mix_bits(static_cast<std::uint64_t>(node * 8 + nic)),
                                         flows));
    }
  }
  const double share = mean(max_min_rates(built.network.capacity(), flows)) / kNdr;
  EXPECT_LE(share, 55.0 / 384 + 1e-9);
  EXPECT_GT(share, 0.7 * 55 / 384);
}

TEST(FabricNetwork, ReachesEveryPairOfAThreeTierFabric) {
  const Built built = build("dgx-h100-superpod-ideal", 512);
  const FlowSet flows =
      permutation_flows(built.network, built.design, 512, Routing::ecmp, RandomSource(1));
  EXPECT_EQ(flows.size(), 4096u);
  for (const double rate : max_min_rates(built.network.capacity(), flows)) EXPECT_GT(rate, 0);
}

}  // namespace
}  // namespace rackwright::topology
