#include "profiler/run_file.hpp"

#include <fstream>

#include <sqlite3.h>
#include <sys/wait.h>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/input_error.hpp"
#include "profiler/plan_json.hpp"
#include "tests/profiler/fake_backend.hpp"
#include "tests/temporary_folder.hpp"

namespace rackwright::profiler {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

const RunMeta kMeta{"0.1.0", "rackwright profile x", "2 cores", "abc123", R"({"name": "test"})"};

Trace recorded(std::size_t requests = 200) {
  testing::FakeBackend backend(
      [](const auto& graph) { return 0.005 + 2e-5 * testing::tokens_of(graph); });
  backend.per_operator = true;
  auto setup = testing::roomy_setup();
  setup.plan.tp = 8;
  setup.plan.weights = workloads::DataType::fp8;
  setup.rank.scale_up_domain = 4;
  return replay(testing::workload_of(testing::poisson(requests, 20, 300, 40)), setup, backend,
                {.seed = 42, .load_factor = 1.5});
}

void write(const fs::path& path, const Trace& trace) {
  RunFileWriter writer(path, kMeta);
  writer.write(trace);
  writer.finish();
}

void run_sql(const fs::path& path, const char* sql) {
  sqlite3* database = nullptr;
  ASSERT_EQ(sqlite3_open(path.c_str(), &database), SQLITE_OK);
  EXPECT_EQ(sqlite3_exec(database, sql, nullptr, nullptr, nullptr), SQLITE_OK);
  sqlite3_close(database);
}

std::string reading(const fs::path& path) {
  try {
    static_cast<void>(read_run_file(path));
  } catch (const InputError& error) {
    return error.what();
  }
  return "no error";
}

// What a killed run leaves: the rows of the last `keep`, and no more twice than once.
TEST(RunFile, KeepsTheTraceAsItGrows) {
  const testing::TemporaryFolder folder;
  const Trace whole = recorded();
  ASSERT_GT(whole.slices.size(), 20U);
  Trace part = whole;
  part.engine.requests.clear();
  part.slices.resize(10);
  {
    RunFileWriter writer(folder.path() / "kept.rw", kMeta);
    writer.keep(part);
    part.slices = whole.slices;
    part.slices.resize(17);
    writer.keep(part);
  }  // no write, no finish: as if killed
  const RunFile kept = read_run_file(folder.path() / "kept.rw");
  EXPECT_TRUE(kept.trace.incomplete);
  ASSERT_EQ(kept.trace.slices.size(), 17U);
  EXPECT_EQ(kept.trace.slices.back().start_s, whole.slices[16].start_s);
  {
    RunFileWriter writer(folder.path() / "whole.rw", kMeta);
    writer.keep(part);
    writer.write(whole);
    writer.finish();
  }
  write(folder.path() / "at-once.rw", whole);
  const auto grown = read_run_file(folder.path() / "whole.rw").trace;
  const auto at_once = read_run_file(folder.path() / "at-once.rw").trace;
  EXPECT_EQ(grown.slices.size(), at_once.slices.size());
  EXPECT_EQ(grown.joules_per_gpu(), at_once.joules_per_gpu());
  EXPECT_FALSE(grown.incomplete);
}

TEST(RunFile, RoundTripsEverything) {
  const testing::TemporaryFolder folder;
  const Trace trace = recorded();
  write(folder.path() / "a.rw", trace);
  const RunFile run = read_run_file(folder.path() / "a.rw");

  EXPECT_EQ(run.meta.version, kMeta.version);
  EXPECT_EQ(run.meta.command, kMeta.command);
  EXPECT_EQ(run.meta.machine, kMeta.machine);
  EXPECT_EQ(run.meta.data_hash, kMeta.data_hash);
  EXPECT_EQ(run.meta.workload_json, kMeta.workload_json);

  const Trace& read = run.trace;
  EXPECT_EQ(read.workload, trace.workload);
  EXPECT_EQ(read.device, trace.device);
  EXPECT_EQ(read.backend, trace.backend);
  EXPECT_EQ(plan_to_json(read.plan), plan_to_json(trace.plan));
  EXPECT_EQ(read.seed, 42U);
  EXPECT_EQ(read.origin, trace.origin);
  EXPECT_EQ(read.relative_error, trace.relative_error);
  EXPECT_EQ(read.load_factor, 1.5);
  EXPECT_FALSE(read.incomplete);
  EXPECT_EQ(read.idle_w, trace.idle_w);
  EXPECT_EQ(read.end_s, trace.end_s);
  EXPECT_EQ(read.joules_per_gpu(), trace.joules_per_gpu());
  EXPECT_EQ(read.busy_share(), trace.busy_share());
  for (std::size_t c = 0; c < trace.totals.size(); ++c) {
    EXPECT_EQ(read.totals[c].seconds, trace.totals[c].seconds);
    EXPECT_EQ(read.totals[c].joules, trace.totals[c].joules);
    EXPECT_EQ(read.totals[c].flops, trace.totals[c].flops);
    EXPECT_EQ(read.totals[c].memory_bytes, trace.totals[c].memory_bytes);
    EXPECT_EQ(read.totals[c].wire_bytes, trace.totals[c].wire_bytes);
  }
  EXPECT_EQ(read.traffic.scale_up_bytes, trace.traffic.scale_up_bytes);
  EXPECT_EQ(read.traffic.scale_out_bytes, trace.traffic.scale_out_bytes);
  EXPECT_EQ(read.traffic.collectives, trace.traffic.collectives);
  EXPECT_EQ(read.traffic.scale_up_peak_bytes_per_s, trace.traffic.scale_up_peak_bytes_per_s);
  EXPECT_EQ(read.traffic.scale_out_peak_bytes_per_s, trace.traffic.scale_out_peak_bytes_per_s);
}

// What ran the operators of a measured run.
TEST(RunFile, KeepsTheNotesOfAReplay) {
  const testing::TemporaryFolder folder;
  Recording record;
  record.notes = {"qkv_proj: cuBLASLt 13.1.0, BF16, algorithm 66", "decode: own rw_decode_128"};
  {
    RunFileWriter writer(folder.path() / "run.rw", kMeta);
    writer.write(recorded(20), record);
    writer.finish();
  }
  const RunFile run = read_run_file(folder.path() / "run.rw");
  EXPECT_EQ(run.recording.notes, record.notes);
  EXPECT_TRUE(run.recording.empty());
}

TEST(RunFile, RoundTripsSlicesExactly) {
  const testing::TemporaryFolder folder;
  const Trace trace = recorded();
  write(folder.path() / "a.rw", trace);
  const Trace read = read_run_file(folder.path() / "a.rw").trace;

  ASSERT_EQ(read.slices.size(), trace.slices.size());
  for (std::size_t i = 0; i < trace.slices.size(); ++i) {
    ASSERT_EQ(read.slices[i].start_s, trace.slices[i].start_s);
    ASSERT_EQ(read.slices[i].duration_s, trace.slices[i].duration_s);
    ASSERT_EQ(read.slices[i].watts, trace.slices[i].watts);
    ASSERT_EQ(read.slices[i].step, trace.slices[i].step);
    ASSERT_EQ(read.slices[i].op_class, trace.slices[i].op_class);
  }
  EXPECT_EQ(power_timeline(read).integral(), power_timeline(trace).integral());
}

TEST(RunFile, RoundTripsRequestsAndMetrics) {
  const testing::TemporaryFolder folder;
  const Trace trace = recorded();
  write(folder.path() / "a.rw", trace);
  const Trace read = read_run_file(folder.path() / "a.rw").trace;

  ASSERT_EQ(read.engine.requests.size(), trace.engine.requests.size());
  for (std::size_t i = 0; i < trace.engine.requests.size(); ++i) {
    const auto& a = read.engine.requests[i];
    const auto& b = trace.engine.requests[i];
    ASSERT_EQ(a.arrival_s, b.arrival_s);
    ASSERT_EQ(a.first_token_s, b.first_token_s);
    ASSERT_EQ(a.finish_s, b.finish_s);
    ASSERT_EQ(a.prompt_tokens, b.prompt_tokens);
    ASSERT_EQ(a.output_tokens, b.output_tokens);
    ASSERT_EQ(a.preemptions, b.preemptions);
  }
  EXPECT_EQ(read.engine.steps, trace.engine.steps);
  EXPECT_EQ(read.engine.output_tokens, trace.engine.output_tokens);
  EXPECT_EQ(read.metrics.ttft_p99, trace.metrics.ttft_p99);
  EXPECT_EQ(read.metrics.tpot_p99_high, trace.metrics.tpot_p99_high);
  EXPECT_EQ(read.metrics.attainment, trace.metrics.attainment);
  EXPECT_EQ(read.metrics.requests, trace.metrics.requests);
}

TEST(RunFile, OfAKilledRunIsReadableAndSaysIncomplete) {
  const testing::TemporaryFolder folder;
  const fs::path path = folder.path() / "killed.rw";
  const Trace trace = recorded(2000);
  const pid_t child = ::fork();
  if (child == 0) {
    auto* writer = new RunFileWriter(path, kMeta);
    writer->write(trace);
    ::_exit(0);  // no finish, no destructor
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  const Trace read = read_run_file(path).trace;

  EXPECT_TRUE(read.incomplete);
  EXPECT_THAT(read.incomplete_reason, HasSubstr("ended before the run file was complete"));
  EXPECT_EQ(read.slices.size(), trace.slices.size());
}

TEST(RunFile, KilledInTheMiddleKeepsAPrefix) {
  // The child dies by SIGKILL at some moment of writing; whatever is there must read.
  const testing::TemporaryFolder folder;
  const Trace trace = recorded(3000);
  ASSERT_GT(trace.slices.size(), 60000U);
  for (const useconds_t wait_us : {3000U, 20000U, 60000U}) {
    const fs::path path = folder.path() / ("killed" + std::to_string(wait_us) + ".rw");
    const pid_t child = ::fork();
    if (child == 0) {
      auto* writer = new RunFileWriter(path, kMeta);
      std::ofstream(path.string() + ".ready") << "ready";
      writer->write(trace);
      ::pause();
    }
    while (!fs::exists(path.string() + ".ready")) ::usleep(500);
    ::usleep(wait_us);
    ::kill(child, SIGKILL);
    int status = 0;
    ::waitpid(child, &status, 0);
    const RunFile run = read_run_file(path);

    EXPECT_TRUE(run.trace.incomplete) << wait_us;
    EXPECT_EQ(run.meta.command, kMeta.command);
    ASSERT_LE(run.trace.slices.size(), trace.slices.size());
    for (std::size_t i = 0; i < run.trace.slices.size(); i += 97) {
      ASSERT_EQ(run.trace.slices[i].start_s, trace.slices[i].start_s);
    }
  }
}

TEST(RunFile, KeepsTheReasonOfAnIncompleteTrace) {
  const testing::TemporaryFolder folder;
  Trace trace = recorded(20);
  trace.incomplete = true;
  trace.incomplete_reason = "interrupted";
  write(folder.path() / "a.rw", trace);
  const Trace read = read_run_file(folder.path() / "a.rw").trace;
  EXPECT_TRUE(read.incomplete);
  EXPECT_EQ(read.incomplete_reason, "interrupted");
}

TEST(RunFile, AnswersUsersOwnSql) {
  const testing::TemporaryFolder folder;
  const fs::path path = folder.path() / "a.rw";
  const Trace trace = recorded();
  write(path, trace);
  sqlite3* database = nullptr;
  ASSERT_EQ(sqlite3_open(path.c_str(), &database), SQLITE_OK);
  sqlite3_stmt* query = nullptr;
  ASSERT_EQ(sqlite3_prepare_v2(database,
                               "SELECT (SELECT sum(joules) FROM operators),"
                               "       (SELECT sum(joules) FROM steps),"
                               "       (SELECT sum(value * duration_s) FROM counters)",
                               -1, &query, nullptr),
            SQLITE_OK);
  ASSERT_EQ(sqlite3_step(query), SQLITE_ROW);
  const double operators = sqlite3_column_double(query, 0);
  const double idle = trace.idle_w * (trace.end_s - trace.engine.busy_s);
  EXPECT_NEAR(sqlite3_column_double(query, 1) / operators, 1, 1e-6);
  EXPECT_NEAR(sqlite3_column_double(query, 2) / (operators + idle), 1, 1e-9);
  sqlite3_finalize(query);
  sqlite3_close(database);
}

TEST(RunFile, ReplacesAnOlderRunButNoOtherFile) {
  const testing::TemporaryFolder folder;
  write(folder.path() / "a.rw", recorded(30));
  write(folder.path() / "a.rw", recorded(20));
  EXPECT_EQ(read_run_file(folder.path() / "a.rw").trace.metrics.requests,
            recorded(20).metrics.requests);

  const fs::path other = folder.write("thesis.txt", "years of work");
  try {
    const RunFileWriter writer(other, kMeta);
    FAIL() << "replaced a text file";
  } catch (const InputError& error) {
    EXPECT_THAT(error.what(), HasSubstr("a file of another kind, which is not replaced"));
  }
  EXPECT_EQ(fs::file_size(other), 13U);
}

TEST(RunFile, SaysWhereItCannotWrite) {
  const testing::TemporaryFolder folder;
  EXPECT_THROW(RunFileWriter(folder.path(), kMeta), InputError);
  try {
    const RunFileWriter writer(folder.path() / "none" / "a.rw", kMeta);
    FAIL() << "no such folder";
  } catch (const InputError& error) {
    EXPECT_THAT(error.what(), HasSubstr("no such folder"));
  }
}

TEST(RunFile, HoldsOneTrace) {
  const testing::TemporaryFolder folder;
  RunFileWriter writer(folder.path() / "a.rw", kMeta);
  writer.write(recorded(5));
  EXPECT_THROW(writer.write(recorded(5)), std::logic_error);
}

TEST(ReadRunFile, SaysThatThereIsNone) {
  EXPECT_THAT(reading("/nowhere/at-all.rw"), HasSubstr("no such file"));
}

TEST(ReadRunFile, SaysThatItIsAFolder) {
  const testing::TemporaryFolder folder;
  EXPECT_THAT(reading(folder.path()), HasSubstr("a folder"));
}

TEST(ReadRunFile, SaysThatItIsNoDatabase) {
  const testing::TemporaryFolder folder;
  EXPECT_THAT(reading(folder.write("a.rw", "{\"model\": 1}")),
              HasSubstr("expected a run file (*.rw), found no SQLite database"));
  EXPECT_THAT(reading(folder.write("b.rw", "")), HasSubstr("an empty file"));
}

TEST(ReadRunFile, SaysThatItIsAnothersDatabase) {
  const testing::TemporaryFolder folder;
  const fs::path path = folder.path() / "other.db";
  run_sql(path, "CREATE TABLE t (x); PRAGMA application_id = 17;");
  EXPECT_THAT(reading(path), HasSubstr("an SQLite database of another program"));
}

TEST(ReadRunFile, RefusesANewerFormat) {
  const testing::TemporaryFolder folder;
  const fs::path path = folder.path() / "a.rw";
  write(path, recorded(5));
  run_sql(path, "PRAGMA user_version = 3;");
  EXPECT_THAT(reading(path), HasSubstr("expected format 2 or older, found format 3, written by a "
                                       "newer rackwright"));
}

TEST(ReadRunFile, SaysThatItIsTruncated) {
  const testing::TemporaryFolder folder;
  const fs::path path = folder.path() / "a.rw";
  write(path, recorded());
  const auto size = fs::file_size(path);
  fs::resize_file(path, size / 2);
  EXPECT_THAT(reading(path), HasSubstr("an undamaged run file"));
}

TEST(ReadRunFile, SaysWhatIsMissing) {
  const testing::TemporaryFolder folder;
  const fs::path path = folder.path() / "a.rw";
  write(path, recorded(5));
  run_sql(path, "DELETE FROM meta WHERE key = 'idle_w';");
  EXPECT_THAT(reading(path), HasSubstr("no meta.idle_w"));
}

TEST(ReadRunFile, SaysThatAClassIsUnknown) {
  const testing::TemporaryFolder folder;
  const fs::path path = folder.path() / "a.rw";
  write(path, recorded(5));
  run_sql(path, "UPDATE slices SET class = 99 WHERE id = 3;");
  EXPECT_THAT(reading(path), HasSubstr("operator class 99"));
}

}  // namespace
}  // namespace rackwright::profiler
