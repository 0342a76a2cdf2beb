#include "profiler/rank_clock.hpp"

#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/launch/launch.hpp"
#include "common/launch/shared_ranks.hpp"
#include "profiler/run_file.hpp"
#include "tests/temporary_folder.hpp"

namespace rackwright::profiler {
namespace {

/// A thread for each rank.
template <class Body>
void on_ranks(int count, Body body) {
  launch::SharedMemory memory(count);
  std::vector<std::thread> threads;
  for (int rank = 0; rank < count; ++rank) {
    threads.emplace_back([&, rank] { body(*launch::shared_rank(memory, rank)); });
  }
  for (auto& thread : threads) thread.join();
}

// Ranks of one host read one clock: the true offset is 0 and lies within the bound.
TEST(ExchangeClocks, OneClockHasNoOffset) {
  on_ranks(3, [](launch::Communicator& ranks) {
    const ClockOffset offset = exchange_clocks(ranks, 10);
    EXPECT_LE(std::abs(offset.offset_s), offset.bound_s + 1e-6);
    EXPECT_EQ(offset.bound_s > 0, ranks.rank() != 0);
    EXPECT_EQ(ranks_on_host(ranks), 3);
  });
}

TEST(RankRecord, IsInTheFileFromTheStartOn) {
  const rackwright::testing::TemporaryFolder folder;
  on_ranks(2, [&](launch::Communicator& ranks) {
    const auto file = folder.path() / rank_file_name(ranks.rank());
    { RunFileWriter writer(file, {}); }
    RankRecord record(file, ranks);
    const auto read = [&] {
      Database database(file, Database::Access::read);
      return read_rank_meta(database).value();
    };
    const RankMeta started = read();
    EXPECT_EQ(started.rank, ranks.rank());
    EXPECT_EQ(started.ranks, 2);
    EXPECT_EQ(started.host, launch::host_name());
    EXPECT_GT(started.start_ns, 1'600'000'000'000'000'000);  // after 2020
    ASSERT_TRUE(started.clock);
    EXPECT_EQ(started.clock->end.at_s, started.clock->start.at_s);
    record.finish();
    EXPECT_GT(read().clock->end.at_s, started.clock->start.at_s);
  });
}

}  // namespace
}  // namespace rackwright::profiler
