#include "profiler/clock_alignment.hpp"

#include <stdexcept>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rackwright::profiler {
namespace {

using Kind = ClockDisturbance::Kind;

TEST(ClockOffset, TakesTheExchangeWithTheLeastRoundTrip) {
  // The reference is 2.5 s ahead. A way of 1 ms there and 1 ms back; one slow and lopsided.
  const PingPong exchanges[] = {{10, 12.509, 10.010}, {20, 22.501, 20.002}};
  const ClockOffset offset = clock_offset(exchanges);
  EXPECT_NEAR(offset.offset_s, 2.5, 1e-12);
  EXPECT_NEAR(offset.bound_s, 0.001, 1e-12);
  EXPECT_NEAR(offset.at_s, 20.001, 1e-12);
}

TEST(ClockOffset, TheTrueOffsetLiesWithinTheBoundHoweverLopsidedTheWay) {
  // Reference 1 s behind; the way there takes 0.1 ms and back 3.9 ms.
  const PingPong exchange[] = {{5, 4.0001, 5.004}};
  const ClockOffset offset = clock_offset(exchange);
  EXPECT_NEAR(offset.bound_s, 0.002, 1e-12);
  EXPECT_LE(std::abs(offset.offset_s - -1.0), offset.bound_s);
}

TEST(ClockOffset, RefusesWhatCannotBe) {
  EXPECT_THROW(static_cast<void>(clock_offset({})), std::invalid_argument);
  const PingPong exchange[] = {{5, 5, 4.9}};
  EXPECT_THROW(static_cast<void>(clock_offset(exchange)), std::invalid_argument);
}

TEST(ClockAlignment, InterpolatesADriftingClock) {
  const ClockAlignment alignment{{0, 0.010, 1e-4}, {100, 0.020, 3e-4}};
  EXPECT_NEAR(alignment.to_reference(50), 50.015, 1e-12);
  EXPECT_NEAR(alignment.to_reference(100), 100.020, 1e-12);
  EXPECT_EQ(alignment.bound_s(), 3e-4);
  const ClockAlignment one_look{{7, 0.5, 0}, {7, 0.5, 0}};
  EXPECT_EQ(one_look.to_reference(9), 9.5);
}

TEST(ClockDisturbance, QuietClocksAreLeftAlone) {
  const ClockPair pairs[] = {{1000, 10}, {1010.0004, 20}, {1020.0008, 30}};
  EXPECT_EQ(find_disturbance(pairs).kind, Kind::none);
  EXPECT_EQ(find_disturbance({}).kind, Kind::none);
}

TEST(ClockDisturbance, AStepIsFound) {
  const ClockPair pairs[] = {{1000, 10}, {1010, 20}, {1019.95, 30}, {1029.95, 40}};
  const ClockDisturbance found = find_disturbance(pairs);
  EXPECT_EQ(found.kind, Kind::step);
  EXPECT_NEAR(found.worst_s, -0.05, 1e-9);
  EXPECT_EQ(found.reason, "the clock was stepped by -50.0 ms");
}

TEST(ClockDisturbance, ASlewIsFound) {
  // 400 us in every 1 s: 400 ppm, within what NTP slews.
  const ClockPair pairs[] = {{100, 0}, {101.0004, 1}, {102.0008, 2}, {103.0012, 3}};
  const ClockDisturbance found = find_disturbance(pairs);
  EXPECT_EQ(found.kind, Kind::slew);
  EXPECT_NEAR(found.seconds, 0.0012, 1e-9);
}

TEST(ClockPair, IsOfOneMoment) {
  const ClockPair pairs[] = {read_clock_pair(), read_clock_pair()};
  EXPECT_GT(pairs[0].realtime_s, 1.7e9);
  EXPECT_GE(pairs[1].raw_s, pairs[0].raw_s);
}

}  // namespace
}  // namespace rackwright::profiler
