#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

#include <gtest/gtest.h>

#include "kernels/own/on_host.hpp"
#include "kernels/own/shape_checks.hpp"
#include "tests/kernels/own/device_memory.hpp"

namespace rackwright::kernels::own {
namespace {

using testing::Memory;

class Selection : public ::testing::TestWithParam<ThreadOrder> {};
INSTANTIATE_TEST_SUITE_P(Orders, Selection,
                         ::testing::Values(ThreadOrder::forward, ThreadOrder::backward,
                                           ThreadOrder::shuffled));

TEST_P(Selection, TheIndexerFindsTheLargestInRisingOrder) {
  RandomSource random(71);
  const std::vector<int> lengths{1000, 64, 63, 777};
  Memory<float> score(4 * 1000);
  for (std::size_t i = 0; i < score.size(); ++i) {
    // Many equal values, of both signs, over many magnitudes.
    score[i] = static_cast<float>(
        std::ldexp(std::floor(8 * random.uniform()) - 3, static_cast<int>(random.below(20)) - 10));
  }
  Memory<std::int32_t> length(4), chosen(4 * 64, 99);
  for (int r = 0; r < 4; ++r) length[r] = lengths[r];
  HostExecutor executor(GetParam());
  run_on_host(executor, IndexerArgs{score.input(), length.input(), chosen.view(), 4, 1000, 64});
  for (int r = 0; r < 4; ++r) {
    std::vector<int> order(lengths[r]);
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(),
                     [&](int a, int b) { return score[r * 1000 + a] > score[r * 1000 + b]; });
    order.resize(std::min<std::size_t>(64, order.size()));
    std::sort(order.begin(), order.end());
    order.resize(64, -1);
    for (int i = 0; i < 64; ++i) ASSERT_EQ(chosen[r * 64 + i], order[i]) << r << " " << i;
  }
}

TEST_P(Selection, APageCopyGathersAndScatters) {
  Memory<Word16> from(7 * 600), gathered(3 * 600), back(7 * 600);
  for (std::uint32_t i = 0; i < from.size(); ++i) from[i] = Word16{{i, i, i, i}};
  Memory<std::int32_t> pages(3), identity(3);
  pages[0] = 6, pages[1] = 0, pages[2] = 3;
  for (int i = 0; i < 3; ++i) identity[i] = i;
  HostExecutor executor(GetParam());
  run_on_host(executor, PageCopyArgs{from.input(), gathered.view(), pages.input(), {}, 3, 600});
  run_on_host(executor,
              PageCopyArgs{gathered.input(), back.view(), identity.input(), pages.input(), 3, 600});
  for (std::uint32_t i = 0; i < from.size(); ++i) {
    const bool moved = i / 600 == 6 || i / 600 == 0 || i / 600 == 3;
    ASSERT_EQ(back[i].word[2], moved ? i : 0U);
  }
}

/// Draws are divided by it: each is a block of fibres, which sanitizers make tens of times slower.
#ifdef __SANITIZE_ADDRESS__
constexpr int kFewer = 2;
#else
constexpr int kFewer = 1;
#endif

struct Draws {
  std::map<int, int> count;
};
/// `rows` draws from the same logits with evenly spaced uniform numbers.
Draws draws_of(ThreadOrder order, const std::vector<float>& logits, int rows, int top_k,
               float top_p, float temperature) {
  const std::size_t vocabulary = logits.size();
  Memory<float> all(rows * vocabulary), uniform(rows);
  Memory<std::int32_t> token(rows, -1);
  for (int r = 0; r < rows; ++r) {
    uniform[r] = (static_cast<float>(r) + 0.5F) / static_cast<float>(rows);
    for (std::size_t v = 0; v < vocabulary; ++v) all[r * vocabulary + v] = logits[v];
  }
  HostExecutor executor(order);
  run_on_host(executor, SamplingArgs{all.input(), uniform.input(), token.view(), rows,
                                     static_cast<int>(vocabulary), top_k, top_p, temperature});
  Draws draws;
  for (int r = 0; r < rows; ++r) ++draws.count[token[r]];
  return draws;
}

// softmax of (log 1, log 2, log 3, log 4) is 0.1, 0.2, 0.3, 0.4; at temperature 1/2 the weights are
// the squares: 1, 4, 9, 16 of 30. Evenly spaced draws fall within one of the exact shares.
TEST_P(Selection, SamplingFollowsTheProbabilities) {
  std::vector<float> logits(40, -50);
  for (int i = 0; i < 4; ++i) logits[10 * i + 3] = std::log(static_cast<float>(i + 1));
  auto plain = draws_of(GetParam(), logits, 60 / kFewer, 40, 1, 1);
  for (int i = 0; i < 4; ++i) EXPECT_NEAR(plain.count[10 * i + 3], 6 * (i + 1) / kFewer, 1);
  auto cold = draws_of(GetParam(), logits, 60 / kFewer, 40, 1, 0.5F);
  for (int i = 0; i < 4; ++i) {
    EXPECT_NEAR(cold.count[10 * i + 3], 2 * (i + 1) * (i + 1) / kFewer, 1);
  }
}

// Of 0.4, 0.3, 0.2, 0.1: top 3 renormalises to 4/9, 3/9, 2/9; top_p 0.6 keeps 0.4 and 0.3.
TEST_P(Selection, TopKAndTopPCutTheTail) {
  std::vector<float> logits;
  for (int i = 1; i <= 4; ++i) logits.push_back(std::log(static_cast<float>(i)));
  auto three = draws_of(GetParam(), logits, 90 / kFewer, 3, 1, 1);
  EXPECT_NEAR(three.count[3], 40 / kFewer, 1);
  EXPECT_NEAR(three.count[1], 20 / kFewer, 1);
  EXPECT_EQ(three.count[0], 0);
  auto nucleus = draws_of(GetParam(), logits, 70 / kFewer, 4, 0.6F, 1);
  EXPECT_NEAR(nucleus.count[3], 40 / kFewer, 1);
  EXPECT_NEAR(nucleus.count[2], 30 / kFewer, 1);
  EXPECT_EQ(nucleus.count[1], 0);
}

TEST_P(Selection, TheGreedyChoiceIsTheFirstLargest) {
  std::vector<float> logits(5000, 0);
  logits[4000] = logits[1234] = 3;
  auto greedy = draws_of(GetParam(), logits, 3, 1, 1, 1);
  EXPECT_EQ(greedy.count[1234], 3);
}

TEST(Sampling, WhatItCannotHoldIsRefused) {
  HostExecutor executor;
  SamplingArgs args;
  args.top_k = 1025;
  EXPECT_THROW(run_on_host(executor, args), ShapeFault);
}

TEST(HoldStream, GoesOnWhenLetGoAndWhenItsTimeHasPassed) {
  Memory<int> let_go(1), timed_out(1);
  HostExecutor executor(ThreadOrder::forward);
  let_go[0] = 1;
  run_on_host(executor, HoldArgs{let_go.view(), timed_out.view(), 60'000'000'000});
  EXPECT_EQ(timed_out[0], 0);
  let_go[0] = 0;
  run_on_host(executor, HoldArgs{let_go.view(), timed_out.view(), 1'000'000});
  EXPECT_EQ(timed_out[0], 1);
}

TEST(Burn, LastsAsLongAsAsked) {
  Memory<float> sum(2);
  HostExecutor executor;
  HostExecutor watch;
  std::uint64_t start = 0, stop = 0;
  watch.run({}, [&](HostThread& t) { start = t.clock_ns(); });
  run_on_host(executor, BurnArgs{sum.view(), 2'000'000, 1});
  watch.run({}, [&](HostThread& t) { stop = t.clock_ns(); });
  EXPECT_GE(stop - start, 2'000'000U);
}

}  // namespace
}  // namespace rackwright::kernels::own
