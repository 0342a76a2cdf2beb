#include <gtest/gtest.h>

#include "topology/evaluation.hpp"

namespace rackwright::topology {
namespace {

RackDesign rack(int gpus, int domain) {
  RackDesign r;
  r.gpus = gpus;
  r.scale_up_domain = domain;
  return r;
}

workloads::ServingPlan plan(int tp, int dp = 1, int pp = 1) {
  workloads::ServingPlan p;
  p.tp = tp;
  p.dp = dp;
  p.pp = pp;
  return p;
}

TEST(Placement, FillsEachNodeWithTensorParallelGroups) {
  const Placement p = place(rack(32, 8), plan(4));
  EXPECT_EQ(p.replicas, 8);
  EXPECT_EQ(p.idle_gpus, 0);
  EXPECT_FALSE(p.crosses_scale_up);
}

TEST(Placement, NeverSplitsASmallReplicaOverNodes) {
  // Three GPUs: two replicas in a node of eight, two GPUs of each node idle.
  const Placement p = place(rack(32, 8), plan(3));
  EXPECT_EQ(p.replicas, 8);
  EXPECT_EQ(p.idle_gpus, 8);
}

TEST(Placement, ExpertsOfANvl72StayInItsDomain) {
  const Placement p = place(rack(72, 72), plan(1, 72));
  EXPECT_EQ(p.replicas, 1);
  EXPECT_FALSE(p.crosses_scale_up);
}

TEST(Placement, AReplicaLargerThanANodeCrossesTheDomain) {
  const Placement p = place(rack(32, 8), plan(1, 16));
  EXPECT_EQ(p.replicas, 2);
  EXPECT_TRUE(p.crosses_scale_up);
  EXPECT_EQ(p.racks_per_replica, 1);
}

TEST(Placement, AReplicaLargerThanTheRackTakesSeveral) {
  const Placement p = place(rack(32, 8), plan(8, 1, 9));
  EXPECT_EQ(p.racks_per_replica, 3);
  EXPECT_EQ(p.idle_gpus, 8);
  EXPECT_TRUE(p.crosses_scale_up);
}

}  // namespace
}  // namespace rackwright::topology
