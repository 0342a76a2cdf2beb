#include "profiler/traffic.hpp"

#include <gtest/gtest.h>

namespace rackwright::profiler {
namespace {

using workloads::CollectiveKind;
using workloads::CollectiveShape;
using workloads::ServingPlan;

ServingPlan plan_of(int tp, int pp = 1, int dp = 1) {
  ServingPlan plan;
  plan.tp = tp;
  plan.pp = pp;
  plan.dp = dp;
  return plan;
}
CollectiveShape shape_of(CollectiveKind kind, int ranks) {
  CollectiveShape shape;
  shape.kind = kind;
  shape.ranks = ranks;
  shape.bytes = 1e6;
  return shape;
}

TEST(LinkShares, StayInsideADomainThatHoldsTheReplica) {
  const LinkShares shares = link_shares(shape_of(CollectiveKind::all_reduce, 8), plan_of(8), 8);
  EXPECT_EQ(shares.scale_up, 1);
  EXPECT_EQ(shares.scale_out, 0);
}

TEST(LinkShares, OfAHierarchicalAllReduceOverTwoNodes) {
  // 16 ranks, 8 a node, S: reduce-scatter and all-gather inside 2 x 7/8 S = 1.75 S; between the two
  // nodes an all-reduce of S/8: 2 x 1/2 x S/8 = 0.125 S. Ring over all 16: 2 x 15/16 = 1.875 S.
  const LinkShares shares = link_shares(shape_of(CollectiveKind::all_reduce, 16), plan_of(16), 8);
  EXPECT_NEAR(shares.scale_up, 1.75 / 1.875, 1e-12);
  EXPECT_NEAR(shares.scale_out, 0.125 / 1.875, 1e-12);
}

TEST(LinkShares, OfAllToAllFollowThePeers) {
  // 32 ranks, 8 a node: 7 peers inside, 24 outside.
  const LinkShares shares =
      link_shares(shape_of(CollectiveKind::all_to_all, 32), plan_of(1, 1, 32), 8);
  EXPECT_NEAR(shares.scale_up, 7.0 / 31, 1e-12);
  EXPECT_NEAR(shares.scale_out, 24.0 / 31, 1e-12);
}

TEST(LinkShares, WithoutScaleUpAllGoesOut) {
  const LinkShares shares = link_shares(shape_of(CollectiveKind::all_gather, 4), plan_of(4), 1);
  EXPECT_NEAR(shares.scale_out, 1, 1e-12);
}

TEST(LinkShares, OfPipelineStagesFollowTheBoundaries) {
  // TP4 x PP4 in nodes of 8: two stages a node, of three boundaries one crosses.
  const LinkShares shares = link_shares(shape_of(CollectiveKind::send_recv, 2), plan_of(4, 4), 8);
  EXPECT_NEAR(shares.scale_out, 1.0 / 3, 1e-12);
  // TP8 x PP2: the only boundary crosses; its tensor-parallel collectives do not.
  EXPECT_EQ(link_shares(shape_of(CollectiveKind::send_recv, 2), plan_of(8, 2), 8).scale_out, 1);
  EXPECT_EQ(link_shares(shape_of(CollectiveKind::all_reduce, 8), plan_of(8, 2), 8).scale_out, 0);
}

TEST(PeakRate, OfASteadyStreamIsItsRate) {
  PeakRate peak(1.0);
  for (int i = 0; i < 100; ++i) peak.add(0.1 * i, 0.1, 5);
  EXPECT_NEAR(peak.peak(), 50, 1e-9);
}

TEST(PeakRate, FindsAWindowThatIsNotAligned) {
  // 10 bytes in 0.5..1.0 and 30 in 1.0..1.5: the second 0.5..1.5 holds all 40; aligned seconds
  // 10, 30.
  PeakRate peak(1.0);
  peak.add(0.5, 0.5, 10);
  peak.add(1.0, 0.5, 30);
  peak.add(5.0, 1.0, 20);
  EXPECT_NEAR(peak.peak(), 40, 1e-12);
}

TEST(PeakRate, OfAnIntervalLongerThanTheWindowIsItsRate) {
  PeakRate peak(1.0);
  peak.add(0, 4, 100);
  EXPECT_NEAR(peak.peak(), 25, 1e-12);
}

TEST(PeakRate, CountsAWindowThatBeginsWithAnInterval) {
  // Rate 10/s in 0..0.2, pause, 1/s in 0.4..2.4: best window 0..1 holds 2 + 0.6.
  PeakRate peak(1.0);
  peak.add(0, 0.2, 2);
  peak.add(0.4, 2.0, 2);
  EXPECT_NEAR(peak.peak(), 2.6, 1e-12);
}

TEST(PeakRate, OfNothingIsZero) {
  EXPECT_EQ(PeakRate(1.0).peak(), 0);
}

TEST(PeakRate, OfALongQuietStreamRemembersAnEarlyBurst) {
  PeakRate peak(1.0);
  peak.add(0, 0.01, 1000);
  for (int i = 1; i < 1000; ++i) peak.add(i, 0.5, 1);
  // 0..1 holds the burst; no window with it reaches the next interval at 1.
  EXPECT_NEAR(peak.peak(), 1000, 0.1);
}

}  // namespace
}  // namespace rackwright::profiler
