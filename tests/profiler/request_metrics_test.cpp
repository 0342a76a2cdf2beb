#include "profiler/request_metrics.hpp"

#include <gtest/gtest.h>

#include "profiler/trace.hpp"

namespace rackwright::profiler {
namespace {

/// Requests whose TTFT is 1, 2, … n ms (in mixed order) and whose TPOT is a tenth of that, 11
/// tokens each.
std::vector<workloads::RequestOutcome> ramp(std::uint32_t n) {
  std::vector<workloads::RequestOutcome> requests;
  for (std::uint32_t i = 0; i < n; ++i) {
    const double ms = 1 + (i * 7919) % n;  // 7919 is prime and n is not a multiple of it
    workloads::RequestOutcome r;
    r.arrival_s = i;
    r.first_token_s = i + ms * 1e-3;
    r.finish_s = r.first_token_s + ms * 1e-3;
    r.prompt_tokens = 100;
    r.output_tokens = 11;
    requests.push_back(r);
  }
  return requests;
}

TEST(QuantileRanks, AreThePublishedOnesForAThousandValues) {
  // Order-statistic interval of P99 at 95 %, n = 1000: ranks 983 and 997.
  const RankInterval ranks = quantile_ranks(1000, 0.99, 0.95);
  EXPECT_EQ(ranks.low, 983U);
  EXPECT_EQ(ranks.high, 997U);
  EXPECT_TRUE(ranks.bounded);
}

TEST(QuantileRanks, OfTheMedianOfTenValues) {
  // Binomial(10, 1/2): P(X <= 1) = 11/1024 = 0.0107, P(X <= 2) = 56/1024 = 0.0547.
  // 95 %: low 2, high 9 by symmetry; they cover 1 - 2 x 0.0107 = 97.9 %.
  const RankInterval ranks = quantile_ranks(10, 0.5, 0.95);
  EXPECT_EQ(ranks.low, 2U);
  EXPECT_EQ(ranks.high, 9U);
}

TEST(QuantileRanks, HaveNoUpperBoundForFewValues) {
  // P(all n below P99) = 0.99^n <= 0.05 needs n >= 299: ln 0.05 / ln 0.99 = 298.07.
  EXPECT_FALSE(quantile_ranks(298, 0.99, 0.90).bounded);
  EXPECT_TRUE(quantile_ranks(299, 0.99, 0.90).bounded);
  EXPECT_EQ(quantile_ranks(298, 0.99, 0.90).high, 298U);
}

TEST(QuantileRanks, StayFiniteForManyValues) {
  // Normal approximation: 990000 -/+ 1.645 x sqrt(1e6 x .99 x .01) = 989836.3, 990163.7.
  const RankInterval ranks = quantile_ranks(1000000, 0.99, 0.90);
  EXPECT_NEAR(static_cast<double>(ranks.low), 989836, 3);
  EXPECT_NEAR(static_cast<double>(ranks.high), 990165, 3);
}

TEST(NearestRank, RoundsUp) {
  EXPECT_EQ(nearest_rank(1000, 0.99), 990U);
  EXPECT_EQ(nearest_rank(1001, 0.99), 991U);
  EXPECT_EQ(nearest_rank(1, 0.99), 1U);
  EXPECT_EQ(nearest_rank(0, 0.99), 1U);
}

TEST(RequestMetrics, PercentilesAreOrderStatistics) {
  const RequestMetrics metrics = request_metrics(ramp(1000), {0.5, 0.05, 0.99}, 1000);
  EXPECT_EQ(metrics.requests, 1000U);
  EXPECT_NEAR(metrics.ttft_p50, 0.500, 1e-9);
  EXPECT_NEAR(metrics.ttft_p90, 0.900, 1e-9);
  EXPECT_NEAR(metrics.ttft_p99, 0.990, 1e-9);
  EXPECT_NEAR(metrics.tpot_p99, 0.0990, 1e-9);
  // 90 %: P(Bin(1000, .01) >= 16) = 0.0479, so low 985; P(<= 4) = 0.0287, P(<= 5) = 0.0661: 996.
  EXPECT_NEAR(metrics.ttft_p99_low, 0.985, 1e-9);
  EXPECT_NEAR(metrics.ttft_p99_high, 0.996, 1e-9);
}

TEST(RequestMetrics, AttainmentCountsRequestsThatMeetBothLimits) {
  // TTFT <= 500 ms: 500 requests; TPOT <= 20 ms: 200 of them.
  EXPECT_NEAR(request_metrics(ramp(1000), {0.5005, 0.02005, 0.99}, 1000).attainment, 0.2, 1e-12);
}

TEST(RequestMetrics, RatesAreTokensOverTime) {
  const RequestMetrics metrics = request_metrics(ramp(1000), {}, 500);
  EXPECT_DOUBLE_EQ(metrics.output_tokens_per_s, 22);
  EXPECT_DOUBLE_EQ(metrics.prompt_tokens_per_s, 200);
}

TEST(RequestMetrics, LeaveSingleTokensOutOfTpot) {
  auto requests = ramp(10);
  for (std::size_t i = 0; i < 9; ++i) requests[i].output_tokens = 1;
  const RequestMetrics metrics = request_metrics(requests, {}, 1);
  EXPECT_NEAR(metrics.tpot_p50, requests[9].tpot(), 1e-12);
}

TEST(RequestMetrics, OfNothingAreZero) {
  EXPECT_EQ(request_metrics({}, {}, 10).requests, 0U);
  EXPECT_EQ(request_metrics({}, {}, 10).ttft_p99, 0);
}

TEST(SloCount, AllowsOnePercentAtP99) {
  EXPECT_EQ(allowed_misses(1000, 0.99), 10U);
  EXPECT_EQ(allowed_misses(50, 0.99), 0U);
  EXPECT_TRUE(holds({1000, 10, 1000, 10}, {1, 1, 0.99}));
  EXPECT_FALSE(holds({1000, 11, 1000, 0}, {1, 1, 0.99}));
  EXPECT_FALSE(holds({1000, 0, 1000, 11}, {1, 1, 0.99}));
}

TEST(SloCount, AgreesWithThePercentile) {
  // P99 of the ramp is 990 ms: a limit just above holds, just below does not.
  const auto requests = ramp(1000);
  EXPECT_TRUE(holds(count_misses(requests, {0.9901, 1, 0.99}), {0.9901, 1, 0.99}));
  EXPECT_FALSE(holds(count_misses(requests, {0.9899, 1, 0.99}), {0.9899, 1, 0.99}));
}

}  // namespace
}  // namespace rackwright::profiler
