#include "workloads/kv_pool.hpp"

#include <vector>

#include <gtest/gtest.h>

namespace rackwright::workloads {
namespace {

using Ids = std::vector<std::uint32_t>;

TEST(KvPool, TakesAndGivesBackWholeBlocks) {
  KvPool pool(10, 16, 0);
  EXPECT_TRUE(pool.reserve({}, 33, 33, 0));  // 3 blocks
  EXPECT_EQ(pool.free_blocks(), 7);
  EXPECT_FALSE(pool.reserve({}, 100, 100, 1));  // 7 blocks and one of headroom
  EXPECT_EQ(pool.free_blocks(), 7);
  EXPECT_TRUE(pool.reserve({}, 100, 100, 0));
  pool.release(33);
  EXPECT_EQ(pool.free_blocks(), 3);
}

TEST(KvPool, GrowsASequenceWhenItsLastBlockIsFull) {
  KvPool pool(4, 16, 0);
  ASSERT_TRUE(pool.reserve({}, 30, 30, 0));
  pool.track(0, 30);
  EXPECT_TRUE(pool.grow(0, 2));  // tokens 31 and 32 fill the second block
  EXPECT_EQ(pool.free_blocks(), 2);
  EXPECT_TRUE(pool.grow(2, 1));  // token 33 needs a third
  EXPECT_EQ(pool.free_blocks(), 1);
  pool.untrack(3, 33);
  EXPECT_TRUE(pool.grow(18, 16));  // nobody grows any more
  EXPECT_EQ(pool.free_blocks(), 1);
}

TEST(KvPool, SharedBlocksAreCountedOnceAndLeaveOldestFirst) {
  KvPool pool(8, 16, 32);
  const Ids a{1, 2};
  const Ids b{3};
  ASSERT_TRUE(pool.reserve({}, 64, 64, 0));
  EXPECT_EQ(pool.share(a, 64), 2U);
  EXPECT_EQ(pool.free_blocks(), 4);
  ASSERT_TRUE(pool.reserve(a, 1, 1, 0));  // a second user of both: one own block
  EXPECT_EQ(pool.free_blocks(), 3);
  pool.release(1);
  pool.unpin(a);
  EXPECT_EQ(pool.evictable_blocks(), 0);  // the first user still holds them
  pool.unpin(a);
  EXPECT_EQ(pool.evictable_blocks(), 4);
  ASSERT_TRUE(pool.reserve({}, 32, 32, 0));
  EXPECT_EQ(pool.share(b, 32), 1U);
  ASSERT_TRUE(pool.reserve({}, 48, 48, 0));  // 3 blocks, 2 free: the end of the prompt goes, id 2
  EXPECT_EQ(pool.hits(a, 1000), 1U);
  EXPECT_EQ(pool.free_blocks(), 1);
}

TEST(KvPool, LeavesOneTokenToCompute) {
  KvPool pool(8, 16, 32);
  const Ids a{1, 2};
  ASSERT_TRUE(pool.reserve({}, 64, 64, 0));
  static_cast<void>(pool.share(a, 64));
  EXPECT_EQ(pool.hits(a, 64), 1U);
  EXPECT_EQ(pool.hits(a, 65), 2U);
}

}  // namespace
}  // namespace rackwright::workloads
