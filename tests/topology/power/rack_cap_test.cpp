#include "topology/power/rack_cap.hpp"

#include <cmath>

#include <gtest/gtest.h>

namespace rackwright::topology {
namespace {

constexpr kernels::CapResponse kSquare{1, 2, 1e-3};  // all clock-bound, f = sqrt(d)

CyclicEnergy square(double high_w, double low_w) {
  profiler::PowerTimeline timeline;
  timeline.t = {0, 1, 2};
  timeline.w = {high_w, low_w};
  return CyclicEnergy(timeline);
}

CappedRack rack(double gpus) {
  return {gpus, 0, 100, [](double gpu_w) { return gpu_w; }};
}

// 500 W over 100 W idle on 4 GPUs, capped at 1,200 W: 300 W each, half of the power over idle is
// left, f = sqrt(0.5), so the run takes sqrt(2) of the time.
TEST(RackCap, ASteadyLoadRunsAtTheRootOfItsShare) {
  const auto run = replay_under_cap(square(500, 500), {0}, 10, 0.1, rack(4), 1200, kSquare);
  EXPECT_NEAR(run.slow_down(), std::sqrt(2.0) - 1, 1e-9);
  EXPECT_NEAR(run.highest_w, 1200, 1e-6);
  EXPECT_NEAR(run.capped_s, run.elapsed_s, 1e-9);
}

// Only the busy second is over the cap: 1 s becomes sqrt(2) s, the idle second stays.
TEST(RackCap, OnlyTheTimeOverTheCapStretches) {
  const auto run = replay_under_cap(square(500, 100), {0}, 200, 0.001, rack(4), 1200, kSquare);
  EXPECT_NEAR(run.slow_down(), (std::sqrt(2.0) + 1) / 2 - 1, 1e-3);
}

// Two replicas in opposite phase draw 600 W all the time: a cap of 600 W costs nothing; in step
// they draw 1,000 W for half of it.
TEST(RackCap, PhasesDecideWhatACapCosts) {
  const auto apart = replay_under_cap(square(500, 100), {0, 1}, 100, 0.1, rack(1), 600, kSquare);
  const auto in_step = replay_under_cap(square(500, 100), {0, 0}, 100, 0.1, rack(1), 600, kSquare);
  EXPECT_NEAR(apart.slow_down(), 0, 1e-9);
  EXPECT_GT(in_step.slow_down(), 0.2);
}

// A burst of one second over a cap that acts 0.5 s late: 4 x 500 W for half a second, 800 W over
// the cap of 1,200 W each time, 400 J a burst; then the cap holds. The same delay keeps the clocks
// low for 0.5 s of the idle second, where nothing is lost.
TEST(RackCap, ALateControllerLetsTheBurstThrough) {
  const auto late = replay_under_cap(square(500, 100), {0}, 2, 0.01, rack(4), 1200, kSquare, 0.5);
  EXPECT_NEAR(late.highest_w, 2000, 1e-6);
  EXPECT_NEAR(late.over_j, 400, 8);
  const auto prompt = replay_under_cap(square(500, 100), {0}, 2, 0.01, rack(4), 1200, kSquare);
  EXPECT_NEAR(prompt.highest_w, 1200, 1e-6);
  EXPECT_LT(late.slow_down(), prompt.slow_down());
}

TEST(RackCap, ALowerCapIsNeverFaster) {
  double last = -1;
  for (const double cap : {2000.0, 1800.0, 1500.0, 1200.0, 900.0}) {
    const double slow =
        replay_under_cap(square(500, 100), {0.2, 0.9}, 50, 0.1, rack(2), cap, kSquare).slow_down();
    EXPECT_GE(slow, last - 1e-9) << cap;
    last = slow;
  }
}

TEST(RackCap, UnderIdleTheCapIsNotHeld) {
  EXPECT_FALSE(replay_under_cap(square(500, 500), {0}, 1, 0.1, rack(4), 300, kSquare).held);
}

TEST(RackCap, FindsTheCapOfASlowDown) {
  const double cap = cap_for_slow_down([](double w) { return (1000 - w) / 1000; }, 0.01, 500, 1000);
  EXPECT_NEAR(cap, 990, 1);
}

}  // namespace
}  // namespace rackwright::topology
