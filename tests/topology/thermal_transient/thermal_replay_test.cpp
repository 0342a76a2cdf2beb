#include "topology/thermal/transient/thermal_replay.hpp"

#include <cmath>

#include <gtest/gtest.h>

#include "tests/topology/thermal_transient/networks.hpp"

namespace rackwright::topology {
namespace {

profiler::PowerTimeline constant(double watts, double seconds) {
  return {{0, seconds}, {watts}};
}

TEST(ThermalReplay, StepsEndOnEveryPowerEdgeSoEnergyIsExact) {
  // Pulses of 37 ms every 113 ms on a step of 50 ms: no edge falls on the step.
  profiler::PowerTimeline load;
  load.t.push_back(0);
  for (int i = 0; i < 40; ++i) {
    load.t.push_back(0.113 * i + 0.037);
    load.t.push_back(0.113 * (i + 1));
    load.w.push_back(1000);
    load.w.push_back(100);
  }
  const auto network = testing::single_rc(50, 0.05);
  const auto run = replay_thermal(network, {30, 30}, {load, {{0, 1.0}}}, {.step_s = 0.05});
  EXPECT_NEAR(run.ledger.source_j, 40 * (37 + 7.6), 1e-9 * 1784);  // 37 J high, 7.6 J low
  EXPECT_NEAR(run.elapsed_s, 40 * 0.113, 1e-9);
  EXPECT_LT(run.ledger.closure(), 1e-9);
}

TEST(ThermalReplay, WithoutALimitNothingSlowsDown) {
  const auto network = testing::single_rc(50, 0.05);
  const auto run = replay_thermal(network, {30, 30}, {constant(1000, 60), {{0, 1.0}}}, {});
  EXPECT_NEAR(run.elapsed_s, 60, 1e-9);
  EXPECT_EQ(run.lowest_clock, 1);
  EXPECT_NEAR(run.peak_c, 80, 1e-4);
}

TEST(ThermalReplay, AThrottledJobTakesAsLongAsItsClockSays) {
  // 80 degC unthrottled, limit 60: 30 K over 30 degC is 600 W. Idle 0, y = 2, all time clock-bound:
  // clock = sqrt(600 / 1000) = 0.7746, so the work takes 1 / 0.7746 = 1.2910 times as long. The
  // clock hunts in steps of 0.01 around it.
  const auto network = testing::single_rc(50, 0.05);
  ReplaySettings settings;
  settings.throttle = Throttle{.limit_c = 60,
                               .hysteresis_k = 0.5,
                               .period_s = 0.5,
                               .step = 0.01,
                               .lowest_clock = 0.1,
                               .idle_w = 0,
                               .response = {1, 2, 1e-3}};
  double farthest = 0;  // from the limit, once the first step down is behind it
  const auto run = replay_thermal(network, {30, 30}, {constant(1000, 2000), {{0, 1.0}}}, settings,
                                  [&](const ReplayMoment& now) {
                                    if (now.time_s < 100) return;
                                    farthest =
                                        std::max(farthest, std::abs(now.solver->celsius(0) - 60));
                                  });
  EXPECT_NEAR(run.work_s, 2000, 1e-6);
  EXPECT_NEAR(run.elapsed_s / run.work_s, 1.2910, 0.02);
  EXPECT_LT(run.peak_c, 80);  // of the unthrottled run
  EXPECT_LT(farthest, 2.5);
  // Energy of the job: less than unthrottled, since power falls with the square of the clock.
  EXPECT_LT(run.ledger.source_j, 2000 * 1000.0);
  EXPECT_LT(run.ledger.closure(), 1e-9);
}

TEST(ThermalReplay, MemoryBoundWorkLosesLessThanItsClock) {
  const auto network = testing::single_rc(50, 0.05);
  ReplaySettings settings;
  settings.throttle = Throttle{.limit_c = 60, .step = 0.01, .response = {1, 2, 1e-3}};
  const auto bound = replay_thermal(network, {30, 30}, {constant(1000, 500), {{0, 1.0}}}, settings);
  settings.throttle->response.clock_bound = 0.3;
  const auto free = replay_thermal(network, {30, 30}, {constant(1000, 500), {{0, 1.0}}}, settings);
  EXPECT_LT(free.elapsed_s, bound.elapsed_s);
  EXPECT_GT(free.elapsed_s, 500);
}

TEST(ThermalReplay, ALimitThatTheLowestClockCannotHoldIsReportedAsTimeOverIt) {
  const auto network = testing::single_rc(50, 0.05);
  ReplaySettings settings;
  settings.throttle = Throttle{.limit_c = 32, .lowest_clock = 0.5, .response = {1, 1, 1e-3}};
  settings.most_s = 300;
  const auto run = replay_thermal(network, {30, 30}, {constant(1000, 1000), {{0, 1.0}}}, settings);
  EXPECT_EQ(run.lowest_clock, 0.5);
  EXPECT_GT(run.over_limit_s, 250);
  EXPECT_NEAR(run.elapsed_s, 300, 1e-6);
  EXPECT_LT(run.work_s, 200);
}

TEST(ThermalReplay, AFanLoopSettlesOnItsTargetAndFollowsTheLoad) {
  // Air in 25 degC, heat capacity rate w: outlet = 25 + P / w. Target 40: w = 60 W/K of 100 at
  // 900 W, 30 W/K at 450 W.
  ThermalNetwork network;
  const int inlet = network.add_boundary("inlet");
  const int tray = network.add_node("tray", 300);
  const int flow = network.add_flow(100);
  network.advect(inlet, tray, flow);
  ReplaySettings settings;
  settings.controls = {{.sensor = tray, .target_c = 40, .flow = flow, .full_w_per_k = 100}};
  profiler::PowerTimeline load{{0, 600, 1200}, {900, 450}};
  double at_high = 0, at_low = 0;
  const auto run = replay_thermal(network, {25, 25}, {load, {{tray, 1.0}}}, settings,
                                  [&](const ReplayMoment& now) {
                                    if (now.time_s < 600) at_high = now.speeds[0];
                                    at_low = now.speeds[0];
                                  });
  EXPECT_NEAR(at_high, 0.60, 0.005);
  EXPECT_NEAR(at_low, 0.30, 0.005);
  EXPECT_LT(run.peak_c, 50);
  EXPECT_LT(run.ledger.closure(), 1e-9);
}

TEST(ThermalReplay, AStoppedPumpStaysStoppedUnderControl) {
  ThermalNetwork network;
  const int inlet = network.add_boundary("inlet");
  const int tray = network.add_node("tray", 300);
  const int flow = network.add_flow(100);
  network.advect(inlet, tray, flow);
  ReplaySettings settings;
  settings.controls = {{.sensor = tray, .target_c = 35, .flow = flow, .full_w_per_k = 100}};
  settings.events = {{.at_s = 50, .flow = flow, .w_per_k = 0}};
  double at_stop = 0;
  const auto run = replay_thermal(network, {25, 25}, {constant(900, 60), {{tray, 1.0}}}, settings,
                                  [&](const ReplayMoment& now) {
                                    if (now.time_s <= 50 + 1e-6)
                                      at_stop = now.solver->celsius(tray);
                                  });
  EXPECT_NEAR(run.peak_c - at_stop, 10 * 900 / 300.0, 1e-6);  // 3 K/s for 10 s
}

TEST(SecondsToLimit, StoppedFlowOfOneMassIsCapacityTimesRiseOverPower) {
  // 1200 W on 600 J/K from 50 to 85 degC: 17.5 s.
  ThermalNetwork network;
  const int supply = network.add_boundary("supply");
  const int plate = network.add_node("plate", 600);
  network.advect(supply, plate, network.add_flow(120));
  auto inputs = ThermalInputs::of(network, 40);
  inputs.source_w[static_cast<std::size_t>(plate)] = 1200;
  inputs.flow_w_per_k = {0};
  const auto seconds = seconds_to_limit(network, {40, 50}, inputs, plate, 85, 100);
  ASSERT_TRUE(seconds);
  EXPECT_NEAR(*seconds, 17.5, 1e-6);
  EXPECT_NEAR(adiabatic_seconds(600, 35, 1200), 17.5, 1e-12);
  EXPECT_NEAR(bridging_capacity_j_per_k(1200, 17.5, 35), 600, 1e-9);
}

TEST(SecondsToLimit, ReducedFlowThatHoldsNeverGetsThere) {
  ThermalNetwork network;
  const int supply = network.add_boundary("supply");
  const int plate = network.add_node("plate", 600);
  network.advect(supply, plate, network.add_flow(120));
  auto inputs = ThermalInputs::of(network, 40);
  inputs.source_w[static_cast<std::size_t>(plate)] = 1200;
  inputs.flow_w_per_k = {60};  // settles at 40 + 20 = 60 degC
  EXPECT_FALSE(seconds_to_limit(network, {40, 50}, inputs, plate, 61, 300));
  // Reaches 55: e^(-t/10) = 5/10 of the way from 50 to 60: 10 ln 2 = 6.931 s.
  EXPECT_NEAR(*seconds_to_limit(network, {40, 50}, inputs, plate, 55, 300), 10 * std::log(2.0),
              1e-3);
  EXPECT_EQ(*seconds_to_limit(network, {40, 50}, inputs, plate, 50, 300), 0);
}

}  // namespace
}  // namespace rackwright::topology
