#include <algorithm>
#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/input_error.hpp"
#include "topology/network/collective_expectation.hpp"
#include "topology/network/fabric_growth.hpp"
#include "topology/network/fabric_links.hpp"

namespace rackwright::topology {
namespace {

using workloads::CollectiveKind;

const std::filesystem::path kSource(RACKWRIGHT_SOURCE_DIR);

const kernels::OperatorModels& h100() {
  static const kernels::OperatorModels models = [] {
    const DataLocator data({kSource});
    const auto device = kernels::find_device("h100-sxm", data);
    return kernels::OperatorModels(device, kernels::find_profile(device, data));
  }();
  return models;
}

FabricDesign shipped(const std::string& id) {
  return read_fabric_design(kSource / "topology/fabrics" / (id + ".json"));
}

const AlgorithmBound& named(const std::vector<AlgorithmBound>& all, const std::string& name) {
  return *std::find_if(all.begin(), all.end(), [&](const auto& one) { return one.name == name; });
}

// 64 ranks of one GPU a node on 50 GB/s: a ring moves 2 x 63/64 GB: 39,375 us, a tree 2 GB: 40,000.
TEST(CollectiveBounds, FollowTheVolumeOfEachAlgorithm) {
  const CollectivePlace place{64, 1, 450e9, 50e9, true, false};
  const auto all = collective_bounds(CollectiveKind::all_reduce, 1e9, place);
  EXPECT_NEAR(named(all, "ring").seconds * 1e6, 39375, 0.5);
  EXPECT_NEAR(named(all, "double binary tree").seconds * 1e6, 40000, 0.5);
  EXPECT_TRUE(std::is_sorted(all.begin(), all.end(),
                             [](const auto& a, const auto& b) { return a.seconds < b.seconds; }));
}

// 8 GPUs, 450 GB/s: ring 1.75 S, NVLS 1.125 S, one-shot 7 S.
TEST(CollectiveBounds, LetTheSwitchAddInsideADomain) {
  const CollectivePlace place{8, 8, 450e9, 50e9, true, false};
  const auto all = collective_bounds(CollectiveKind::all_reduce, 450e9, place);
  EXPECT_DOUBLE_EQ(named(all, "in-network (NVLS)").seconds, 1.125);
  EXPECT_DOUBLE_EQ(named(all, "ring").seconds, 1.75);
  EXPECT_DOUBLE_EQ(named(all, "one-shot").seconds, 7);
  EXPECT_EQ(all.front().name, "in-network (NVLS)");
}

// 16 ranks, 8 in a domain: half of what a rank sends leaves its node, twice that with skew 2.
TEST(CollectiveBounds, GrowWithTheSkewOfAnExchange) {
  const CollectivePlace place{16, 8, 450e9, 50e9, true, false};
  const auto even = collective_bounds(CollectiveKind::all_to_all, 50e9, place);
  const auto skewed = collective_bounds(CollectiveKind::all_to_all, 50e9, place, 2);
  EXPECT_DOUBLE_EQ(even.front().seconds, 0.5);
  EXPECT_DOUBLE_EQ(skewed.front().seconds, 1);
}

CollectiveQuestion ask(CollectiveKind kind, double bytes, int ranks, int per_node) {
  CollectiveQuestion question;
  question.kind = kind;
  question.bytes = bytes;
  question.ranks = ranks;
  question.ranks_per_node = per_node;
  return question;
}

CollectiveExpectation expect(const FabricDesign& design, int nodes,
                             const CollectiveQuestion& question) {
  const FabricPlan plan = plan_fabric(design, nodes);
  const FabricNetwork network(design, plan);
  return expect_collective(design, plan, network, h100(), question);
}

// Public nccl-tests of 10 H100 nodes on 400 Gb/s InfiniBand, 8-16 GiB: 48.8 GB/s with one GPU a
// node, 196 GB/s with four.
TEST(CollectiveExpectation, MeetsMeasuredInfiniBandClusters) {
  const FabricDesign design = shipped("dgx-h100-superpod-ideal");
  const double size = 8.0 * (1U << 30U);
  EXPECT_NEAR(expect(design, 10, ask(CollectiveKind::all_reduce, size, 10, 1)).bus_bytes_per_s,
              48.8e9, 2e9);
  EXPECT_NEAR(expect(design, 10, ask(CollectiveKind::all_reduce, size, 40, 4)).bus_bytes_per_s,
              196e9, 12e9);
}

TEST(CollectiveExpectation, IsNeverFasterThanThePorts) {
  const FabricDesign design = shipped("dgx-h100-superpod-ideal");
  for (const auto kind :
       {CollectiveKind::all_reduce, CollectiveKind::all_gather, CollectiveKind::reduce_scatter,
        CollectiveKind::all_to_all, CollectiveKind::send_recv}) {
    for (const double bytes : {1e3, 1e6, 1e9, 1e11}) {
      for (const int ranks : {8, 16, 512, 1024}) {
        const auto answer = expect(design, 128, ask(kind, bytes, ranks, 8));
        EXPECT_GE(answer.seconds, answer.bound_seconds) << ranks;
        EXPECT_FALSE(answer.reasons.empty());
      }
    }
  }
}

/// 48 ports down, 16 up: an oversubscription of 3.
FabricDesign oversubscribed() {
  FabricDesign design = shipped("dgx-h100-superpod-ideal");
  design.nodes_per_su = design.leaf_down_ports = 48;
  design.leaf_up_ports = 16;
  return design;
}

// All-to-all over L leaves of 48: a share (N - 48) / (N - 1) of the traffic leaves a leaf, over a
// third of the bandwidth: 1/3 x (N - 1) / (N - 48), and 1/3 for many leaves.
TEST(CollectiveExpectation, GivesAnExchangeTheInverseOfTheOversubscription) {
  const FabricDesign design = oversubscribed();
  const auto few = expect(design, 96, ask(CollectiveKind::all_to_all, 1e9, 768, 8));
  EXPECT_NEAR(few.fabric_share, 95.0 / 48 / 3, 1e-9);
  EXPECT_THAT(few.bottleneck, ::testing::HasSubstr("uplinks of leaf"));
  const auto many = expect(design, 384, ask(CollectiveKind::all_to_all, 1e9, 3072, 8));
  EXPECT_NEAR(many.fabric_share, 383.0 / 336 / 3, 1e-9);
  EXPECT_NEAR(many.fabric_share, 1.0 / 3, 0.05);
}

// The closed form of an exchange against every flow of one rail: 96 nodes, 96 x 95 flows.
TEST(CollectiveExpectation, AgreesWithTheExpandedExchange) {
  const FabricDesign design = oversubscribed();
  const FabricPlan plan = plan_fabric(design, 96);
  const FabricNetwork network(design, plan);
  FlowSet flows;
  for (int a = 0; a < 96; ++a) {
    for (int b = 0; b < 96; ++b) {
      if (a == b) continue;
      for (int nic = 0; nic < 1; ++nic) ASSERT_TRUE(network.add_spray({a, nic}, {b, nic}, flows));
    }
  }
  const auto rates = max_min_rates(network.capacity(), flows);
  const double slowest = *std::min_element(rates.begin(), rates.end());
  const auto closed =
      fabric_share(design, plan, network, ask(CollectiveKind::all_to_all, 1e9, 768, 8));
  EXPECT_NEAR(slowest * 95 / network.nic_bytes_per_s(), closed.share, 1e-9);
}

TEST(CollectiveExpectation, SlowsARingWhoseFlowsCollide) {
  const FabricDesign design = shipped("llama3-roce-24k");
  CollectiveQuestion question = ask(CollectiveKind::all_reduce, 1e9, 6144, 8);
  EXPECT_DOUBLE_EQ(expect(design, 768, question).fabric_share, 1);
  question.routing = Routing::ecmp;
  const auto hashed = expect(design, 768, question);
  EXPECT_LT(hashed.fabric_share, 1);
  EXPECT_FALSE(hashed.bottleneck.empty());
}

// The sum over a leaf's uplinks against every path of every flow of a rail.
TEST(CollectiveExpectation, AgreesWithTheExpandedRing) {
  FabricDesign design = oversubscribed();
  design.leaf_up_ports = 2;  // fewer than a leaf's flows to the next
  const FabricPlan plan = plan_fabric(design, 96);
  CollectiveQuestion question = ask(CollectiveKind::all_reduce, 1e9, 768, 8);
  question.domain = 32;  // four nodes: four flows of a rail leave each leaf
  const FabricNetwork network(design, plan);
  const auto merged = fabric_share(design, plan, network, question);
  EXPECT_DOUBLE_EQ(merged.share, 0.5);
  FlowSet flows;
  for (int node = 0; node < 96; ++node) {
    ASSERT_TRUE(network.add_spray({node, 0}, {(node + 4) % 96, 0}, flows));
  }
  const auto rates = max_min_rates(network.capacity(), flows);
  EXPECT_NEAR(*std::min_element(rates.begin(), rates.end()) / network.nic_bytes_per_s(),
              merged.share, 1e-9);
}

TEST(CollectiveExpectation, RefusesMoreRanksThanTheFabricHas) {
  const FabricDesign design = shipped("dgx-h100-superpod-ideal");
  EXPECT_THROW((void)expect(design, 2, ask(CollectiveKind::all_reduce, 1e9, 64, 8)), InputError);
}

TEST(FabricGrowth, WalksEveryLinkItCounts) {
  const FabricDesign design = shipped("gb300-nvl72-eth");
  const Catalog catalog = Catalog::load(DataLocator({kSource}));
  // 1,400 racks of 72 GPUs, two planes of one link a GPU.
  const GrowthPoint point = grow(design, catalog, 1400, std::nullopt);
  EXPECT_EQ(point.counts.gpus, 100800);
  EXPECT_EQ(point.counts.node_leaf_cables, 201600);
  EXPECT_EQ(point.links, point.counts.node_leaf_cables + point.counts.leaf_spine_cables +
                             point.counts.spine_core_cables);
  EXPECT_FALSE(point.rack_power_w) << "no rack was given";
  EXPECT_EQ(growth_sizes(30), (std::vector<int>{1, 2, 5, 10, 20, 30}));
}

CollectiveExpectation expected(const FabricDesign& design, const kernels::OperatorModels& models,
                               int nodes, const CollectiveQuestion& question,
                               const FabricFailures& failures = {}) {
  const FabricPlan plan = plan_fabric(design, nodes);
  return expect_collective(design, plan, FabricNetwork(design, plan, failures), models, question);
}

// 9 switch trays of two chips: without one tray 16 of 18 links of each GPU work, so what is not
// latency takes 18 / 16 of the time; the bound exactly so.
TEST(ExpectCollective, LosesASwitchTrayOfAnNvlinkDomain) {
  const DataLocator data({kSource});
  const auto device = kernels::find_device("gb200", data);
  const kernels::OperatorModels models(device, kernels::find_profile(device, data));
  CollectiveQuestion question;
  question.bytes = 8e9;
  question.ranks = question.domain = 72;
  question.ranks_per_node = 4;
  const FabricDesign design = shipped("nvl72");
  const auto whole = expected(design, models, 18, question);
  const auto lost =
      expected(design, models, 18, question,
               {.leaves = {}, .spines = {}, .cores = {}, .leaf_uplinks = {}, .planes = {4, 5}});
  EXPECT_NEAR(lost.bound_seconds, whole.bound_seconds * 18 / 16, 1e-9);
  EXPECT_NEAR(lost.seconds / whole.seconds, 18.0 / 16, 0.005);
}

// 400G nodes among 800G ones: a ring over all of them goes at the pace of the slow NICs, one over
// the new nodes only does not know them.
TEST(ExpectCollective, GoesAtThePaceOfTheOlderNics) {
  FabricDesign design = shipped("dgx-b300-superpod-eth");
  CollectiveQuestion question;
  question.bytes = 8e9;
  question.ranks = 512;
  const auto alike = expected(design, h100(), 64, question);
  design.generations = {{1, 400, ""}};
  const auto mixed = expected(design, h100(), 64, question);
  EXPECT_NEAR(mixed.fabric_share, 0.5 * alike.fabric_share, 1e-9);
  question.kind = CollectiveKind::all_to_all;
  EXPECT_NEAR(expected(design, h100(), 64, question).fabric_share, 0.5, 1e-9);
}

// Whatever fails and however it is routed, nothing is faster than its ports, nor than unharmed.
TEST(ExpectCollective, IsNeverFasterThanItsPortsOrThanUnharmed) {
  const FabricDesign design = shipped("dgx-h100-superpod-ideal");
  RandomSource random(11);
  for (const Routing routing : {Routing::spray, Routing::ecmp}) {
    for (const auto kind :
         {CollectiveKind::all_reduce, CollectiveKind::all_to_all, CollectiveKind::all_gather}) {
      CollectiveQuestion question;
      question.kind = kind;
      question.bytes = 1e9;
      question.ranks = 1024;
      question.routing = Routing::spray;
      const double best = expected(design, h100(), 128, question).seconds;
      question.routing = routing;
      FabricFailures failures;
      failures.spines = {static_cast<int>(random.below(16))};
      failures.leaf_uplinks = {{static_cast<int>(random.below(32)), 3}};
      const auto answer = expected(design, h100(), 128, question, failures);
      EXPECT_GE(answer.seconds, answer.bound_seconds);
      EXPECT_GE(answer.seconds, best * (1 - 1e-9));
      EXPECT_LE(answer.fabric_share, 1);
    }
  }
}

}  // namespace
}  // namespace rackwright::topology
