#include "workloads/decode_batch.hpp"

#include <gtest/gtest.h>

namespace rackwright::workloads {
namespace {

TEST(DecodeBatch, SumsContextsAndClipsThem) {
  DecodeBatch batch(100);
  batch.join(0, 0, 98, 50);
  batch.join(1, 1, 200, 50);
  StepShape step;
  batch.describe(step);  // new tokens see 99 and 201 keys
  EXPECT_EQ(step.decode_context, 300);
  EXPECT_EQ(step.decode_context_clipped, 199);
  EXPECT_EQ(step.decode_longest, 201U);
  batch.advance(10);
  EXPECT_FALSE(batch.take_finished().has_value());
  batch.describe(step);  // 109 and 211
  EXPECT_EQ(step.decode_context, 320);
  EXPECT_EQ(step.decode_context_clipped, 200);
}

TEST(DecodeBatch, FinishesInOrderAndTellsTheExcess) {
  DecodeBatch batch(0);
  batch.join(7, 1, 10, 5);
  batch.join(3, 0, 20, 6);
  batch.advance(6);
  const auto first = batch.take_finished();
  ASSERT_TRUE(first.has_value());
  EXPECT_EQ(first->member, 7U);
  EXPECT_EQ(first->length, 16);
  EXPECT_EQ(first->excess, 1);
  const auto second = batch.take_finished();
  ASSERT_TRUE(second.has_value());
  EXPECT_EQ(second->member, 3U);
  EXPECT_EQ(second->excess, 0);
  EXPECT_EQ(batch.size(), 0);
}

TEST(DecodeBatch, ARemovedMemberNeverFinishesAndItsNumberCanBeUsedAgain) {
  DecodeBatch batch(0);
  batch.join(0, 0, 500, 5);
  batch.join(1, 1, 20, 9);
  batch.advance(2);
  EXPECT_EQ(batch.remove(0), 2);
  batch.join(0, 2, 30, 100);
  batch.advance(7);
  const auto finished = batch.take_finished();
  ASSERT_TRUE(finished.has_value());
  EXPECT_EQ(finished->member, 1U);
  EXPECT_FALSE(batch.take_finished().has_value());
  StepShape step;
  batch.describe(step);
  EXPECT_EQ(step.decode_longest, 38U);
}

}  // namespace
}  // namespace rackwright::workloads
