#include "topology/power/converter.hpp"

#include <stdexcept>

#include <gtest/gtest.h>

namespace rackwright::topology {
namespace {

// Loss of a made-up 10 kW unit: 50 W + 1 % + 1.5e-6 /W: at 2, 5 and 10 kW 76, 137.5 and 300 W.
TEST(ConverterFit, ThreePointsGiveTheirCurveBack) {
  const auto fit =
      fit_converter({{0.2, 2000 / 2076.0}, {0.5, 5000 / 5137.5}, {1.0, 10000 / 10300.0}}, 10.0_kW);
  EXPECT_FALSE(fit.assumed);
  EXPECT_NEAR(fit.loss.a0_w, 50, 1e-6);
  EXPECT_NEAR(fit.loss.a1, 0.01, 1e-9);
  EXPECT_NEAR(fit.loss.a2_per_w, 1.5e-6, 1e-12);
  EXPECT_LT(fit.largest_error, 1e-9);
}

// A loss that falls with load has no non-negative linear term: it is left out, the rest fits best.
TEST(ConverterFit, TermsAreNeverNegative) {
  const auto fit = fit_converter({{0.1, 0.80}, {0.5, 0.97}, {1.0, 0.96}}, 1.0_kW);
  EXPECT_GE(fit.loss.a0_w, 0);
  EXPECT_GE(fit.loss.a1, 0);
  EXPECT_GE(fit.loss.a2_per_w, 0);
  EXPECT_GT(fit.largest_error, 0);
}

TEST(ConverterFit, OnePointScalesThePriorAndSaysSo) {
  const auto fit = fit_converter({{0.5, 0.975}}, 5.5_kW);
  EXPECT_TRUE(fit.assumed);
  EXPECT_NEAR(fit.loss.efficiency(2.75_kW), 0.975, 1e-12);
  const auto same = converter_from_peak(0.975, 5.5_kW, 1);
  EXPECT_NEAR(fit.loss.loss(4.0_kW).si(), same.loss(4.0_kW).si(), 1e-9);
}

// Navitas 800 V to 50 V, 10 kW: 98.5 % peak (half load taken), 98.1 % at full load.
TEST(ConverterFit, TwoPointsAreBothMet) {
  const auto fit = fit_converter({{0.5, 0.985}, {1.0, 0.981}}, 10.0_kW);
  EXPECT_TRUE(fit.assumed);
  EXPECT_NEAR(fit.loss.efficiency(5.0_kW), 0.985, 1e-12);
  EXPECT_NEAR(fit.loss.efficiency(10.0_kW), 0.981, 1e-12);
}

TEST(ConverterFit, RefusesPointsThatMeanNothing) {
  EXPECT_THROW((void)fit_converter({}, 1.0_kW), std::invalid_argument);
  EXPECT_THROW((void)fit_converter({{0, 0.9}}, 1.0_kW), std::invalid_argument);
  EXPECT_THROW((void)fit_converter({{0.5, 1.2}}, 1.0_kW), std::invalid_argument);
}

}  // namespace
}  // namespace rackwright::topology
