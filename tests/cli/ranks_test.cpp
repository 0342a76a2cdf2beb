#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

#include <dirent.h>
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/command.hpp"
#include "common/csv_reader.hpp"
#include "profiler/rank_file.hpp"
#include "profiler/run_file.hpp"
#include "profiler/sqlite.hpp"
#include "tests/cli/run_cli.hpp"
#include "tests/temporary_folder.hpp"

namespace rackwright::cli {
namespace {

namespace fs = std::filesystem;
using ::rackwright::testing::run_cli;
using ::rackwright::testing::TemporaryFolder;
using ::testing::HasSubstr;

constexpr int kRanks = 4;

bool on_path(const std::string& program) {
  return std::system(("command -v " + program + " >/dev/null 2>&1").c_str()) == 0;
}

/// Why mpirun cannot be tested here; "" when it can.
std::string no_mpi() {
  if (!on_path("mpirun")) return "mpirun is not installed (openmpi-bin)";
  const auto module =
      fs::path(RACKWRIGHT_BINARY).parent_path().parent_path() / "lib/rackwright/rackwright_mpi.so";
  return fs::exists(module) ? "" : "built without MPI (libopenmpi-dev)";
}

/// A program that runs on its own; what it says goes to `log`.
class Process {
 public:
  Process(std::vector<std::string> arguments, const fs::path& log) {
    std::vector<char*> argv;
    for (auto& argument : arguments) argv.push_back(argument.data());
    argv.push_back(nullptr);
    pid_ = ::fork();
    if (pid_ != 0) return;
    // Open MPI refuses root and more ranks than cores; both are normal in a container.
    ::setenv("OMPI_ALLOW_RUN_AS_ROOT", "1", 1);
    ::setenv("OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "1", 1);
    const int out = ::open(log.c_str(), O_CREAT | O_WRONLY | O_TRUNC, 0600);
    ::dup2(out, STDOUT_FILENO);
    ::dup2(out, STDERR_FILENO);
    ::execvp(argv[0], argv.data());
    ::_exit(127);
  }
  ~Process() {
    if (pid_ > 0) {
      ::kill(pid_, SIGTERM);
      (void)wait(std::chrono::seconds(15));
    }
  }
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  [[nodiscard]] pid_t pid() const { return pid_; }
  /// Exit code, 128 + signal, or -1 when it still runs after `limit`.
  int wait(std::chrono::seconds limit) {
    const auto end = std::chrono::steady_clock::now() + limit;
    while (std::chrono::steady_clock::now() < end) {
      int status = 0;
      if (::waitpid(pid_, &status, WNOHANG) == pid_) {
        pid_ = 0;
        return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    return -1;
  }

 private:
  pid_t pid_ = 0;
};

std::string bytes_of(const fs::path& path) {
  std::ifstream stream(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

/// The process in whose environment `setting` stands and on whose command line `word` does.
pid_t process_with(const std::string& setting, const std::string& word) {
  for (const auto& entry : fs::directory_iterator("/proc")) {
    const std::string name = entry.path().filename().string();
    if (name.find_first_not_of("0123456789") != std::string::npos) continue;
    if (bytes_of(entry.path() / "cmdline").find(word) == std::string::npos) continue;
    const std::string environment = '\0' + bytes_of(entry.path() / "environ");
    if (environment.find('\0' + setting + '\0') != std::string::npos) return std::stoi(name);
  }
  return 0;
}

/// Rows of a table; 0 while there is none.
std::int64_t rows(const fs::path& file, const std::string& table, const std::string& where = "1") {
  try {
    if (!fs::exists(file)) return 0;
    profiler::Database database(file, profiler::Database::Access::read);
    return database.integer(fmt::format("SELECT count(*) FROM {} WHERE {}", table, where));
  } catch (const profiler::SqliteError&) {
    return 0;  // busy, or not yet there
  }
}

/// The shipped workload for CPU cores, smaller still, with a plan of its own.
fs::path workload(const TemporaryFolder& folder, int tp, double seconds) {
  std::string text =
      read_file(fs::path(RACKWRIGHT_SOURCE_DIR) / "workloads" / "llama-scaled-46m-code.json");
  const auto replace = [&](const std::string& from, const std::string& to) {
    const auto at = text.find(from);
    ASSERT_NE(at, std::string::npos) << from;
    text.replace(at, from.size(), to);
  };
  replace("\"hidden_size\": 512", "\"hidden_size\": 128");
  replace("\"vocab_size\": 32000", "\"vocab_size\": 2048");
  replace("\"intermediate_size\": 1792", "\"intermediate_size\": 448");
  replace("\"num_key_value_heads\": 2", "\"num_key_value_heads\": 4");
  replace("\"tp\": 1", fmt::format("\"tp\": {}", tp));
  replace("\"duration_s\": 600", fmt::format("\"duration_s\": {}", seconds));
  return folder.write("work.json", text);
}

enum class Start { mpirun, gpus };

std::vector<std::string> command(Start start, const fs::path& workload, const fs::path& out) {
  std::vector<std::string> line;
  if (start == Start::mpirun) {
    // Open MPI sends SIGKILL a second after SIGTERM unless told otherwise, and waits that long.
    line = {"mpirun", "--oversubscribe",     "--mca", "odls_base_sigkill_timeout", "5",
            "-n",     std::to_string(kRanks)};
  }
  for (const auto& word :
       {std::string(RACKWRIGHT_BINARY), std::string("profile"), workload.string(),
        std::string("--backend"), std::string("host"), std::string("-o"), out.string()}) {
    line.push_back(word);
  }
  if (start == Start::gpus) {
    line.push_back("--gpus");
    line.push_back(std::to_string(kRanks));
  }
  return line;
}

class RanksOf : public ::testing::TestWithParam<Start> {
 protected:
  void SetUp() override {
    if (GetParam() != Start::mpirun) return;
    if (const std::string why = no_mpi(); !why.empty()) GTEST_SKIP() << why;
  }
};
INSTANTIATE_TEST_SUITE_P(Starts, RanksOf, ::testing::Values(Start::mpirun, Start::gpus),
                         [](const auto& start) {
                           return start.param == Start::mpirun ? "mpirun" : "gpus";
                         });

TEST_P(RanksOf, FourReplicasWriteAFileEachAndAreMerged) {
  const TemporaryFolder folder;
  const fs::path out = folder.path() / "ranks", log = folder.path() / "log";
  Process run(command(GetParam(), workload(folder, 1, 600), out), log);
  ASSERT_EQ(run.wait(std::chrono::seconds(300)), kFine) << read_file(log);
  const fs::path merged = out / "run.rw";
  std::int64_t slices = 0;
  for (int rank = 0; rank < kRanks; ++rank) {
    const fs::path file = out / profiler::rank_file_name(rank);
    ASSERT_TRUE(fs::exists(file));
    EXPECT_FALSE(profiler::read_run_file(file).trace.incomplete);
    profiler::Database database(file, profiler::Database::Access::read);
    const auto meta = profiler::read_rank_meta(database);
    ASSERT_TRUE(meta);
    EXPECT_EQ(meta->ranks, kRanks);
    ASSERT_TRUE(meta->clock);  // of one machine: the offset is within its bound
    EXPECT_LE(std::abs(meta->clock->start.offset_s), meta->clock->start.bound_s + 1e-6);
    EXPECT_GT(meta->clock->end.at_s, meta->clock->start.at_s);
    EXPECT_GT(rows(file, "slices"), 0);
    EXPECT_EQ(rows(merged, "rank_slices", fmt::format("rank = {}", rank)), rows(file, "slices"));
    slices += rows(file, "slices");
  }
  EXPECT_EQ(rows(merged, "rank_slices"), slices);
  EXPECT_EQ(rows(merged, "ranks", "complete = 1"), kRanks);
  EXPECT_FALSE(profiler::read_run_file(merged).trace.incomplete);
}

// Ranks of one replica move bytes between them and take the time of the slowest: in step.
TEST_P(RanksOf, TheRanksOfOneReplicaStayInStep) {
  const TemporaryFolder folder;
  const fs::path out = folder.path() / "ranks", log = folder.path() / "log";
  Process run(command(GetParam(), workload(folder, 4, 200), out), log);
  ASSERT_EQ(run.wait(std::chrono::seconds(300)), kFine) << read_file(log);
  const auto first = profiler::read_run_file(out / profiler::rank_file_name(0)).trace;
  const auto collective = static_cast<std::size_t>(workloads::OperatorClass::collective);
  EXPECT_EQ(first.plan.tp, 4);
  EXPECT_GT(first.totals[collective].seconds, 0);
  EXPECT_GT(first.totals[collective].wire_bytes, 0);
  for (int rank = 1; rank < kRanks; ++rank) {
    const auto trace = profiler::read_run_file(out / profiler::rank_file_name(rank)).trace;
    ASSERT_EQ(trace.slices.size(), first.slices.size());
    EXPECT_EQ(trace.slices.back().start_s, first.slices.back().start_s);
    EXPECT_EQ(trace.end_s, first.end_s);
  }
}

/// Starts `ranks` of them, kills `victim` once all have written, and merges what is left.
/// `variable` holds a rank's number in its environment.
void kill_one(const std::vector<std::string>& line, const fs::path& out, const char* variable,
              int ranks, int victim) {
  const fs::path log = out.parent_path() / "log";
  Process run(line, log);
  const auto written = [&](int rank) {
    return rows(out / profiler::rank_file_name(rank), "slices");
  };
  const auto all_wrote = [&] {
    for (int rank = 0; rank < ranks; ++rank) {
      if (written(rank) < 200) return false;
    }
    return true;
  };
  for (int i = 0; i < 2400 && !all_wrote(); ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  ASSERT_TRUE(all_wrote()) << read_file(log);
  const pid_t process = process_with(fmt::format("{}={}", variable, victim), out.string());
  ASSERT_GT(process, 0);
  std::vector<std::int64_t> before;
  for (int rank = 0; rank < ranks; ++rank) before.push_back(written(rank));
  ASSERT_EQ(::kill(process, SIGKILL), 0);
  const int code = run.wait(std::chrono::seconds(10));
  EXPECT_GT(code, 0) << read_file(log);  // -1: the survivors did not end within 10 s
  const auto merged = run_cli({"merge", out.string()});
  EXPECT_EQ(merged.code, kIncomplete) << merged.err;
  EXPECT_THAT(merged.err,
              HasSubstr(fmt::format("rank {} of {}: the program ended before", victim, ranks)));
  EXPECT_THAT(merged.err,
              HasSubstr(fmt::format("rank {} of {}: interrupted", (victim + 1) % ranks, ranks)));
  for (int rank = 0; rank < ranks; ++rank) {
    EXPECT_GE(rows(out / "run.rw", "rank_slices", fmt::format("rank = {}", rank)),
              before[static_cast<std::size_t>(rank)])
        << "rank " << rank << " lost what it had recorded";
  }
  EXPECT_TRUE(profiler::read_run_file(out / "run.rw").trace.incomplete);
}

constexpr double kLongTraffic = 4e6;  // seconds: the run does not end before the kill

void kill_one(Start start, int tp) {
  const TemporaryFolder folder;
  const fs::path out = folder.path() / "ranks";
  kill_one(command(start, workload(folder, tp, kLongTraffic), out), out,
           start == Start::mpirun ? "OMPI_COMM_WORLD_RANK" : "RACKWRIGHT_RANK", kRanks, 2);
}

TEST_P(RanksOf, AKilledRankCostsNothingThatWasRecorded) {
  kill_one(GetParam(), 1);
}

TEST_P(RanksOf, AKilledRankOfAReplicaCostsNothingThatWasRecorded) {
  kill_one(GetParam(), 4);
}

TEST(Ranks, AreAMultipleOfThePlansGpus) {
  const TemporaryFolder folder;
  const auto file = workload(folder, 4, 600);
  Process run({RACKWRIGHT_BINARY, "profile", file.string(), "--backend", "host", "--gpus", "3",
               "-o", (folder.path() / "ranks").string()},
              folder.path() / "log");
  EXPECT_EQ(run.wait(std::chrono::seconds(30)), kBadInput);
  EXPECT_THAT(read_file(folder.path() / "log"),
              HasSubstr("ranks: expected a multiple of the plan's 4 GPUs (--gpus 4), found 3"));
}

TEST(Ranks, SayWhatIsWrongOnce) {
  if (const std::string why = no_mpi(); !why.empty()) GTEST_SKIP() << why;
  const TemporaryFolder folder;
  Process run({"mpirun", "--oversubscribe", "-n", "4", RACKWRIGHT_BINARY, "profile", "no-such-work",
               "--backend", "host", "-o", (folder.path() / "ranks").string()},
              folder.path() / "log");
  EXPECT_EQ(run.wait(std::chrono::seconds(30)), kBadInput);
  const std::string log = read_file(folder.path() / "log");
  const auto first = log.find("rackwright: ");
  ASSERT_NE(first, std::string::npos) << log;
  EXPECT_THAT(log.substr(first), HasSubstr("no-such-work"));
  EXPECT_EQ(log.find("rackwright: ", first + 1), std::string::npos) << log;
}

TEST(Ranks, LeaveAnEarlierRunAlone) {
  const TemporaryFolder folder;
  folder.write("ranks/rank-0001.rw", "");
  const auto file = workload(folder, 1, 600);
  Process run({RACKWRIGHT_BINARY, "profile", file.string(), "--backend", "host", "--gpus", "2",
               "-o", (folder.path() / "ranks").string()},
              folder.path() / "log");
  EXPECT_EQ(run.wait(std::chrono::seconds(30)), kBadInput);
  EXPECT_THAT(read_file(folder.path() / "log"), HasSubstr("a folder without an earlier run"));
}

/// Modules that stand in for CUDA (two GPUs, the second half as fast) and NCCL, ranks as processes.
class GpuRanks : public ::testing::Test {
 protected:
  void SetUp() override { ::setenv("RACKWRIGHT_DATA", RACKWRIGHT_SOURCE_DIR, 1); }
  void TearDown() override {
    ::unsetenv("RACKWRIGHT_DATA");
    ::unsetenv("RACKWRIGHT_STAND_IN_FAIL");
    ::unsetenv("RW_CUPTI_NOT_ON");
  }
  [[nodiscard]] std::vector<std::string> line(int tp, double seconds,
                                              const std::vector<std::string>& more) const {
    std::vector<std::string> words{RACKWRIGHT_GPU_STAND_IN, "profile",
                                   workload(folder_, tp, seconds).string(), "--backend", "cuda"};
    words.insert(words.end(), more.begin(), more.end());
    return words;
  }
  int profile(int tp, const std::vector<std::string>& more) {
    Process run(line(tp, 120, more), folder_.path() / "log");
    return run.wait(std::chrono::seconds(60));
  }
  [[nodiscard]] std::string log() const { return read_file(folder_.path() / "log"); }
  [[nodiscard]] fs::path rank_file(int rank) const {
    return folder_.path() / "ranks" / profiler::rank_file_name(rank);
  }
  [[nodiscard]] std::string out() const { return (folder_.path() / "ranks").string(); }

  TemporaryFolder folder_;
};

TEST_F(GpuRanks, OfOneReplicaExchangeInsideTheirStepsAndStayInStep) {
  ASSERT_EQ(profile(2, {"--gpus", "2", "-o", out()}), kFine) << log();
  const auto first = profiler::read_run_file(rank_file(0)),
             second = profiler::read_run_file(rank_file(1));
  const auto collective = static_cast<std::size_t>(workloads::OperatorClass::collective);
  EXPECT_EQ(first.trace.plan.tp, 2);
  EXPECT_GT(first.trace.totals[collective].seconds, 0);
  ASSERT_GT(first.trace.slices.size(), 0U);
  ASSERT_EQ(first.trace.slices.size(), second.trace.slices.size());
  for (std::size_t i = 0; i < first.trace.slices.size(); ++i) {
    ASSERT_EQ(first.trace.slices[i].start_s, second.trace.slices[i].start_s) << i;
  }
  EXPECT_EQ(first.trace.end_s, second.trace.end_s);
  EXPECT_EQ(rows(rank_file(0), "notes", "text LIKE '%own one-shot all_reduce of 2 ranks%'"), 3)
      << "of embedding, attention and MLP";
}

TEST_F(GpuRanks, OneThatFailsEndsAllWhichKeepWhatTheyHave) {
  ::setenv("RACKWRIGHT_STAND_IN_FAIL", "1:600", 1);
  EXPECT_GT(profile(2, {"--gpus", "2", "-o", out()}), 0);
  EXPECT_THAT(log(), HasSubstr("rank 1: all_reduce: made to fail"));
  for (int rank = 0; rank < 2; ++rank) {
    const auto trace = profiler::read_run_file(rank_file(rank)).trace;
    EXPECT_TRUE(trace.incomplete);
    EXPECT_GT(trace.slices.size(), 0U) << rank;
  }
  const auto merged = run_cli({"merge", out()});
  EXPECT_EQ(merged.code, kIncomplete) << merged.err;
}

std::vector<std::string> window_names(const profiler::Recording& recording) {
  std::vector<std::string> names;
  for (const auto& window : recording.windows) names.push_back(window.name);
  return names;
}

// Every rank runs the steps again in each window, so that its peers find it in their collectives:
// one without CUPTI has no windows of it, and hangs nobody.
TEST_F(GpuRanks, AreTracedTogether) {
  for (const char* without : {"none", "1"}) {
    const std::string folder = out() + without;
    ::setenv("RW_CUPTI_NOT_ON", without, 1);
    ASSERT_EQ(profile(2, {"--gpus", "2", "-o", folder}), kFine) << log();
    for (int rank = 0; rank < 2; ++rank) {
      const auto run = profiler::read_run_file(fs::path(folder) / profiler::rank_file_name(rank));
      const bool has = std::to_string(rank) != without;
      EXPECT_FALSE(run.trace.incomplete);
      EXPECT_EQ(window_names(run.recording),
                has ? (std::vector<std::string>{"headline", "untraced repetition", "traced kernels",
                                                "traced graphs", "sampled counters"})
                    : (std::vector<std::string>{"headline", "untraced repetition"}))
          << rank;
      EXPECT_EQ(std::ranges::count(run.recording.notes, "another tool holds CUPTI"), has ? 0 : 1);
      const auto kernels = std::ranges::count_if(run.recording.events, [](const auto& event) {
        return event.kind == profiler::EventKind::kernel;
      });
      EXPECT_EQ(kernels > 0, has) << rank;
    }
  }
}

TEST_F(GpuRanks, OneThatFailsWhileTracedCostsTheTraceAlone) {
  ::setenv("RACKWRIGHT_STAND_IN_FAIL", "1:traced", 1);
  EXPECT_GT(profile(2, {"--gpus", "2", "-o", out()}), 0);
  EXPECT_THAT(log(), HasSubstr("rank 1: all_reduce: made to fail"));
  for (int rank = 0; rank < 2; ++rank) {
    const auto run = profiler::read_run_file(rank_file(rank));
    EXPECT_TRUE(run.trace.incomplete);
    EXPECT_THAT(run.trace.incomplete_reason, HasSubstr("traced repetitions: "));
    EXPECT_GT(run.trace.slices.size(), 0U);
    EXPECT_GT(run.trace.metrics.requests, 0) << "of the replay, which came to its end";
    // Rank 0 may still be before it.
    EXPECT_THAT(window_names(run.recording),
                ::testing::Contains(rank == 1 ? "traced kernels" : "headline"));
  }
  EXPECT_EQ(run_cli({"merge", out()}).code, kIncomplete);
}

// The real kernel, by two processes over memory that both map: every element is compared.
TEST_F(GpuRanks, BenchTheAllReduceOfEngines) {
  const fs::path json = folder_.path() / "engine.json";
  const std::string options = "--gpus 2 --buffers engine -b 8 -e 512K -f 16 -n 3 -w 1";
  std::vector<std::string> call{RACKWRIGHT_GPU_STAND_IN,
                                "bench",
                                "collectives",
                                "--backend",
                                "cuda",
                                "--device",
                                "h100-sxm",
                                "--json",
                                json.string()};
  std::istringstream words(options);
  for (std::string word; words >> word;) call.push_back(word);
  Process run(call, folder_.path() / "log");
  ASSERT_EQ(run.wait(std::chrono::seconds(60)), kFine) << log();
  EXPECT_THAT(log(), HasSubstr("own all-reduce over peer memory (CUDA IPC), as engines have"));
  EXPECT_EQ(run_cli({"import", "nccl-tests", json.string(), "-o", out() + ".rw"}).code, kFine);
  const auto rows = profiler::read_run_file(out() + ".rw").recording.collectives;
  EXPECT_EQ(rows.size(), 10U);  // 8 B to 512 KiB by 16; out of place and in place
}

TEST_F(GpuRanks, AKilledOneCostsNothingThatWasRecorded) {
  kill_one(line(2, kLongTraffic, {"--gpus", "2", "-o", out()}), out(), "RACKWRIGHT_RANK", 2, 1);
}

TEST_F(GpuRanks, AreFoundByDoctor) {
  Process run({RACKWRIGHT_GPU_STAND_IN, "doctor", "--require-gpu"}, folder_.path() / "log");
  EXPECT_EQ(run.wait(std::chrono::seconds(30)), kFine) << log();
  EXPECT_THAT(log(), HasSubstr("Stand-in GPU"));
}

TEST_F(GpuRanks, NeedAGpuEach) {
  EXPECT_EQ(profile(4, {"--gpus", "4", "-o", out()}), kBadInput);
  EXPECT_THAT(log(), HasSubstr("ranks: expected at most the 2 GPUs of this machine"));
}

TEST_F(GpuRanks, AreAskedForByThePlan) {
  EXPECT_EQ(profile(2, {"-o", out()}), kBadInput);
  EXPECT_THAT(log(), HasSubstr("a multiple of the plan's 2 GPUs (--gpus 2), found 1"));
}

}  // namespace
}  // namespace rackwright::cli
