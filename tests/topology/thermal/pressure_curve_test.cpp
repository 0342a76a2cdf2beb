#include "topology/thermal/pressure_curve.hpp"

#include <cmath>
#include <stdexcept>

#include <gtest/gtest.h>

namespace rackwright::topology {
namespace {

const PressureCurve kFan({{0, 1700}, {0.008, 900}, {0.0155, 0}});

TEST(PressureCurve, PassesItsPointsAndFallsBetweenThem) {
  EXPECT_DOUBLE_EQ(kFan.pressure(0), 1700);
  EXPECT_DOUBLE_EQ(kFan.pressure(0.008), 900);
  EXPECT_NEAR(kFan.pressure(0.0155), 0, 1e-9);
  double last = 5000;
  for (double flow = -0.002; flow < 0.02; flow += 1e-4) {
    EXPECT_LT(kFan.pressure(flow), last);
    last = kFan.pressure(flow);
  }
}

TEST(PressureCurve, HasTheSlopeOfItsPressure) {
  for (const double flow : {-0.001, 0.002, 0.009, 0.012, 0.02}) {
    const double step = 1e-7;
    const double slope = (kFan.pressure(flow + step) - kFan.pressure(flow - step)) / (2 * step);
    EXPECT_NEAR(kFan.slope(flow), slope, 1e-3 * std::abs(slope));
  }
}

TEST(PressureCurve, FollowsTheAffinityLaws) {
  // Half speed: half the flow at a quarter of the pressure.
  EXPECT_DOUBLE_EQ(kFan.pressure_at_speed(0.004, 0.5), 225);
  EXPECT_NEAR(kFan.speed_for(0.004, 225), 0.5, 1e-9);
  EXPECT_EQ(kFan.pressure_at_speed(0.004, 0), 0);
}

TEST(PressureCurve, RefusesOnePointAndAStallDip) {
  EXPECT_THROW(PressureCurve({{0, 100}}), std::invalid_argument);
  EXPECT_THROW(PressureCurve({{0, 100}, {0.1, 120}, {0.2, 0}}), std::invalid_argument);
  EXPECT_THROW(PressureCurve({{0.1, 100}, {0.1, 50}}), std::invalid_argument);
}

TEST(FanPower, OfThe9crh0412p5j001At3000OfItsRevolutions) {
  // Sanyo Denki: 30.24 W at 29,500 rpm, 0.72 W at 3,000: exponent ln(42) / ln(9.833) = 1.635.
  EXPECT_NEAR((FanPower{30.24, 1.635, {}}.at(0, 3000.0 / 29500)), 0.72, 0.005);
  // The cube of the affinity law would give 0.03 W.
  EXPECT_NEAR((FanPower{30.24, 3, {}}.at(0, 3000.0 / 29500)), 0.0318, 0.0001);
}

}  // namespace
}  // namespace rackwright::topology
