#include "profiler/nvml/power_statement.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rackwright::profiler::nvml {
namespace {

using ::testing::HasSubstr;

/// 20 ms readings of a constant 400 W; the energy counter moves every 100 ms by `joules_per_step`.
std::vector<GpuSample> steady(double seconds, double joules_per_step = 40) {
  std::vector<GpuSample> samples;
  for (int i = 0; i <= static_cast<int>(seconds * 50); ++i) {
    GpuSample& sample = samples.emplace_back();
    sample.time_us = 1'000'000 + i * 20'000;
    sample[Quantity::power_instant] = 400;
    sample[Quantity::energy] = 1e6 + joules_per_step * (i / 5);
  }
  return samples;
}

TEST(PowerStatement, TwoSourcesAgree) {
  const PowerStatement statement = power_statement(steady(10));
  EXPECT_TRUE(statement.usable()) << statement.reason;
  EXPECT_NEAR(*statement.counter_w, 400, 1e-9);
  EXPECT_NEAR(*statement.sampled_w, 400, 1e-9);
  // 10 s less 1 s of settling; the counter moves at 1.1 s, ..., 10.0 s.
  EXPECT_NEAR(statement.window_s, 8.9, 1e-9);
  EXPECT_NEAR(statement.counter_error, 0.1 / 8.9, 1e-9);
}

TEST(PowerStatement, FourSecondsAreRefused) {
  const PowerStatement statement = power_statement(steady(4));
  EXPECT_EQ(statement.verdict, Verdict::too_short);
  EXPECT_EQ(statement.reason, "3.0 s after 1 s of settling; 5 s are needed");
  EXPECT_FALSE(statement.counter_w);
}

TEST(PowerStatement, SourcesSixPercentApartAreFlagged) {
  const PowerStatement statement = power_statement(steady(10, 42.4));
  EXPECT_EQ(statement.verdict, Verdict::disagree);
  EXPECT_THAT(statement.reason, HasSubstr("energy counter 424.0 W, readings 400.0 W: 6 % apart"));
}

TEST(PowerStatement, SourcesFourPercentApartAreNot) {
  EXPECT_TRUE(power_statement(steady(10, 41.6)).usable());
}

TEST(PowerStatement, AFrozenCounterIsNoEnergy) {
  EXPECT_EQ(power_statement(steady(10, 0)).verdict, Verdict::frozen);
}

TEST(PowerStatement, ACounterThatGoesDownWasReset) {
  auto samples = steady(10);
  for (std::size_t i = 300; i < samples.size(); ++i) samples[i][Quantity::energy] -= 1e6;
  EXPECT_EQ(power_statement(samples).verdict, Verdict::reset);
}

TEST(PowerStatement, AGapIsReportedNotBridged) {
  auto samples = steady(10);
  samples.erase(samples.begin() + 200, samples.begin() + 230);  // 0.6 s of readings
  const PowerStatement statement = power_statement(samples);
  EXPECT_EQ(statement.verdict, Verdict::gap);
  EXPECT_THAT(statement.reason, HasSubstr("no sample for 0.62 s"));
}

TEST(PowerStatement, OneSourceAloneSaysSo) {
  auto samples = steady(10);
  for (auto& sample : samples) sample[Quantity::energy] = std::nan("");
  const PowerStatement statement = power_statement(samples);
  EXPECT_TRUE(statement.usable());
  EXPECT_FALSE(statement.counter_w);
  EXPECT_NEAR(*statement.sampled_w, 400, 1e-9);
  EXPECT_EQ(statement.reason, "no energy counter: by power readings alone");
}

TEST(PowerStatement, NoSourceIsNoData) {
  auto samples = steady(10);
  for (auto& sample : samples) sample.values = GpuSample::blank();
  EXPECT_EQ(power_statement(samples).verdict, Verdict::no_data);
}

TEST(PowerStatement, ARepeatedReadingCountsOnce) {
  // A ramp of 100 W/s read at 10 Hz, every reading handed out twice with the same time: the mean
  // from 1.0 s to 11.0 s is 600 W.
  std::vector<GpuSample> samples;
  for (int i = 0; i <= 110; ++i) {
    for (int twice = 0; twice < 2; ++twice) {
      GpuSample& sample = samples.emplace_back();
      sample.time_us = i * 100'000;
      sample[Quantity::power_instant] = 10.0 * i;
    }
  }
  EXPECT_NEAR(*power_statement(samples).sampled_w, 600, 1e-9);
}

TEST(CounterIncrease, WrapsAroundAtItsWidth) {
  EXPECT_EQ(counter_increase(4294967290.0, 10, 32), 16);
  EXPECT_EQ(counter_increase(5, 12, 32), 7);
  EXPECT_EQ(counter_increase(100, 5), std::nullopt);
}

}  // namespace
}  // namespace rackwright::profiler::nvml
