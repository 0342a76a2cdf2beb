#include "profiler/merge.hpp"

#include <csignal>
#include <fstream>

#include <sys/wait.h>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/input_error.hpp"
#include "profiler/rank_file.hpp"
#include "profiler/run_file.hpp"
#include "tests/temporary_folder.hpp"

namespace rackwright::profiler {
namespace {

namespace fs = std::filesystem;
using ::rackwright::testing::TemporaryFolder;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr std::int64_t kNoon = 1'700'000'000'000'000'000;

/// `slices` of 10 ms each, 20 ms apart from 0 s on.
Trace trace_of(int slices) {
  Trace trace;
  trace.workload = "w";
  trace.device = "h100-sxm";
  for (int i = 0; i < slices; ++i) {
    trace.slices.push_back(
        {0.02 * i, 0.010F, 300.0F, static_cast<std::uint32_t>(i), workloads::OperatorClass::gemm});
  }
  trace.end_s = 0.02 * slices;
  return trace;
}

void write_rank(const fs::path& folder, const RankMeta& meta, const Trace& trace,
                bool finished = true) {
  const fs::path path = folder / rank_file_name(meta.rank);
  {
    RunFileWriter writer(path, {});
    writer.write(trace);
    if (finished) writer.finish();
  }
  write_rank_meta(path, meta);
}

std::string merging(const fs::path& folder) {
  try {
    merge_ranks(folder, folder / "out.rw");
  } catch (const InputError& error) {
    EXPECT_FALSE(fs::exists(folder / "out.rw"));
    EXPECT_FALSE(fs::exists(folder / "out.rw.part"));
    return error.what();
  }
  return "no error";
}

TEST(RankFileName, HasFourDigits) {
  EXPECT_EQ(rank_file_name(3), "rank-0003.rw");
  EXPECT_EQ(rank_of_name("rank-0003.rw"), 3);
  EXPECT_EQ(rank_of_name("rank-12345.rw"), 12345);
  for (const char* name :
       {"rank-3.rw", "rank-00x3.rw", "run.rw", "rank-0003.rw.part", "rank-.rw"}) {
    EXPECT_EQ(rank_of_name(name), std::nullopt) << name;
  }
}

TEST(Merge, TheHeaviestRankStandsForTheRunAndNothingIsLost) {
  const TemporaryFolder folder;
  write_rank(folder.path(), {.rank = 0, .ranks = 2, .host = "a", .start_ns = kNoon}, trace_of(10));
  write_rank(folder.path(), {.rank = 1, .ranks = 2, .host = "b", .start_ns = kNoon}, trace_of(30));
  const MergeResult result = merge_ranks(folder.path(), folder.path() / "out.rw");
  EXPECT_FALSE(result.incomplete);
  EXPECT_FALSE(result.ranks[0].heaviest);
  EXPECT_TRUE(result.ranks[1].heaviest);
  EXPECT_NEAR(result.ranks[1].busy_s, 0.3, 1e-6);

  const RunFile run = read_run_file(folder.path() / "out.rw");
  EXPECT_FALSE(run.trace.incomplete);
  EXPECT_EQ(run.trace.slices.size(), 30U);
  Database database(folder.path() / "out.rw", Database::Access::read);
  EXPECT_EQ(database.integer("SELECT count(*) FROM rank_slices WHERE rank = 0"), 10);
  EXPECT_EQ(database.integer("SELECT count(*) FROM rank_slices"), 40);
  EXPECT_EQ(database.integer("SELECT count(DISTINCT host) FROM ranks"), 2);
  EXPECT_EQ(database.integer("SELECT count(*) FROM rank_meta WHERE key = 'device'"), 2);
}

TEST(Merge, PutsRanksOnTheClockOfRankZero) {
  // Rank 1 starts 250 ms later by its own clock, which is 100 ms behind rank 0's at the start and
  // loses 1 ms more in each second. So its 0 s are at 350 ms, and its 0.2 s (slice 10) at 550.2 ms.
  const TemporaryFolder folder;
  const double start = 1.7e9 + 0.25;
  const ClockAlignment clock{{start, 0.100, 2e-5}, {start + 10, 0.110, 3e-5}};
  write_rank(folder.path(), {.rank = 0, .ranks = 2, .start_ns = kNoon}, trace_of(5));
  write_rank(folder.path(),
             {.rank = 1, .ranks = 2, .start_ns = kNoon + 250'000'000, .clock = clock},
             trace_of(20));
  const MergeResult result = merge_ranks(folder.path(), folder.path() / "out.rw");
  EXPECT_NEAR(result.ranks[1].start_s, 0.350, 1e-6);
  EXPECT_EQ(result.ranks[1].clock_bound_s, 3e-5);
  EXPECT_THAT(result.notes, IsEmpty());
  const RunFile run = read_run_file(folder.path() / "out.rw");
  EXPECT_NEAR(run.trace.slices[0].start_s, 0.350, 1e-6);
  EXPECT_NEAR(run.trace.slices[10].start_s, 0.5502, 1e-6);
  Database database(folder.path() / "out.rw", Database::Access::read);
  EXPECT_EQ(database.integer("SELECT round(1e4 * max(start_s)) FROM rank_slices WHERE rank = 1"),
            7304);  // slice 19: 350 + 380 + 0.38 ms
  EXPECT_EQ(database.integer("SELECT round(1e4 * max(start_s)) FROM rank_slices WHERE rank = 0"),
            800);
}

TEST(Merge, TheEarliestRankIsAtZero) {
  const TemporaryFolder folder;
  write_rank(folder.path(), {.rank = 0, .ranks = 2, .start_ns = kNoon + 500'000'000}, trace_of(2));
  write_rank(folder.path(), {.rank = 1, .ranks = 2, .start_ns = kNoon}, trace_of(1));
  const MergeResult result = merge_ranks(folder.path(), folder.path() / "out.rw");
  EXPECT_NEAR(result.ranks[0].start_s, 0.5, 1e-9);
  EXPECT_NEAR(result.ranks[1].start_s, 0, 1e-9);
  EXPECT_THAT(result.notes, ElementsAre(HasSubstr("rank 1: no clock offset was taken")));
}

TEST(Merge, ARankThatDoesNotSayWhenItBeganIsPutAtZero) {
  const TemporaryFolder folder;
  write_rank(folder.path(), {.rank = 0, .ranks = 2}, trace_of(2));
  write_rank(folder.path(), {.rank = 1, .ranks = 2, .start_ns = kNoon}, trace_of(1));
  const MergeResult result = merge_ranks(folder.path(), folder.path() / "out.rw");
  EXPECT_EQ(result.ranks[0].start_s, 0);
  EXPECT_EQ(result.ranks[1].start_s, 0);
  EXPECT_THAT(result.notes, ElementsAre(HasSubstr("rank 0: its start was not recorded"),
                                        HasSubstr("rank 1: no clock offset was taken")));
}

TEST(Merge, AMissingRankMakesItIncomplete) {
  const TemporaryFolder folder;
  write_rank(folder.path(), {.rank = 0, .ranks = 3, .start_ns = kNoon}, trace_of(2));
  write_rank(folder.path(), {.rank = 2, .ranks = 3, .start_ns = kNoon}, trace_of(2));
  const MergeResult result = merge_ranks(folder.path(), folder.path() / "out.rw");
  EXPECT_TRUE(result.incomplete);
  ASSERT_EQ(result.ranks.size(), 3U);
  EXPECT_EQ(result.ranks[1].file, "");
  EXPECT_EQ(read_run_file(folder.path() / "out.rw").trace.incomplete_reason,
            "rank 1 of 3 left no file");
}

/// Writes a rank file in a process that is killed before it ends: by SIGKILL, after the rows.
void write_and_be_killed(const fs::path& folder, const RankMeta& meta, int slices) {
  const pid_t child = ::fork();
  if (child == 0) {
    const fs::path path = folder / rank_file_name(meta.rank);
    RunFileWriter writer(path, {});
    write_rank_meta(path, meta);
    writer.write(trace_of(slices));
    ::kill(::getpid(), SIGKILL);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  ASSERT_TRUE(WIFSIGNALED(status));
}

TEST(Merge, AKilledRankKeepsAllItRecorded) {
  const TemporaryFolder folder;
  for (int rank = 0; rank < 3; ++rank) {
    write_rank(folder.path(), {.rank = rank, .ranks = 4, .start_ns = kNoon}, trace_of(100));
  }
  write_and_be_killed(folder.path(), {.rank = 3, .ranks = 4, .start_ns = kNoon}, 70);
  const MergeResult result = merge_ranks(folder.path(), folder.path() / "out.rw");
  EXPECT_TRUE(result.incomplete);
  EXPECT_FALSE(result.ranks[3].complete);
  EXPECT_EQ(result.ranks[3].slices, 70U);
  Database database(folder.path() / "out.rw", Database::Access::read);
  EXPECT_EQ(database.integer("SELECT count(*) FROM rank_slices WHERE rank = 3"), 70);
  EXPECT_EQ(database.integer("SELECT value FROM meta WHERE key = 'complete'"), 0);
}

TEST(Merge, AFileThatDoesNotOpenIsAMissingRankWithItsReason) {
  const TemporaryFolder folder;
  write_rank(folder.path(), {.rank = 0, .ranks = 2, .start_ns = kNoon}, trace_of(2));
  folder.write("rank-0001.rw", "");
  const MergeResult result = merge_ranks(folder.path(), folder.path() / "out.rw");
  EXPECT_TRUE(result.incomplete);
  EXPECT_THAT(result.notes, ElementsAre(HasSubstr("an empty file")));
}

TEST(Merge, RefusesWhatIsNoRun) {
  const TemporaryFolder folder;
  EXPECT_THAT(merging(folder.path()), HasSubstr("expected files named rank-0000.rw"));
  EXPECT_THAT(merging(folder.path() / "nowhere"), HasSubstr("expected a folder of rank files"));
  folder.write("rank-0000.rw", "text");
  EXPECT_THAT(merging(folder.path()), HasSubstr("expected a readable rank file"));
}

TEST(Merge, RefusesFilesOfDifferentRuns) {
  const TemporaryFolder folder;
  write_rank(folder.path(), {.rank = 0, .ranks = 2, .start_ns = kNoon}, trace_of(2));
  write_rank(folder.path(), {.rank = 1, .ranks = 8, .start_ns = kNoon}, trace_of(2));
  EXPECT_THAT(merging(folder.path()),
              HasSubstr("rank-0001.rw: meta.rank.ranks: expected 2 as in rank-0000.rw, found 8"));
}

TEST(Merge, DoesNotReplaceAFile) {
  const TemporaryFolder folder;
  write_rank(folder.path(), {.rank = 0, .ranks = 1, .start_ns = kNoon}, trace_of(2));
  folder.write("out.rw", "mine");
  EXPECT_THROW(merge_ranks(folder.path(), folder.path() / "out.rw"), InputError);
}

}  // namespace
}  // namespace rackwright::profiler
