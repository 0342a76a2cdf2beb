#include "kernels/bench/stopping.hpp"

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

}  // namespace
}  // namespace rackwright::kernels
