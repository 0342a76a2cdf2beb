#include "kernels/bench/stopping.hpp"

#include <cmath>

#include <gtest/gtest.h>

namespace rackwright::kernels {
namespace {

TEST(StoppingRule, AConstantSeriesEndsAtTheLeastTimeAndCount) {
  StoppingRule rule{SamplingLimits{}};
  for (int i = 0; i < 9; ++i) {
    rule.add(0.1);
    EXPECT_EQ(rule.check(0.1 * (i + 1)), StopReason::running) << i;  // fewer than 10 samples
  }
  rule.add(0.1);
  EXPECT_EQ(rule.check(1.0), StopReason::steady);
}

TEST(StoppingRule, TenShortSamplesAreNotHalfASecond) {
  StoppingRule rule{SamplingLimits{}};
  for (int i = 0; i < 49; ++i) rule.add(0.01);
  EXPECT_EQ(rule.check(0.49), StopReason::running);
  for (int i = 0; i < 2; ++i) rule.add(0.01);
  EXPECT_EQ(rule.check(0.51), StopReason::steady);
}

TEST(StoppingRule, DeviationIsThatOfTheTextbook) {
  StoppingRule rule{SamplingLimits{}};
  // 2, 4, 4, 4, 5, 5, 7, 9: mean 5, sum of squares 32, so sqrt(32 / 7) / 5.
  for (const double value : {2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0}) rule.add(value);
  EXPECT_NEAR(rule.relative_deviation(), 0.42761798705987903, 1e-15);
}

TEST(StoppingRule, ANoisySeriesEndsWhenItsNoiseIsKnown) {
  StoppingRule rule{SamplingLimits{}};
  int count = 0;
  StopReason reason = StopReason::running;
  while (reason == StopReason::running && count < 1000) {
    rule.add(count % 2 == 0 ? 0.09 : 0.11);  // 10 % for ever
    reason = rule.check(0.1 * ++count / 100);
  }
  EXPECT_EQ(reason, StopReason::noise_stable);
  // 64 estimates need 65 samples, looked at every 16: 80.
  EXPECT_EQ(count, 80);
}

TEST(StoppingRule, NoiseThatGrowsIsNotStable) {
  StoppingRule rule{SamplingLimits{}};
  double value = 0.1;
  for (int i = 0; i < 160; ++i) rule.add(value *= 1.05);
  EXPECT_EQ(rule.check(1), StopReason::running);
}

TEST(StoppingRule, TheWallEndsWhatDoesNotSettle) {
  StoppingRule rule{SamplingLimits{}};
  for (int i = 0; i < 20; ++i) rule.add(i % 3 == 0 ? 1 : 0.5);
  EXPECT_EQ(rule.check(14.9), StopReason::running);
  EXPECT_EQ(rule.check(15), StopReason::wall);
}

TEST(StoppingRule, NothingKeptByTheWallIsSaid) {
  const StoppingRule rule{SamplingLimits{}};
  EXPECT_EQ(rule.check(1), StopReason::running);
  EXPECT_EQ(rule.check(15), StopReason::all_discarded);
}

TEST(StoppingRule, ShortOperatorsEndAtTheMostSamples) {
  SamplingLimits limits;
  limits.most_samples = 100;
  StoppingRule rule{limits};
  for (int i = 0; i < 100; ++i) rule.add(1e-6);
  EXPECT_EQ(rule.check(0.1), StopReason::most_samples);
}

SamplingLimits by_entropy() {
  SamplingLimits limits;
  limits.criterion = Criterion::entropy;
  return limits;
}

// Half 1 s, a quarter each 2 and 3 s: 1/2 x 1 + 2 x 1/4 x 2 = 1.5 bits (Shannon 1948).
TEST(StoppingRule, EntropyIsShannons) {
  StoppingRule rule{by_entropy()};
  for (const double value : {1.0, 2.0, 1.0, 3.0}) rule.add(value);
  EXPECT_NEAR(rule.entropy(), 1.5, 1e-12);
}

TEST(StoppingRule, ByEntropyAConstantSeriesEndsWhenTheWindowIsFull) {
  StoppingRule rule{by_entropy()};
  for (int i = 0; i < 298; ++i) rule.add(1e-3);
  EXPECT_EQ(rule.check(0.298), StopReason::running);
  rule.add(1e-3);
  EXPECT_EQ(rule.check(0.299), StopReason::entropy_level);
  EXPECT_NEAR(rule.entropy(), 0, 1e-12);
}

// Values that never come again: the entropy is log2 n, its slope 1 / (n ln 2). Under 0.048 degrees,
// 8.378e-4 a sample, from n = 1,722 on; the line through the last 299 gets there at n = 1,874.
TEST(StoppingRule, ByEntropyNewValuesKeepASeriesGoing) {
  SamplingLimits limits = by_entropy();
  limits.most_samples = 5000;
  StoppingRule rule{limits};
  int count = 0;
  while (rule.check(0) == StopReason::running) rule.add(1e-3 + 1e-9 * count++);
  EXPECT_EQ(rule.check(0), StopReason::entropy_level);
  EXPECT_NEAR(count, 1874, 1);
  EXPECT_NEAR(rule.entropy(), std::log2(count), 1e-9);
}

}  // namespace
}  // namespace rackwright::kernels
