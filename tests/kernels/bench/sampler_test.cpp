#include "kernels/bench/sampler.hpp"

#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/kernels/bench/scripted_device.hpp"

namespace rackwright::kernels {
namespace {

using testing::gemm_case;
using testing::ScriptedDevice;

TEST(Sampler, ASteadyOperatorTakesTenSamplesAfterItsWarmUp) {
  ScriptedDevice device;
  const auto results = run_benchmarks({gemm_case(1)}, device, {}, {});
  ASSERT_EQ(results.size(), 1U);
  EXPECT_TRUE(results[0].settled);
  EXPECT_EQ(results[0].stopped, StopReason::steady);
  EXPECT_EQ(results[0].samples.size(), 10U);
  EXPECT_DOUBLE_EQ(results[0].summary.median, 0.1);
  EXPECT_DOUBLE_EQ(results[0].samples[0].cpu_seconds, 0.05);
  EXPECT_NEAR(results[0].flop_per_s(), 2e6 / 0.1, 1);  // 2 x 1 x 1000 x 1000
  EXPECT_FALSE(results[0].watts);
}

TEST(Sampler, WarmUpLastsUntilTimesSettle) {
  ScriptedDevice device;
  device.seconds = [](double, int run) { return run < 12 ? 0.1 - 0.005 * run : 0.04; };
  const auto results = run_benchmarks({gemm_case(1)}, device, {}, {});
  EXPECT_TRUE(results[0].settled);
  EXPECT_DOUBLE_EQ(results[0].samples.front().seconds, 0.04);
}

TEST(Sampler, WarmUpThatDoesNotSettleIsSaid) {
  ScriptedDevice device;
  double value = 0.1;
  device.seconds = [&](double, int) { return value *= 1.02; };
  BenchOptions options;
  options.warm_up_s = 1;
  const auto results = run_benchmarks({gemm_case(1)}, device, options, {});
  EXPECT_FALSE(results[0].settled);
  EXPECT_GE(results[0].warm_up_s, 1);
}

TEST(Sampler, SamplesAtALowClockAreDiscardedWithGrowingWaits) {
  ScriptedDevice device;
  device.rated = 2e9;
  device.clock = 1.4e9;  // 70 %
  const auto results = run_benchmarks({gemm_case(1)}, device, {}, {});
  EXPECT_EQ(results[0].stopped, StopReason::all_discarded);
  EXPECT_TRUE(results[0].samples.empty());
  EXPECT_GT(results[0].discarded, 5U);
  // 0.05 s x (1 + 1.5 + 2.25 + …): 15 s of wall take about a dozen waits, not a hundred.
  EXPECT_LT(results[0].discarded, 20U);
  EXPECT_GT(device.waited, 10);
}

TEST(Sampler, AClockJustOverTheLimitIsKept) {
  ScriptedDevice device;
  device.rated = 2e9;
  device.clock = 1.51e9;
  const auto results = run_benchmarks({gemm_case(1)}, device, {}, {});
  EXPECT_EQ(results[0].discarded, 0U);
  EXPECT_EQ(results[0].samples.size(), 10U);
}

TEST(Sampler, OperatorsTakeTurnsInAnOrderThatChanges) {
  ScriptedDevice device;
  BenchOptions options;
  options.warm_up_s = 0;
  (void)run_benchmarks({gemm_case(1), gemm_case(2), gemm_case(3)}, device, options, {});
  ASSERT_EQ(device.order.size(), 30U);
  std::vector<std::vector<double>> rounds;
  for (std::size_t i = 0; i < 30; i += 3) {
    rounds.emplace_back(device.order.begin() + static_cast<std::ptrdiff_t>(i),
                        device.order.begin() + static_cast<std::ptrdiff_t>(i + 3));
    EXPECT_THAT(rounds.back(), ::testing::UnorderedElementsAre(1, 2, 3)) << i;
  }
  EXPECT_TRUE(std::any_of(rounds.begin(), rounds.end(),
                          [&](const auto& round) { return round != rounds.front(); }));
  ScriptedDevice again;
  (void)run_benchmarks({gemm_case(1), gemm_case(2), gemm_case(3)}, again, options, {});
  EXPECT_EQ(device.order, again.order);  // the seed is the same
}

TEST(Sampler, AnOperatorThatCannotRunKeepsItsReason) {
  ScriptedDevice device;
  device.failing_m = 2;
  const auto results = run_benchmarks({gemm_case(1), gemm_case(2)}, device, {}, {});
  EXPECT_EQ(results[0].samples.size(), 10U);
  EXPECT_EQ(results[1].skipped, "no kernel for this one");
  EXPECT_TRUE(results[1].samples.empty());
}

TEST(Sampler, PowerIsTheEnergyOfTheWindowOverItsTime) {
  ScriptedDevice device;
  device.watts = 300;
  const auto results = run_benchmarks({gemm_case(1)}, device, {}, {});
  ASSERT_TRUE(results[0].watts);
  EXPECT_NEAR(*results[0].watts, 300, 1e-6);
  EXPECT_NEAR(*results[0].joules, 30, 1e-6);  // 0.1 s an execution
}

TEST(Sampler, BuffersRotateThroughTwiceTheCache) {
  EXPECT_EQ(rotating_copies(1e6, 50e6, 1e9), 100);
  EXPECT_EQ(rotating_copies(80e6, 50e6, 1e9), 2);    // two at least
  EXPECT_EQ(rotating_copies(30e6, 50e6, 1e9), 4);    // rounded up
  EXPECT_EQ(rotating_copies(400e6, 500e6, 1e9), 2);  // as many as fit
  EXPECT_EQ(rotating_copies(4e9, 500e6, 1e9), 1);
  EXPECT_EQ(rotating_copies(1e6, 0, 1e9), 1);
}

TEST(Sampler, ColdIsSaidOnlyWhereTheCopiesAreTwiceTheCache) {
  ScriptedDevice device;
  device.cache = 10e6;  // GEMM of m = 1000: 2 MB each of A, B, C
  BenchOptions options;
  auto results = run_benchmarks({gemm_case(1000)}, device, options, {});
  EXPECT_EQ(device.copies.front(), 4);
  EXPECT_TRUE(results[0].cold);
  device.memory = 13e6;
  results = run_benchmarks({gemm_case(1000)}, device, options, {});
  EXPECT_EQ(results[0].copies, 2);
  EXPECT_FALSE(results[0].cold);
  options.cold = false;
  EXPECT_EQ(run_benchmarks({gemm_case(1000)}, device, options, {})[0].copies, 1);
}

TEST(Sampler, WhatDoesNotFitTogetherRunsInGroups) {
  ScriptedDevice device;
  device.memory = 13e6;  // two of 6 MB
  BenchOptions options;
  options.cold = false;
  options.warm_up_s = 0;
  (void)run_benchmarks({gemm_case(1000), gemm_case(1001), gemm_case(1002)}, device, options, {});
  ASSERT_EQ(device.order.size(), 30U);
  for (std::size_t i = 0; i < 20; ++i) EXPECT_NE(device.order[i], 1002);
  for (std::size_t i = 20; i < 30; ++i) EXPECT_EQ(device.order[i], 1002);
}

}  // namespace
}  // namespace rackwright::kernels
