#include "topology/failures/air_plant.hpp"

#include <cmath>

#include <gtest/gtest.h>

#include "tests/topology/hand_built.hpp"

namespace rackwright::topology {
namespace {

using namespace testing;

/// The air rack with a fan curve (a line from 400 Pa to 200 CFM a fan) and an impedance of 100 Pa
/// at 1,000 CFM in each node of ten fans.
RackEvaluation with_curves(const AirSide& air, bool flap = true) {
  std::vector<Part> own = parts();
  own.push_back(part("fan", "fan",
                     {{"static_pressure_pa_at_0cfm", 400},
                      {"static_pressure_pa_at_200cfm", 0},
                      {"power_w", 20},
                      {"power_speed_exponent_factor", 3}}));
  for (Part& p : own) {
    if (p.id != "node") continue;
    p.facts["fan_count"] = fact(10);
    p.facts["fan_part"].text = "fan";
    p.facts["impedance_pa_at_1000cfm"] = fact(100);
    if (flap) p.facts["back_draught_flap"].text = "yes";
  }
  RackDesign rack = air_rack();
  rack.air = air;
  return evaluate(rack, Catalog(own), device(700, 100), std::nullopt, {});
}

double figure(const RackEvaluation& e, const char* key) {
  return e.figures.at(key).value;
}

// Ten fans give 400 (1 - Q / 2000) Pa at 1.2 kg/m3, the tray takes 100 (Q / 1000)^2 Pa and its way
// out rho / 2 (Q / A)^2: A = 600 mm x 8 x 44.45 mm = 0.2134 m2, Q in m3/s. At 27 degC rho is
// 1.177 kg/m3 and the fans' pressure goes with it. Q = 1,205 CFM solves it: fans 155.9 Pa, tray
// 145.2 Pa, way out 4.2 Pa; within 1 %.
TEST(AirNetwork, FindsTheFlowOfCurveAgainstImpedance) {
  const auto e = with_curves({});
  const double cfm_each = figure(e, "air.network.flow") / 60 / cfm.si() / 4;
  const double q = cfm_each * cfm.si();
  const double fans = 1.177 / 1.2 * 400 * (1 - cfm_each / 2000);
  const double drop = 100 * std::pow(cfm_each / 1000, 2) + 1.177 / 2 * std::pow(q / 0.2134, 2);
  EXPECT_NEAR(fans, drop, 0.01 * fans);
  EXPECT_NEAR(cfm_each, 1210, 15);
}

TEST(AirNetwork, CablesInTheWayOutLowerTheFlow) {
  AirSide cabled;
  cabled.cable_blocked = fact(0.5);
  EXPECT_LT(figure(with_curves(cabled), "air.network.flow"),
            figure(with_curves({}), "air.network.flow") * 0.99);
}

TEST(AirNetwork, ALeakWarmsTheIntakes) {
  AirSide leaky;
  leaky.front_door_area_mm2 = leaky.rear_door_area_mm2 = fact(600e3);
  const auto tight = with_curves(leaky);
  leaky.leak_area_mm2 = fact(50e3);
  const auto open = with_curves(leaky);
  EXPECT_GT(figure(open, "air.network.leak"), 0);
  EXPECT_EQ(figure(tight, "air.network.leak"), 0);
  EXPECT_GT(figure(open, "air.network.intake"), figure(tight, "air.network.intake") + 0.1);
}

TEST(AirNetwork, ALostFanLowersTheFlowOfItsNode) {
  const auto e = with_curves({});
  const AirPlant& plant = e.failures.model.air;
  const std::vector<double> heat(4, 10200);
  const AirState all = solve_air(plant, heat, {}), lost = solve_air(plant, heat, {0});
  EXPECT_LT(*lost.flow_m3_per_s[0], *all.flow_m3_per_s[0]);
  EXPECT_NEAR(*lost.flow_m3_per_s[1], *all.flow_m3_per_s[1], 1e-4);
  EXPECT_GT(lost.outlet_c[0], all.outlet_c[0]);
}

// The nodes' published 1,105 CFM is less than the network gives at full speed: the fans slow down
// on one square law, so speed is 1,105 over the full flow and power its cube here.
TEST(AirNetwork, FansSlowDownToThePublishedFlow) {
  const auto e = with_curves({});
  const double full = figure(e, "air.network.flow") / 60 / cfm.si() / 4;
  const double speed = 1105 / full;
  EXPECT_NEAR(figure(e, "air.network.fan_speed.design_envelope"), 100 * speed, 0.01);
  EXPECT_NEAR(figure(e, "air.network.fan_power.design_envelope"), 4 * 10 * 20 * std::pow(speed, 3),
              0.1);
}

// 1,105 CFM need 125.6 Pa of tray and way out. Ten fans give that at s with 0.98 x 400 s^2 (1 -
// 110.5 / (200 s)) = 125.6: s = 0.906; nine, the flap of the tenth shut, with 122.8 CFM each: s =
// 0.951. At 20 s^3 W a fan that is 148.8 and 154.8 W.
TEST(AirNetwork, ALostFanLetsTheOthersRunFaster) {
  const auto e = with_curves({});
  const AirState lost = solve_air(e.failures.model.air, std::vector<double>(4, 10200), {0});
  EXPECT_NEAR(lost.more_fan_w[0], 5.96, 0.2);
  EXPECT_NEAR(lost.more_fan_w[1], 0, 0.01);
}

TEST(AirNetwork, WithoutAFlapALostFanIsBlank) {
  const auto e = with_curves({}, false);
  const AirState lost = solve_air(e.failures.model.air, std::vector<double>(4, 10200), {0});
  EXPECT_FALSE(lost.flow_m3_per_s[0].has_value());
  EXPECT_NE(find_requirement(e, "stopped_fan.air"), nullptr);
}

// Without curves: two doors of 0.4 m2 at four times 1,105 CFM = 2.086 m3/s lose
// 2 x 1.177 / 2 x (2.086 / (0.6 x 0.4))^2 = 88.9 Pa.
TEST(PublishedFlow, LosesPressureInTheDoorsAndLeaks) {
  RackDesign rack = air_rack();
  rack.air.front_door_area_mm2 = rack.air.rear_door_area_mm2 = fact(400e3);
  rack.air.leak_area_mm2 = fact(10e3);
  std::vector<Part> own = parts();
  own.push_back(part("sharp-opening", "rule", {{"discharge_factor", 0.6}}));
  const auto e = evaluate(rack, Catalog(own), device(700, 100), std::nullopt, {});
  EXPECT_NEAR(figure(e, "air.door_drop"), 88.9, 0.5);
  // Leak 0.6 x 0.01 m2 x sqrt(2 x 88.9 / 1.177) = 0.0737 m3/s of 2.086.
  EXPECT_NEAR(figure(e, "air.leak_share"), 0.0353, 0.0003);
  EXPECT_GT(figure(e, "air.leak_intake"), 27.0);
}

TEST(PublishedFlow, CablesRaiseThePressureBehindTheNode) {
  RackDesign rack = air_rack();
  const auto clear = evaluate(rack, catalog(), device(700, 100), std::nullopt, {});
  rack.air.cable_blocked = fact(0.5);
  const auto cabled = evaluate(rack, catalog(), device(700, 100), std::nullopt, {});
  EXPECT_NEAR(figure(cabled, "air.way_out_drop"), 4 * figure(clear, "air.way_out_drop"), 1e-9);
}

}  // namespace
}  // namespace rackwright::topology
