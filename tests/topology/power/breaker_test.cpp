#include "topology/power/breaker.hpp"

#include <gtest/gtest.h>

namespace rackwright::topology {
namespace {

BreakerClass ul489() {
  BreakerClass b;
  b.hold = 1.0;
  b.must_trip = 1.35;
  b.must_trip_s = 3600;
  b.upper = 2.0;
  b.upper_trip_s = 120;
  return b;
}

// k = 1.3, 20 s at 2.55 from cold: tau = 20 / ln(6.5025 / 4.8125) = 66.45 s; at 2.0 it opens after
// 36.5 s from cold and 21.4 s from a preload of 0.9.
TEST(BreakerReplica, FollowsTheClosedForm) {
  const double tau = replica_tau_s(1.3, 2.55, 20);
  EXPECT_NEAR(tau, 66.45, 0.01);
  EXPECT_NEAR(*replica_trip_s(tau, 1.3, 2.0), 36.5, 0.1);
  EXPECT_NEAR(*replica_trip_s(tau, 1.3, 2.0, 0.9), 21.4, 0.1);
  EXPECT_FALSE(replica_trip_s(tau, 1.3, 1.29).has_value());
}

TEST(BreakerClass, HoldsItsRatingForEver) {
  EXPECT_EQ(judge_breaker(ul489(), 30, 30).state, BreakerState::holds);
}

TEST(BreakerClass, MayTripBetweenHoldAndTrippingCurrent) {
  const auto verdict = judge_breaker(ul489(), 33, 30);
  EXPECT_EQ(verdict.state, BreakerState::may_trip);
  EXPECT_FALSE(verdict.trips_within_s.has_value());
}

// Log-log between (1.35, 3600 s) and (2.0, 120 s): at sqrt(1.35 x 2) the geometric mean, 657.3 s.
TEST(BreakerClass, OpensWithinTheTimeOfItsClass) {
  EXPECT_NEAR(*judge_breaker(ul489(), 1.35 * 30, 30).trips_within_s, 3600, 1e-6);
  EXPECT_NEAR(*judge_breaker(ul489(), 1.6431677 * 30, 30).trips_within_s, 657.27, 0.01);
  EXPECT_NEAR(*judge_breaker(ul489(), 3 * 30, 30).trips_within_s, 120, 1e-9);
}

// The source's hour is up to 50 A, its two minutes up to 30 A: nothing is said of a larger one.
TEST(BreakerClass, HasNoTimeForARatingItsSourceLeavesOut) {
  BreakerClass b = ul489();
  b.times_to_a = 50;
  b.upper_to_a = 30;
  EXPECT_NEAR(*judge_breaker(b, 3 * 30, 30).trips_within_s, 120, 1e-9);
  EXPECT_NEAR(*judge_breaker(b, 3 * 40, 40).trips_within_s, 3600, 1e-9);
  const auto large = judge_breaker(b, 3 * 250, 250);
  EXPECT_EQ(large.state, BreakerState::trips);
  EXPECT_FALSE(large.trips_within_s.has_value());
}

}  // namespace
}  // namespace rackwright::topology
