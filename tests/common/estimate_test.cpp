#include "common/estimate.hpp"

#include <stdexcept>

#include <gtest/gtest.h>

namespace rackwright {
namespace {

TEST(Origin, ACompositeTakesTheWeakest) {
  EXPECT_EQ(weakest(Origin::measured, Origin::measured), Origin::measured);
  EXPECT_EQ(weakest(Origin::measured, Origin::modelled), Origin::modelled);
  EXPECT_EQ(weakest(Origin::measured, Origin::catalogue), Origin::modelled);
  EXPECT_EQ(weakest(Origin::catalogue, Origin::assumed), Origin::assumed);
}

TEST(Estimate, IndependentHalfWidthsAddInQuadrature) {
  // 3-4-5: half-widths 3 and 4 make 5.
  const auto sum = sum_independent(between(97, 100, 103, {"W"}), between(46, 50, 54, {"W"}));
  EXPECT_DOUBLE_EQ(sum.value, 150);
  EXPECT_DOUBLE_EQ(sum.low, 145);
  EXPECT_DOUBLE_EQ(sum.high, 155);
}

TEST(Estimate, CorrelatedHalfWidthsAdd) {
  const auto sum = sum_correlated(between(97, 100, 103, {"W"}), between(46, 50, 54, {"W"}));
  EXPECT_DOUBLE_EQ(sum.low, 143);
  EXPECT_DOUBLE_EQ(sum.high, 157);
}

TEST(Estimate, SumOfDifferentUnitsIsRefused) {
  EXPECT_THROW((void)sum_independent(exact(1, {"W"}), exact(1, {"kW"})), std::invalid_argument);
}

TEST(Estimate, RatioOfIndependentNumbers) {
  // 3 % and 4 % make 5 %.
  const auto r =
      ratio(with_relative(200, 0.03, {"tok/s"}), with_relative(100, 0.04, {"W"}), "tok/J");
  EXPECT_DOUBLE_EQ(r.value, 2);
  EXPECT_NEAR(r.low, 1.9, 1e-12);
  EXPECT_NEAR(r.high, 2.1, 1e-12);
  EXPECT_EQ(r.unit, "tok/J");
}

TEST(Estimate, ExtrapolationSpreads) {
  EXPECT_TRUE(
      sum_independent(exact(1, {"W", Origin::modelled, "", true}), exact(1, {"W"})).extrapolated);
}

TEST(Estimate, BoundsMustEncloseTheValue) {
  EXPECT_THROW((void)between(2, 1, 3, {"W"}), std::invalid_argument);
  EXPECT_THROW((void)with_relative(1, -0.1, {"W"}), std::invalid_argument);
}

// The rule of the report: two significant digits of the half-width when it starts with 1 or 2.
TEST(FormatValue, DigitsFollowTheHalfWidth) {
  const auto throughput = between(1.64, 1.76, 1.88, {"Mtok/s"});
  EXPECT_EQ(format_value(throughput), "1.76");
  EXPECT_EQ(format_half_width(throughput), "0.12");
  const auto temperature = between(55.5, 58.6, 61.7, {"degC"});
  EXPECT_EQ(format_value(temperature), "59");
  EXPECT_EQ(format_half_width(temperature), "3");
}

TEST(FormatValue, LargeHalfWidthsRoundToTensAndHundreds) {
  const auto rate = between(12000, 12345, 12690, {"tok/s"});
  EXPECT_EQ(format_value(rate), "12\u2009300");
  EXPECT_EQ(format_half_width(rate), "300");
}

TEST(FormatValue, ThreeSignificantDigitsWithoutInterval) {
  EXPECT_EQ(format_value(exact(0.0123456, {"s"})), "0.0123");
  EXPECT_EQ(format_value(exact(142000, {"W"})), "142\u2009000");
  EXPECT_EQ(format_value(exact(-3.2, {"%"})), "\u22123.20");
}

TEST(FormatSignificant, RoundingMayCarry) {
  EXPECT_EQ(format_significant(99.96, 3), "100");
  EXPECT_EQ(format_significant(0, 3), "0");
}

}  // namespace
}  // namespace rackwright
