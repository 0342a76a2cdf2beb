#include "kernels/calibration/expert_draw.hpp"

#include <gtest/gtest.h>

namespace rackwright::kernels {
namespace {

TEST(HeaviestRank, BalancedLoadIsTheMean) {
  // 1024 tokens x 8 / 16 ranks = 512 pairs on each of 256 / 16 = 16 experts.
  const HeaviestRank rank = heaviest_rank(1024, 8, 256, 16, 0);
  EXPECT_DOUBLE_EQ(rank.tokens, 512);
  EXPECT_DOUBLE_EQ(rank.touched, 16);
}

TEST(HeaviestRank, OneTokenTouchesAtMostItsExperts) {
  const HeaviestRank rank = heaviest_rank(1, 8, 256, 64, 0);
  EXPECT_DOUBLE_EQ(rank.tokens, 1);
  EXPECT_DOUBLE_EQ(rank.touched, 1);
}

TEST(HeaviestRank, ASkewedLoadIsHeavierThanTheMeanAndLighterThanAll) {
  const HeaviestRank rank = heaviest_rank(1024, 8, 256, 16, 1.2);
  EXPECT_GT(rank.tokens, 512 * 1.2);
  EXPECT_LT(rank.tokens, 1024 * 8);
  EXPECT_LE(rank.touched, 16);
  EXPECT_EQ(rank.tokens, heaviest_rank(1024, 8, 256, 16, 1.2).tokens);
}

TEST(HeaviestRank, OneRankCarriesEverything) {
  EXPECT_NEAR(heaviest_rank(64, 2, 8, 1, 1.01).tokens, 128,
              13);  // clipping at 64 may lose a little
}

}  // namespace
}  // namespace rackwright::kernels
