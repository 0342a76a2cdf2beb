#include "topology/power/load_steps.hpp"

#include <cmath>
#include <numbers>

#include <gtest/gtest.h>

namespace rackwright::topology {
namespace {

// Square wave 1,000 W for 0.2 s, 300 W for 0.3 s, held at its mean of 580 W:
// (1000 - 300) x 0.4 x 0.6 x 0.5 = 84 J.
TEST(StoreForCap, SquareWaveAtItsMean) {
  const profiler::PowerTimeline wave{{0, 0.2, 0.5}, {1000, 300}};
  EXPECT_NEAR(store_for_cap_j(wave, 580).value(), 84, 1e-9);
  EXPECT_NEAR(store_for_cap_j(wave, 1000).value(), 0, 1e-9);
  EXPECT_FALSE(store_for_cap_j(wave, 579).has_value());
}

// The same wave starting low: the draw-up crosses the end of the period.
TEST(StoreForCap, DoesNotDependOnWhereThePeriodStarts) {
  const profiler::PowerTimeline wave{{0, 0.1, 0.4, 0.5}, {1000, 300, 1000}};
  EXPECT_NEAR(store_for_cap_j(wave, 580).value(), 84, 1e-9);
  EXPECT_NEAR(store_for_cap_j({1000, 300, 300, 300, 1000}, 0.1, 580).value(), 84, 1e-9);
}

// 10 kW at 2 kW/s: 5 s, half of it missing: 25 kJ.
TEST(StoreForStep, IsTheTriangleUnderTheRamp) {
  EXPECT_DOUBLE_EQ(store_for_step_j(10e3, 2e3), 25e3);
}

// A sine of 1 kW amplitude at 2 Hz: 707.1 W rms, all of it in 0.1-20 Hz. 10 ms means over 60 s.
TEST(Band, FindsASineAndItsStrength) {
  std::vector<double> means;
  for (int i = 0; i < 6000; ++i) {
    const double a = 2 * std::numbers::pi * 2 * i * 0.01,
                 b = 2 * std::numbers::pi * 2 * (i + 1) * 0.01;
    means.push_back(5000 + 1000 * (std::cos(a) - std::cos(b)) / (b - a));
  }
  const Band band = band_of(means, 0.01, 0.1, 20);
  EXPECT_NEAR(band.rms_w, 707.1, 3);
  EXPECT_NEAR(band.dominant_hz, 2, 0.02);
  EXPECT_NEAR(band.dominant_rms_w, 707.1, 10);
  EXPECT_NEAR(band_of(means, 0.01, 5, 20).rms_w, 0, 1);
}

TEST(Band, ASteadyLoadHasNone) {
  EXPECT_NEAR(band_of(std::vector<double>(500, 7e3), 0.01, 0.1, 20).rms_w, 0, 1e-6);
  EXPECT_EQ(band_of({1, 2, 3}, 0.01, 0.1, 20).rms_w, 0);
}

// ORv3 HPR battery shelf: 240 s at 24 kW, 90 s at 33 kW. At 28.14 kW, their geometric mean, the
// power law gives the geometric mean of the times: 147.0 s. Over 33 kW nothing is published.
TEST(BackupTime, IsAPowerLawBetweenPublishedPoints) {
  const std::vector<BackupPoint> shelf{{33e3, 90}, {24e3, 240}};
  EXPECT_NEAR(backup_time_s(shelf, std::sqrt(24e3 * 33e3)).value(), 146.97, 0.01);
  EXPECT_DOUBLE_EQ(backup_time_s(shelf, 33e3).value(), 90);
  EXPECT_DOUBLE_EQ(backup_time_s(shelf, 10e3).value(), 240);
  EXPECT_FALSE(backup_time_s(shelf, 34e3).has_value());
}

// 20 ms at 33 kW is 660 J: 44 ms at 15 kW.
TEST(HoldUp, KeepsTheEnergy) {
  EXPECT_NEAR(hold_up_s(0.02, 33e3, 15e3), 0.044, 1e-12);
}

}  // namespace
}  // namespace rackwright::topology
