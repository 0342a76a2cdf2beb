#include "topology/power/busbar_ladder.hpp"

#include <cmath>
#include <stdexcept>

#include <gtest/gtest.h>

namespace rackwright::topology {
namespace {

// n equal currents fed from one end: r I n(n+1)/2. 18 taps, 20 uohm, 120 A: 0.4104 V. The load is a
// constant current here: 120 A times the voltage that the closed form gives at each tap.
TEST(BusbarLadder, EndDropOfEighteenEqualTaps) {
  constexpr double kOhm = 20e-6, kAmps = 120, kVolts = 51;
  std::vector<LadderLoad> loads;
  double volts = kVolts;
  for (int tap = 1; tap <= 18; ++tap) {
    volts -= kOhm * kAmps * (19 - tap);
    loads.push_back({static_cast<double>(tap), kAmps * volts, 0});
  }
  const auto solution = solve_ladder({{0, kVolts, 0}}, loads, kOhm);
  ASSERT_FALSE(solution.collapsed);
  EXPECT_NEAR(kVolts - solution.load_v.back(), 0.4104, 1e-5);
  EXPECT_NEAR(solution.section_a, 18 * 120, 1e-3);
}

// V = (Vs + sqrt(Vs^2 - 4 P R)) / 2: 50 V, 10 kW, 0.05 ohm: (50 + sqrt(500)) / 2 = 36.1803 V.
TEST(BusbarLadder, OneLoadFollowsTheQuadratic) {
  const auto solution = solve_ladder({{0, 50, 0}}, {{1, 10e3, 0}}, 0.05);
  EXPECT_NEAR(solution.load_v.front(), 36.180340, 1e-5);
  // A contact of the same resistance does the same.
  const auto contact = solve_ladder({{0, 50, 0}}, {{0, 10e3, 0.05}}, 0);
  EXPECT_NEAR(contact.load_v.front(), 36.180340, 1e-5);
}

// No solution above Vs^2 / (4 R) = 12.5 kW.
TEST(BusbarLadder, CollapseIsReportedAndNeverClamped) {
  EXPECT_FALSE(solve_ladder({{0, 50, 0}}, {{1, 12.49e3, 0}}, 0.05).collapsed);
  const auto over = solve_ladder({{0, 50, 0}}, {{1, 12.51e3, 0}}, 0.05);
  EXPECT_TRUE(over.collapsed);
  EXPECT_TRUE(over.load_v.empty());
}

// Two shelves with droops of 1 and 3 mohm: 3 : 1 on an ideal bar.
TEST(BusbarLadder, SourcesShareByDroop) {
  const auto solution =
      solve_ladder({{0, 50, 0.001}, {5, 50, 0.003}}, {{2, 20e3, 0}, {3, 10e3, 0}}, 0);
  EXPECT_NEAR(solution.source_a[0] / solution.source_a[1], 3, 1e-9);
}

TEST(BusbarLadder, PowerInIsPowerOutPlusLoss) {
  const std::vector<LadderSource> sources{{1, 50, 0.0015}, {3, 50.1, 0.0015}, {40, 50, 0.003}};
  std::vector<LadderLoad> loads;
  for (int i = 5; i < 32; ++i) loads.push_back({1.0 * i, 1200.0 + 130 * (i % 5), 50e-6});
  const auto solution = solve_ladder(sources, loads, 5e-6);
  double bar = 0, amps = 0, watts = 0;
  for (std::size_t i = 0; i < loads.size(); ++i) {
    bar += solution.load_a[i] * solution.load_a[i] * loads[i].contact_ohm;
    EXPECT_NEAR(solution.load_a[i] * solution.load_v[i], loads[i].watts, 1e-6);
    amps += solution.load_a[i];
    watts += loads[i].watts;
  }
  for (const double a : solution.source_a) amps -= a;
  EXPECT_NEAR(amps, 0, 1e-6);
  EXPECT_GT(solution.bar_loss_w, bar);
  EXPECT_NEAR(solution.source_w, watts + solution.bar_loss_w, 1e-9 * watts);
}

TEST(BusbarLadder, RefusesWhatHasNoMeaning) {
  EXPECT_THROW((void)solve_ladder({}, {}, 0), std::invalid_argument);
  EXPECT_THROW((void)solve_ladder({{0, 50, 0}, {1, 50, 0}}, {{2, 1, 0}}, 0), std::invalid_argument);
  EXPECT_THROW((void)solve_ladder({{0, 50, -1}}, {}, 0), std::invalid_argument);
}

// 80 degC: 1 + 0.00393 x 60 = 1.2358.
TEST(BusbarLadder, CopperGainsResistanceWithTemperature) {
  EXPECT_NEAR(copper_resistance_ratio(80), 1.2358, 1e-9);
}

}  // namespace
}  // namespace rackwright::topology
