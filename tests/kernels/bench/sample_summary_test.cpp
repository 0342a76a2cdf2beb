#include "kernels/bench/sample_summary.hpp"

#include <cmath>

#include <gtest/gtest.h>

#include "common/random.hpp"

namespace rackwright::kernels {
namespace {

TEST(SampleSummary, FiguresOfASmallSeriesByHand) {
  const auto summary = summarise({4, 1, 3, 10});
  EXPECT_EQ(summary.n, 4U);
  EXPECT_EQ(summary.median, 3.5);  // (3 + 4) / 2
  EXPECT_EQ(summary.mad, 1.5);     // deviations 0.5, 2.5, 0.5, 6.5
  EXPECT_EQ(summary.mean, 4.5);
  EXPECT_NEAR(summary.deviation, std::sqrt(45.0 / 3), 1e-12);  // 0.25 + 12.25 + 2.25 + 30.25
  EXPECT_EQ(summary.p5, 1);
  EXPECT_EQ(summary.p95, 10);
}

TEST(SampleSummary, AnOddSeriesHasItsMiddleValue) {
  EXPECT_EQ(summarise({9, 2, 5}).median, 5);
}

TEST(SampleSummary, AConstantSeriesHasAnIntervalOfNoWidth) {
  const auto summary = summarise({2, 2, 2, 2, 2});
  EXPECT_EQ(summary.low, 2);
  EXPECT_EQ(summary.high, 2);
  EXPECT_EQ(summary.mad, 0);
}

TEST(SampleSummary, IntervalIsTheOneOfTheNormalDistribution) {
  // The median of n normal values has a standard error of sqrt(pi / (2 n)).
  RandomSource random(3);
  std::vector<double> values;
  for (int i = 0; i < 1000; ++i) values.push_back(10 + random.normal());
  const auto summary = summarise(values);
  const double width = 2 * 1.96 * std::sqrt(3.14159265 / 2000);
  EXPECT_NEAR(summary.high - summary.low, width, 0.25 * width);
  EXPECT_NEAR(summary.median, 10, width);
}

TEST(SampleSummary, TheSameSeedGivesTheSameInterval) {
  const std::vector<double> values{1, 2, 3, 5, 8, 13, 21};
  EXPECT_EQ(summarise(values, 4).low, summarise(values, 4).low);
  EXPECT_EQ(summarise(values, 4).high, summarise(values, 4).high);
}

TEST(SampleSummary, NoValuesGiveZeros) {
  EXPECT_EQ(summarise({}).n, 0U);
  EXPECT_EQ(summarise({}).median, 0);
}

}  // namespace
}  // namespace rackwright::kernels
