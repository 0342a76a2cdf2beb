#include "topology/thermal/air_network.hpp"

#include <cmath>
#include <numeric>
#include <stdexcept>

#include <gtest/gtest.h>

namespace rackwright::topology {
namespace {

std::shared_ptr<const PressureCurve> fan_curve() {
  return std::make_shared<PressureCurve>(
      std::vector<CurvePoint>{{0, 1045}, {0.0075, 700}, {0.015, 0}});
}

TrayAir tray(int failed = 0) {
  TrayAir t;
  t.slot = "c01";
  t.fans = {fan_curve(), 8, failed, 1, 0.17, {16.8, 1.56, {}}, {0, 5e6, 2}, false};
  t.inside = {0, 8e4, 2};
  t.outlet = {0, 2e4, 2};
  return t;
}

RackAir rack(std::vector<TrayAir> trays) {
  RackAir r;
  r.front_door = r.rear_door = {0, 20, 2};
  r.trays = std::move(trays);
  return r;
}

TEST(RackAir, OneTrayWorksWhereItsFansMeetItsImpedance) {
  RackAir one;
  one.trays = {tray()};
  const auto state = solve_rack_air(one);
  ASSERT_TRUE(state.converged);
  const double flow = state.tray_m3_per_s[0];
  EXPECT_NEAR(fan_curve()->pressure(flow / 8), 1e5 * flow * flow, 1e-6);
  EXPECT_NEAR(state.fan_power_w[0], 8 * 16.8, 1e-9);
}

TEST(RackAir, EqualTraysAreInterchangeableAndFlowsSumToZero) {
  const auto state = solve_rack_air(rack(std::vector<TrayAir>(18, tray())));
  ASSERT_TRUE(state.converged);
  for (const double flow : state.tray_m3_per_s) {
    EXPECT_NEAR(flow, state.tray_m3_per_s[0], 1e-12);
  }
  EXPECT_LT(state.largest_imbalance_m3_per_s, 1e-9);
}

TEST(RackAir, SpeedScalesFlowAndPowerFollowsTheMakersExponent) {
  RackAir slow = rack({tray()});
  const double full = solve_rack_air(slow).tray_m3_per_s[0];
  slow.trays[0].fans.speed = 0.8;
  const auto state = solve_rack_air(slow);
  EXPECT_NEAR(state.tray_m3_per_s[0], 0.8 * full, 1e-12);
  // 134.4 x 0.8^1.56 = 94.9 W; the cube would say 68.8 W.
  EXPECT_NEAR(state.fan_power_w[0], 94.9, 0.1);
}

// Without doors a tray is one square law, so the fans keep their operating point and published
// power over flow gives the cube: 0.8^3 of what the same point draws at full speed.
TEST(RackAir, PowerOverFlowFollowsTheOperatingPoint) {
  RackAir one;
  one.trays = {tray()};
  one.trays[0].fans.power.over_flow = {{0, 20}, {0.015, 12}};
  const auto full = solve_rack_air(one);
  const double each = full.tray_m3_per_s[0] / 8;
  EXPECT_NEAR(full.fan_power_w[0], 8 * (20 - 8 * each / 0.015), 1e-9);
  one.trays[0].fans.speed = 0.8;
  EXPECT_NEAR(solve_rack_air(one).fan_power_w[0], 0.512 * full.fan_power_w[0], 1e-9);
}

// A neighbour at full speed presses on the rear door: the slowed fans stand nearer to shut-off,
// where these draw more than the cube says, 0.512 of full.
TEST(RackAir, OffItsOperatingPointAFanLeavesTheCube) {
  RackAir two = rack({tray(), tray()});
  two.rear_door = {0, 2e4, 2};
  for (TrayAir& t : two.trays) t.fans.power.over_flow = {{0, 20}, {0.015, 12}};
  const double full = solve_rack_air(two).fan_power_w[0];
  two.trays[0].fans.speed = 0.8;
  EXPECT_GT(solve_rack_air(two).fan_power_w[0], 1.01 * 0.512 * full);
}

TEST(RackAir, FansRunAsFastAsTheirTrayNeeds) {
  RackAir leaky = rack({tray(), tray(1), tray()});
  leaky.leak = orifice(0.005, 0.62, 1.19);
  const double most = solve_rack_air(leaky).tray_m3_per_s[0];
  const RackAir set = with_speeds_for(leaky, {0.5 * most, 0.5 * most, 0.01 * most});
  const auto state = solve_rack_air(set);
  EXPECT_NEAR(state.tray_m3_per_s[0], 0.5 * most, 1e-6 * most);
  EXPECT_NEAR(state.tray_m3_per_s[1], 0.5 * most, 1e-6 * most);
  EXPECT_GT(set.trays[1].fans.speed, set.trays[0].fans.speed);  // with one fan lost
  EXPECT_EQ(set.trays[2].fans.speed, 0.17);                     // the maker's lowest duty
  EXPECT_EQ(with_speeds_for(leaky, {9 * most, 0, 0}).trays[0].fans.speed, 1.0);
}

TEST(RackAir, AFailedFanCostsMoreWithoutAFlap) {
  const double all = solve_rack_air(rack({tray()})).tray_m3_per_s[0];
  const double open = solve_rack_air(rack({tray(1)})).tray_m3_per_s[0];
  TrayAir flapped = tray(1);
  flapped.fans.flap = true;
  const double shut = solve_rack_air(rack({flapped})).tray_m3_per_s[0];
  EXPECT_LT(open, shut);
  EXPECT_LT(shut, all);
}

TEST(RackAir, ATrayWhoseFansStandIsBlownThroughByNobody) {
  // Pressed by its neighbours' rear pressure, it carries air back.
  const auto state = solve_rack_air(rack({tray(), tray(8)}));
  EXPECT_LT(state.tray_m3_per_s[1], 0);
}

TEST(RackAir, CablesThatCloseHalfOfTheOutletTakeFlow) {
  TrayAir blocked = tray();
  blocked.cable_blocked = 0.5;  // outlet loss x 4: 8e4 + 8e4 instead of 1e5
  RackAir one;
  one.trays = {blocked};
  const auto state = solve_rack_air(one);
  const double flow = state.tray_m3_per_s[0];
  EXPECT_NEAR(fan_curve()->pressure(flow / 8), 1.6e5 * flow * flow, 1e-6);
}

TEST(RackAir, AGapLetsHotAirBack) {
  RackAir leaky = rack(std::vector<TrayAir>(4, tray()));
  leaky.leak = orifice(0.01, 0.62, 1.19);
  const auto state = solve_rack_air(leaky);
  EXPECT_GT(state.leak_m3_per_s, 0);
  const double flow = std::accumulate(state.tray_m3_per_s.begin(), state.tray_m3_per_s.end(), 0.0);
  const double share = state.leak_m3_per_s / flow;
  const Air air;
  const auto t = rack_air_temperatures(40e3, flow, share, 25, air);
  // What leaves through the door carries all the heat.
  const double out = 1.2 * 1006 * flow * (1 - share) * (t.exhaust_c - 25);
  EXPECT_NEAR(out, 40e3, 1e-9 * 40e3);
  EXPECT_GT(t.intake_c, 25);
}

TEST(Recirculation, IsBoundedByPerfectMixing) {
  // 0.8 of the demand supplied, 12 K over the racks: 3 K.
  EXPECT_NEAR(recirculation_bound_k(12, 0.8), 3, 1e-12);
  EXPECT_EQ(recirculation_bound_k(12, 1.1), 0);
}

TEST(MixedIntakes, OfPerfectMixingReachTheBound) {
  // Each of two racks breathes a tenth of each exhaust: 20 % of 12 K over 80 % supply, 3 K.
  const auto intakes = mixed_intakes_c({{0.1, 0.1}, {0.1, 0.1}}, {12, 12}, 20);
  EXPECT_NEAR(intakes[0], 23, 1e-12);
  EXPECT_NEAR(intakes[1], 23, 1e-12);
}

TEST(MixedIntakes, NeedASquareMatrixWithSupply) {
  EXPECT_THROW((void)mixed_intakes_c({{0.5, 0.5}}, {1}, 20), std::invalid_argument);
  EXPECT_THROW((void)mixed_intakes_c({{1}}, {5}, 20), std::invalid_argument);
}

}  // namespace
}  // namespace rackwright::topology
