#include "topology/thermal/coolant_loop.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <stdexcept>

#include <gtest/gtest.h>

namespace rackwright::topology {
namespace {

// Lenovo LP2357: 59 l/min and 15.86 kPa, 177 and 126.86.
const DropLaw kRack = fit_drop({{59, 15.86}, {177, 126.86}});
const std::vector<LoopComponent> kComponents{
    {"cold plates", 0.7, false}, {"quick disconnects", 0.29, false}, {"manifold", 0.01, true}};

std::vector<TrayBranch> trays(double watts = 5000) {
  std::vector<TrayBranch> result;
  for (int i = 0; i < 27; ++i) {
    const bool compute = i < 9 || i >= 18;
    result.push_back({"t" + std::to_string(i), 0.3 + 0.04445 * i, compute ? watts : watts / 5});
  }
  return result;
}

std::vector<double> heats(const CoolantLoop& loop) {
  std::vector<double> result;
  for (const TrayBranch& tray : loop.trays()) result.push_back(tray.heat_w);
  return result;
}

TEST(CoolantLoop, DropsWhatThePublishedRackDrops) {
  const CoolantLoop loop(trays(), kRack, kComponents, 89);
  // The manifold's 1 % is to the far tray, the rack's mean way is shorter.
  for (const double flow : {59.0, 89.0, 177.0}) {
    EXPECT_NEAR(loop.at_flow(flow).drop_kpa, kRack.drop_kpa(flow), 0.01 * kRack.drop_kpa(flow));
  }
  EXPECT_NEAR(loop.at_flow(89).drop_kpa, 33.78, 0.05 * 33.78);  // the published middle row
}

TEST(CoolantLoop, FlowSumsToZeroAtEveryNode) {
  const CoolantLoop loop(trays(), kRack, kComponents, 89);
  const auto state = loop.at_flow(89);
  ASSERT_TRUE(state.converged);
  EXPECT_NEAR(std::accumulate(state.branch_lpm.begin(), state.branch_lpm.end(), 0.0), 89, 1e-9);
  EXPECT_LT(state.largest_imbalance_lpm, 1e-9);
}

TEST(CoolantLoop, HeatOutIsPowerIn) {
  const CoolantLoop loop(trays(), kRack, kComponents, 89);
  const auto state = loop.at_flow(89);
  const auto heat = heats(loop);
  const auto outlets = tray_outlets_c(state, heat, 40, 66.8);
  double out = 0;
  for (std::size_t i = 0; i < heat.size(); ++i) {
    out += (outlets[i] - 40) * 66.8 * state.branch_lpm[i];
  }
  const double in = std::accumulate(heat.begin(), heat.end(), 0.0);
  EXPECT_NEAR(out, in, 1e-9 * in);
}

TEST(CoolantLoop, TheFarTrayGetsTheLeast) {
  const CoolantLoop loop(trays(), kRack, kComponents, 89);
  const auto state = loop.at_flow(89);
  EXPECT_LT(state.branch_lpm.back(), state.branch_lpm.front());
  EXPECT_GT(state.branch_lpm.back(), 0.99 * state.branch_lpm.front());
}

TEST(CoolantLoop, WithoutManifoldLossEqualTraysAreInterchangeable) {
  const CoolantLoop loop(trays(), kRack, {{"cold plates", 1, false}}, 89);
  const auto state = loop.at_flow(89);
  EXPECT_NEAR(state.branch_lpm[0], state.branch_lpm[26], 1e-12);
  // Flow in proportion to heat: 18 x 5 + 9 x 1 = 99 parts of 89 l/min.
  EXPECT_NEAR(state.branch_lpm[0], 89.0 * 5 / 99, 1e-9);
  EXPECT_NEAR(state.branch_lpm[10], 89.0 * 1 / 99, 1e-9);
}

TEST(CoolantLoop, MoreHeatAtTheSameFlowNeverCools) {
  const CoolantLoop loop(trays(), kRack, kComponents, 89);
  const auto state = loop.at_flow(89);
  auto heat = heats(loop);
  auto last = tray_outlets_c(state, heat, 40, 66.8);
  for (int i = 0; i < 5; ++i) {
    heat[3] += 500;
    const auto now = tray_outlets_c(state, heat, 40, 66.8);
    for (std::size_t t = 0; t < now.size(); ++t) EXPECT_GE(now[t], last[t]);
    EXPECT_GT(now[3], last[3]);
    last = now;
  }
}

TEST(CoolantLoop, AShutValveGivesItsFlowToTheOthers) {
  const CoolantLoop loop(trays(), kRack, kComponents, 89);
  const auto before = loop.at_flow(89);
  std::vector<double> blocked(27, 1.0);
  blocked[5] = 0;
  const auto after = loop.at_flow(89, blocked);
  EXPECT_EQ(after.branch_lpm[5], 0);
  for (std::size_t i = 0; i < 27; ++i) {
    EXPECT_TRUE(i == 5 || after.branch_lpm[i] > before.branch_lpm[i]) << i;
  }
  EXPECT_GT(after.drop_kpa, before.drop_kpa);
  EXPECT_TRUE(std::isinf(tray_outlets_c(after, heats(loop), 40, 66.8)[5]));
}

TEST(CoolantLoop, ABlockedBranchGetsLessAtTheSamePressure) {
  const CoolantLoop loop(trays(), kRack, {{"cold plates", 1, false}}, 89);
  const DropLaw square = fit_drop({{89, 34}});
  const CoolantLoop pure(trays(), square, {{"cold plates", 1, false}}, 89);
  const double kpa = pure.at_flow(89).drop_kpa;
  std::vector<double> blocked(27, 1.0);
  blocked[0] = 4;  // four times the loss: half the flow
  const auto state = pure.at_drop(kpa, blocked);
  EXPECT_NEAR(state.branch_lpm[0], 0.5 * pure.at_flow(89).branch_lpm[0], 1e-9);
  EXPECT_NEAR(state.branch_lpm[1], pure.at_flow(89).branch_lpm[1], 1e-9);
}

TEST(CoolantLoop, ComponentsOfABranchSumToItsDrop) {
  const CoolantLoop loop(trays(), kRack, kComponents, 89);
  const auto state = loop.at_flow(89);
  double sum = 0;
  for (const LoopComponent& part : loop.components())
    sum += loop.component_drop_kpa(state, 4, part);
  EXPECT_NEAR(sum, state.branch_drop_kpa[4], 1e-9);
}

TEST(CoolantLoop, RefusesNoHeatAndNoFlow) {
  EXPECT_THROW(CoolantLoop({}, kRack, kComponents, 89), std::invalid_argument);
  EXPECT_THROW(CoolantLoop(trays(), kRack, kComponents, 0), std::invalid_argument);
}

TEST(BlockageMargin, IsWhatTheFlowMayLose) {
  // 40 to 52 degC with 55 allowed: 12 of 15 K, so a fifth of the flow may go.
  EXPECT_NEAR(blockage_margin(40, 52, 55), 0.2, 1e-12);
  EXPECT_LT(blockage_margin(40, 56, 55), 0);
}

TEST(LeakFlow, IsDrivenByThePressureOverTheRoom) {
  // 1e12 Pa s2/m6: 500 kPa through half of it: sqrt(5e5 / 5e11) = 1e-3 m3/s = 60 l/min.
  EXPECT_NEAR(leak_flow_lpm({0, 1e12, 2}, 0.5, 500), 60, 1e-6);
}

}  // namespace
}  // namespace rackwright::topology
