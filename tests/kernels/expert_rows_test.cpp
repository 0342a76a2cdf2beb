#include "kernels/expert_rows.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include <gtest/gtest.h>

namespace rackwright::kernels {
namespace {

workloads::ExpertShape shape_of(double tokens, double pairs, double touched, double skew) {
  workloads::ExpertShape shape;
  shape.tokens = tokens, shape.rank_tokens = pairs, shape.touched_experts = touched;
  shape.experts = 8, shape.top_k = 1, shape.local_experts = 8;
  shape.skew = skew;
  return shape;
}

int sum(const std::vector<int>& rows) {
  return std::accumulate(rows.begin(), rows.end(), 0);
}

TEST(ExpertRows, AreEqualWithoutSkew) {
  EXPECT_EQ(expert_rows(shape_of(100, 32, 8, 0), 1), std::vector<int>(8, 4));
  EXPECT_EQ(expert_rows(shape_of(100, 10, 4, 0), 1), (std::vector<int>{3, 3, 2, 2}));
}

// Zipf of exponent 1 over 8: popularity 840, 420, 280, 210, 168, 140, 120, 105 of 2283. 8 pairs go
// one to each, the other 2283 as that.
TEST(ExpertRows, FollowZipf) {
  EXPECT_EQ(expert_rows(shape_of(5000, 8 + 2283, 8, 1), 1),
            (std::vector<int>{841, 421, 281, 211, 169, 141, 121, 106}));
}

// A token picks an expert once: none has more rows than there are tokens.
TEST(ExpertRows, HoldEachTokenOnce) {
  const auto rows = expert_rows(shape_of(10, 40, 8, 3), 1);
  EXPECT_EQ(rows.front(), 10);
  EXPECT_EQ(sum(rows), 40);
}

class ExpertRowsOfAll : public ::testing::TestWithParam<double> {};
INSTANTIATE_TEST_SUITE_P(Skews, ExpertRowsOfAll, ::testing::Values(0.0, 0.4, 1.0, 1.6));

TEST_P(ExpertRowsOfAll, AddUpAndLeaveNoneEmpty) {
  for (const double pairs : {1.0, 7.4, 300.0, 65536.0}) {
    for (const int ep : {1, 2, 8}) {
      auto shape = shape_of(pairs, pairs, std::min(pairs, 32.0 / ep), GetParam());
      shape.experts = 32, shape.top_k = 4, shape.ep = ep;
      const auto rows = expert_rows(shape, kExpertSeed);
      EXPECT_EQ(sum(rows), std::lround(pairs));
      EXPECT_GE(rows.back(), 1);
      EXPECT_TRUE(std::is_sorted(rows.rbegin(), rows.rend()));
      EXPECT_EQ(rows, expert_rows(shape, kExpertSeed));
    }
  }
}

}  // namespace
}  // namespace rackwright::kernels
