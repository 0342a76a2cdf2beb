#include "kernels/collectives/collective_op.hpp"

#include <numeric>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rackwright::kernels {
namespace {

// nccl-tests doc/PERFORMANCE.md at 8 ranks: 2 x 7/8, 7/8, 7/8, 1, 7/8, 1.
TEST(BusFactor, IsThatOfNcclTests) {
  EXPECT_DOUBLE_EQ(bus_factor(CollectiveOp::all_reduce, 8), 1.75);
  EXPECT_DOUBLE_EQ(bus_factor(CollectiveOp::all_gather, 8), 0.875);
  EXPECT_DOUBLE_EQ(bus_factor(CollectiveOp::reduce_scatter, 8), 0.875);
  EXPECT_DOUBLE_EQ(bus_factor(CollectiveOp::broadcast, 8), 1);
  EXPECT_DOUBLE_EQ(bus_factor(CollectiveOp::all_to_all, 8), 0.875);
  EXPECT_DOUBLE_EQ(bus_factor(CollectiveOp::send_recv, 8), 1);
}

TEST(CollectiveCountsOf, SizesAreCutToWholeElementsOnEveryRank) {
  // 100 bytes are 25 floats: 8 for each of 3 ranks, 96 bytes in all.
  const auto gather = counts_of(CollectiveOp::all_gather, 100, 3);
  EXPECT_EQ(gather.count, 8U);
  EXPECT_EQ(gather.bytes, 96U);
  EXPECT_EQ(gather.in, 24U);
  EXPECT_EQ(counts_of(CollectiveOp::all_reduce, 100, 3).bytes, 100U);
  EXPECT_EQ(counts_of(CollectiveOp::all_to_all, 8, 4).count, 0U);
}

TEST(UnevenExchange, SharesFallTwoToOneAndFillTheBuffer) {
  // 4 ranks, weights 7, 6, 5, 4 of 22.
  std::vector<std::size_t> pieces;
  for (int to = 0; to < 4; ++to) {
    pieces.push_back(exchanged(CollectiveOp::all_to_all_uneven, 2200, 4, to));
  }
  EXPECT_THAT(pieces, ::testing::ElementsAre(700, 600, 500, 400));
  // Rank 0 is sent 3 x 7/22 of what a rank sends; links carry that.
  EXPECT_DOUBLE_EQ(wire_bytes(CollectiveOp::all_to_all_uneven, 2200, 4), 3 * 700);
}

TEST(WireBytes, AreOfTheAlgorithm) {
  EXPECT_DOUBLE_EQ(wire_bytes(CollectiveOp::all_reduce, 800, 8), 1400);
  EXPECT_DOUBLE_EQ(wire_bytes(CollectiveOp::all_gather, 800, 8), 700);
  EXPECT_DOUBLE_EQ(wire_bytes(CollectiveOp::broadcast, 100, 8), 300);  // a tree of three levels
  EXPECT_DOUBLE_EQ(wire_bytes(CollectiveOp::broadcast, 100, 5), 300);
  EXPECT_DOUBLE_EQ(wire_bytes(CollectiveOp::kv_transfer, 100, 8), 100);
  EXPECT_DOUBLE_EQ(wire_bytes(CollectiveOp::all_reduce, 800, 1), 0);
}

// Whatever is exchanged, everything that is sent arrives: sums of both sides agree.
TEST(ExpectedResult, OfAnExchangeHoldsAllThatWasSent) {
  for (const auto op : {CollectiveOp::all_to_all, CollectiveOp::all_to_all_uneven}) {
    const auto counts = counts_of(op, 1000, 3);
    double sent = 0, found = 0;
    std::size_t elements = 0;
    for (int rank = 0; rank < 3; ++rank) {
      for (std::size_t i = 0; i < counts.out; ++i) sent += sent_value(rank, i);
      const auto result = expected_result(op, counts, rank, 3);
      found += std::accumulate(result.begin(), result.end(), 0.0);
      elements += result.size();
    }
    EXPECT_EQ(elements, 3 * counts.out);
    EXPECT_EQ(found, sent);
  }
}

TEST(ExpectedResult, OfAnAllReduceIsTheSumByHand) {
  // (7i + 13r) mod 17 - 8: i = 0: -8, 5; i = 1: -1, 12 - ... 7 + 13 = 20 mod 17 = 3, -5.
  const auto result =
      expected_result(CollectiveOp::all_reduce, counts_of(CollectiveOp::all_reduce, 8, 2), 0, 2);
  EXPECT_THAT(result, ::testing::ElementsAre(-3, -6));
}

TEST(Names, AreReadBack) {
  for (int i = 0; i < kCollectiveOps; ++i) {
    const auto op = static_cast<CollectiveOp>(i);
    EXPECT_EQ(collective_op(to_string(op)), op);
  }
  EXPECT_EQ(collective_op("allreduce"), std::nullopt);
}

}  // namespace
}  // namespace rackwright::kernels
