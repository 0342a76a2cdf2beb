#include "profiler/trace.hpp"

#include <cmath>

#include <gtest/gtest.h>

namespace rackwright::profiler {
namespace {

using workloads::OperatorClass;

/// Idle 100 W; 1..3 s at 500 W, 3..4 s at 300 W, 6..7 s at 500 W; ends at 8 s.
Trace three_slices() {
  Trace trace;
  trace.slices = {{1, 2, 500, 0, OperatorClass::gemm},
                  {3, 1, 300, 0, OperatorClass::collective},
                  {6, 1, 500, 1, OperatorClass::gemm}};
  trace.idle_w = 100;
  trace.end_s = 8;
  trace.engine.busy_s = 4;
  trace.totals[0] = {3, 1500, 0, 0, 0};
  trace.totals[6] = {1, 300, 0, 0, 0};
  return trace;
}

TEST(PowerTimeline, HoldsIdlePowerBetweenSlices) {
  const PowerTimeline power = power_timeline(three_slices());

  EXPECT_EQ(power.t, (std::vector<double>{0, 1, 3, 4, 6, 7, 8}));
  EXPECT_EQ(power.w, (std::vector<double>{100, 500, 300, 100, 500, 100}));
}

TEST(PowerTimeline, IntegralIsTheSumOverPieces) {
  // 100x1 + 500x2 + 300x1 + 100x2 + 500x1 + 100x1 = 2200 J
  EXPECT_DOUBLE_EQ(power_timeline(three_slices()).integral(), 2200);
}

TEST(PowerTimeline, RefusesATraceWithoutSlices) {
  Trace trace = three_slices();
  trace.slices.clear();
  EXPECT_THROW(static_cast<void>(power_timeline(trace)), std::invalid_argument);
}

TEST(PowerTimeline, OfAnIdleReplicaIsIdlePower) {
  Trace trace;
  trace.idle_w = 75;
  trace.end_s = 10;
  EXPECT_DOUBLE_EQ(power_timeline(trace).integral(), 750);
}

TEST(Trace, EnergyHoldsOperatorsAndIdleGaps) {
  // operators 1800 J, idle 100 W x (8 - 4) s = 400 J
  EXPECT_DOUBLE_EQ(three_slices().joules_per_gpu(), 2200);
}

TEST(Trace, BusyShareIsBusyTimeOverAllTime) {
  EXPECT_DOUBLE_EQ(three_slices().busy_share(), 0.5);
}

TEST(SliceEnd, IsTheStartOfTheNextSliceWhenTheyTouch) {
  Trace trace;
  const double tenth = 0.1;  // as a float 0.100000001490116
  trace.slices = {{0, static_cast<float>(tenth), 1, 0, OperatorClass::gemm},
                  {tenth, 1, 1, 0, OperatorClass::gemm}};
  trace.end_s = 5;
  EXPECT_EQ(slice_end_s(trace, 0), tenth);
  EXPECT_DOUBLE_EQ(slice_end_s(trace, 1), 1.1);
}

TEST(WindowedMeans, AreExactOverEdges) {
  // windows of 2.5 s: (1x100 + 1.5x500)/2.5 = 340; (0.5x500 + 1x300 + 1x100)/2.5 = 260;
  // 5..7.5: (1x100 + 1x500 + 0.5x100)/2.5 = 260; the rest 7.5..8 at 100
  const auto means = windowed_means(power_timeline(three_slices()), 2.5);
  ASSERT_EQ(means.size(), 4U);
  EXPECT_DOUBLE_EQ(means[0], 340);
  EXPECT_DOUBLE_EQ(means[1], 260);
  EXPECT_DOUBLE_EQ(means[2], 260);
  EXPECT_DOUBLE_EQ(means[3], 100);
}

TEST(WindowedMeans, KeepTheIntegralForAnyWindow) {
  const PowerTimeline power = power_timeline(three_slices());
  for (const double window : {0.1, 0.3, 1.0, 3.0, 100.0}) {
    const auto means = windowed_means(power, window);
    double joules = 0;
    for (std::size_t i = 0; i < means.size(); ++i) {
      joules += means[i] * std::min(window, 8 - static_cast<double>(i) * window);
    }
    EXPECT_NEAR(joules, 2200, 1e-9) << window;
  }
}

TEST(WindowedMeans, RefuseAWindowOfZero) {
  EXPECT_THROW(static_cast<void>(windowed_means(power_timeline(three_slices()), 0)),
               std::invalid_argument);
}

}  // namespace
}  // namespace rackwright::profiler
