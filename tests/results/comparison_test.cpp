#include "results/comparison.hpp"

#include <cmath>

#include <gtest/gtest.h>

namespace rackwright::results {
namespace {

/// Metric and throughput with the same relative error: all of it is the operator model's.
Candidate candidate(const std::string& device, double value, double error,
                    std::map<std::string, double> sources = {}) {
  Candidate result;
  result.design.id = device;
  result.evaluation.device = device;
  result.evaluation.model_basis.transfer_errors = std::move(sources);
  result.metric = with_relative(value, error, {"tokens/s per MW"});
  result.tokens_per_s_per_rack = with_relative(1000, error, {"tok/s"});
  return result;
}

TEST(Compare, WithoutAnythingInCommonErrorsAddInQuadrature) {
  const auto result = *compare(candidate("a", 12, 0.03), candidate("b", 10, 0.04), true);
  EXPECT_NEAR(result.ratio.value, 1.2, 1e-12);
  EXPECT_NEAR(result.ratio.high, 1.2 * 1.05, 1e-12);  // sqrt(0.03^2 + 0.04^2) = 0.05
  EXPECT_NEAR(result.ratio.low, 1.2 / 1.05, 1e-12);
  EXPECT_FALSE(result.tied());
  EXPECT_NEAR(result.common, 0, 1e-12);
}

TEST(Compare, OneDeviceInTwoRacksSharesItsModelError) {
  const auto result = *compare(candidate("a", 10.1, 0.5), candidate("a", 10, 0.5), true);
  EXPECT_NEAR(result.ratio.low, 1.01, 1e-12);
  EXPECT_FALSE(result.tied());
  EXPECT_NEAR(result.common, 0.5 * std::sqrt(2.0), 1e-12);
}

TEST(Compare, TwoDevicesWithModelsFromOneThirdDifferByTheTransferOnly) {
  // Both stand at +-50 % by themselves; from "gb200" each is carried over at 15 %.
  const auto first = candidate("b300", 14, 0.5, {{"gb200", 0.15}, {"h100", 0.4}});
  const auto second = candidate("gb300", 10, 0.5, {{"gb200", 0.15}, {"h100", 0.4}});
  const auto result = *compare(first, second, true);
  EXPECT_NEAR(result.ratio.high / result.ratio.value, 1 + 0.15 * std::sqrt(2.0), 1e-12);
  EXPECT_FALSE(result.tied());
}

TEST(Compare, TheGainFromStepTimesToThroughputWidensTheTransfer) {
  auto first = candidate("b300", 14, 0.5, {{"gb200", 0.15}});
  first.evaluation.model_basis.gain = 2;
  const auto result = *compare(first, candidate("gb200", 10, 0.5, {{"gb200", 0.0}}), true);
  EXPECT_NEAR(result.ratio.high / result.ratio.value, 1.3, 1e-12);
}

TEST(Compare, WhatIsNotTheModelsStaysIndependent) {
  auto first = candidate("a", 10, 0.5), second = candidate("a", 10, 0.5);
  first.tokens_per_s_per_rack = with_relative(1000, 0.3, {"tok/s"});
  second.tokens_per_s_per_rack = with_relative(1000, 0.3, {"tok/s"});
  // Rest of each: sqrt(0.5^2 - 0.3^2) = 0.4.
  EXPECT_NEAR(compare(first, second, true)->ratio.high, 1 + 0.4 * std::sqrt(2.0), 1e-12);
}

TEST(Compare, ChanceOfBeingBetterFollowsTheNormalError) {
  EXPECT_NEAR(compare(candidate("a", 10, 0.1), candidate("b", 10, 0.1), true)->probability_better,
              0.5, 1e-12);
  // At the end of its 90 % interval: 95 % one-sided; less is better turns it round.
  const double spread = 1 + std::hypot(0.1, 0.1);
  const auto ahead = candidate("a", 10 * spread, 0.1), behind = candidate("b", 10, 0.1);
  EXPECT_NEAR(compare(ahead, behind, true)->probability_better, 0.95, 1e-6);
  EXPECT_NEAR(compare(ahead, behind, false)->probability_better, 0.05, 1e-6);
}

TEST(Compare, ABlankMetricHasNoRatio) {
  auto blank = candidate("a", 10, 0.1);
  blank.metric.reset();
  EXPECT_FALSE(compare(blank, candidate("b", 10, 0.1), true));
}

}  // namespace
}  // namespace rackwright::results
