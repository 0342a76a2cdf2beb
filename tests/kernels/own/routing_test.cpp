#include <algorithm>
#include <cmath>
#include <numeric>

#include <gtest/gtest.h>

#include "kernels/own/on_host.hpp"
#include "tests/kernels/own/device_memory.hpp"

namespace rackwright::kernels::own {
namespace {

using testing::kRounding;
using testing::Memory;
using testing::random_bf16;
using testing::value;

struct RouteCase {
  ThreadOrder order;
  int tokens, experts, top_k, groups, kept;
  bool sigmoid, renormalise;
};
class Router : public ::testing::TestWithParam<RouteCase> {};
INSTANTIATE_TEST_SUITE_P(
    Models, Router,
    ::testing::Values(RouteCase{ThreadOrder::forward, 9, 256, 8, 8, 4, true, true},  // DeepSeek-V3
                      RouteCase{ThreadOrder::shuffled, 6, 160, 6, 8, 3, false,
                                false},  // DeepSeek-V2
                      RouteCase{ThreadOrder::backward, 5, 128, 8, 1, 1, false, true},  // Qwen3
                      RouteCase{ThreadOrder::shuffled, 4, 32, 4, 1, 1, false, true},  // gpt-oss-20b
                      RouteCase{ThreadOrder::forward, 3, 8, 2, 1, 1, false, true},    // Mixtral
                      RouteCase{ThreadOrder::shuffled, 2, 384, 8, 1, 1, true, true}));  // Kimi K2

std::vector<int> chosen(const RouteCase& c, const std::vector<double>& by) {
  std::vector<double> kept = by;
  const int size = c.experts / c.groups;
  std::vector<std::pair<double, int>> groups;
  for (int g = 0; g < c.groups; ++g) {
    std::vector<double> inside(by.begin() + g * size, by.begin() + (g + 1) * size);
    std::sort(inside.rbegin(), inside.rend());
    groups.emplace_back(-(inside[0] + (size > 1 ? inside[1] : 0)), g);
  }
  std::sort(groups.begin(), groups.end());
  for (int g = c.kept; c.groups > 1 && g < c.groups; ++g) {
    std::fill_n(kept.begin() + groups[g].second * size, size, -1e300);
  }
  std::vector<int> order(c.experts);
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](int a, int b) { return kept[a] > kept[b]; });
  order.resize(c.top_k);
  return order;
}

// Weights: exp2.approx and the sums of floats stay within 1e-5 of double precision.
TEST_P(Router, PicksAndWeighsAsDoublePrecisionDoes) {
  const RouteCase c = GetParam();
  RandomSource random(31);
  Memory<float> logits(static_cast<std::size_t>(c.tokens) * c.experts), bias(c.experts);
  for (std::size_t i = 0; i < logits.size(); ++i) {
    logits[i] = static_cast<float>(8 * random.uniform() - 4);
  }
  for (int e = 0; e < c.experts; ++e) bias[e] = static_cast<float>(0.2 * random.uniform());
  Memory<std::int32_t> expert(static_cast<std::size_t>(c.tokens) * c.top_k, -1);
  Memory<float> weight(expert.size(), -1);
  HostExecutor executor(c.order);
  run_on_host(executor, RouterArgs{logits.input(), c.sigmoid ? bias.input() : View<const float>{},
                                   expert.view(), weight.view(), c.tokens, c.experts, c.top_k,
                                   c.sigmoid, c.groups, c.kept, c.renormalise, 2.5F});
  for (int t = 0; t < c.tokens; ++t) {
    std::vector<double> plain(c.experts), by(c.experts);
    double sum = 0;
    for (int e = 0; e < c.experts; ++e) {
      const double x = logits[static_cast<std::size_t>(t) * c.experts + e];
      plain[e] = c.sigmoid ? 1 / (1 + std::exp(-x)) : std::exp(x);
      by[e] = c.sigmoid ? plain[e] + bias[e] : x;
      sum += plain[e];
    }
    const auto best = chosen(c, by);
    if (c.renormalise)
      sum = std::accumulate(best.begin(), best.end(), 0.0,
                            [&](double s, int e) { return s + plain[e]; });
    for (int k = 0; k < c.top_k; ++k) {
      const std::size_t at = static_cast<std::size_t>(t) * c.top_k + k;
      ASSERT_EQ(expert[at], best[k]) << t << " " << k;
      ASSERT_NEAR(weight[at], 2.5 * plain[best[k]] / sum, 1e-5 * weight[at]);
    }
  }
}

TEST(Router, AtATieTheLowerExpertComesFirst) {
  Memory<float> logits(64, 1);
  Memory<std::int32_t> expert(3);
  Memory<float> weight(3);
  HostExecutor executor(ThreadOrder::shuffled);
  run_on_host(executor, RouterArgs{logits.input(), {}, expert.view(), weight.view(), 1, 64, 3});
  EXPECT_EQ(expert[0], 0);
  EXPECT_EQ(expert[1], 1);
  EXPECT_EQ(expert[2], 2);
  EXPECT_NEAR(weight[1], 1.0 / 3, 1e-6);
}

struct PermuteCase {
  ThreadOrder order;
  int tokens, top_k, experts, first, local, padding, hidden;
};
class Permute : public ::testing::TestWithParam<PermuteCase> {};
INSTANTIATE_TEST_SUITE_P(
    Shapes, Permute,
    ::testing::Values(PermuteCase{ThreadOrder::forward, 100, 8, 64, 0, 64, 16, 64},
                      PermuteCase{ThreadOrder::backward, 300, 2, 8, 0, 8, 1, 8},
                      PermuteCase{ThreadOrder::shuffled, 129, 4, 256, 64, 32, 128, 24},
                      PermuteCase{ThreadOrder::shuffled, 1, 1, 4, 0, 4, 8, 2048}));

struct Permuted {
  Memory<std::int32_t> expert, count, offset, row;
  Memory<Bf16> input, output;
};

Permuted permute(const PermuteCase& c) {
  RandomSource random(41);
  const std::size_t pairs = static_cast<std::size_t>(c.tokens) * c.top_k;
  const std::size_t rows = pairs + static_cast<std::size_t>(c.local) * c.padding;
  Permuted p{Memory<std::int32_t>(pairs),
             Memory<std::int32_t>((pairs + 255) / 256 * c.local),
             Memory<std::int32_t>(c.local + 1),
             Memory<std::int32_t>(pairs),
             random_bf16(static_cast<std::size_t>(c.tokens) * c.hidden, random),
             Memory<Bf16>(rows * c.hidden)};
  // Zipf: expert e in proportion to 1 / (e + 1), as skewed routers do.
  for (std::size_t i = 0; i < pairs; ++i) {
    p.expert[i] = static_cast<int>(std::pow(c.experts, random.uniform())) - 1;
  }
  HostExecutor executor(c.order);
  run_on_host(executor, PermuteArgs{p.expert.input(), p.count.view(), p.offset.view(), p.row.view(),
                                    p.input.input(), p.output.view(), static_cast<int>(pairs),
                                    c.top_k, c.first, c.local, c.padding, c.hidden});
  return p;
}

TEST_P(Permute, RowsOfAnExpertAreTogetherInTheirFirstOrder) {
  const PermuteCase c = GetParam();
  Permuted p = permute(c);
  int next = 0;
  for (int e = 0; e < c.local; ++e) {
    ASSERT_EQ(p.offset[e], next);
    for (std::size_t i = 0; i < p.expert.size(); ++i) {
      if (p.expert[i] != c.first + e) continue;
      ASSERT_EQ(p.row[i], next++) << "pair " << i;
      for (int d = 0; d < c.hidden; ++d) {
        ASSERT_EQ(p.output[static_cast<std::size_t>(p.row[i]) * c.hidden + d].bits,
                  p.input[i / c.top_k * c.hidden + d].bits);
      }
    }
    next = (next + c.padding - 1) / c.padding * c.padding;
  }
  EXPECT_EQ(p.offset[c.local], next);
  for (std::size_t i = 0; i < p.expert.size(); ++i) {
    const bool here = p.expert[i] >= c.first && p.expert[i] < c.first + c.local;
    EXPECT_EQ(p.row[i] >= 0, here);
  }
}

TEST_P(Permute, UnpermuteSumsTheWeightedRowsOfAToken) {
  const PermuteCase c = GetParam();
  Permuted p = permute(c);
  RandomSource random(42);
  Memory<float> weight(p.row.size());
  for (std::size_t i = 0; i < weight.size(); ++i) weight[i] = static_cast<float>(random.uniform());
  Memory<Bf16> output(p.input.size());
  HostExecutor executor(c.order);
  run_on_host(executor, UnpermuteArgs{p.output.input(), p.row.input(), weight.input(),
                                      output.view(), c.tokens, c.top_k, c.hidden});
  for (std::size_t i = 0; i < output.size(); ++i) {
    double here = 0;
    for (int k = 0; k < c.top_k; ++k) {
      const std::size_t pair = i / c.hidden * c.top_k + k;
      if (p.row[pair] >= 0) here += weight[pair];
    }
    const double exact = here * value(p.input[i]);
    ASSERT_NEAR(value(output[i]), exact, kRounding * std::abs(exact));
  }
}

}  // namespace
}  // namespace rackwright::kernels::own
