#include <cstdio>
#include <cstdlib>
#include <filesystem>

#include <sys/wait.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/csv_reader.hpp"
#include "profiler/run_file.hpp"
#include "tests/cli/run_cli.hpp"
#include "tests/temporary_folder.hpp"

namespace rackwright::cli {
namespace {

using ::rackwright::testing::run_cli;
using ::rackwright::testing::TemporaryFolder;
using ::testing::HasSubstr;

/// The shell's exit code; output goes to `stdout` of the folder.
int shell(const std::filesystem::path& folder, const std::string& arguments) {
  const std::string line =
      "cd '" + folder.string() + "' && '" RACKWRIGHT_BINARY "' " + arguments + " >stdout 2>stderr";
  const int status = std::system(line.c_str());
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST(BenchCollectives, ItsTableAndJsonAreReadByTheImporterOfNcclTests) {
  const TemporaryFolder folder;
  ASSERT_EQ(shell(folder.path(),
                  "bench collectives --gpus 2 --op all_gather -b 64 -e 1K -n 2 -w 0 --json a.json"),
            0)
      << read_file(folder.path() / "stderr");
  const auto folder_file = [&](const char* name) { return (folder.path() / name).string(); };
  ASSERT_EQ(
      run_cli({"import", "nccl-tests", folder_file("a.json"), "-o", folder_file("j.rw")}).code, 0);
  ASSERT_EQ(
      run_cli({"import", "nccl-tests", folder_file("stdout"), "-o", folder_file("t.rw")}).code, 0);
  const auto json = profiler::read_run_file(folder_file("j.rw")).recording;
  const auto text = profiler::read_run_file(folder_file("t.rw")).recording;
  ASSERT_EQ(json.collectives.size(), 10U);  // 64, 128, 256, 512, 1024 B; out of place and in place
  ASSERT_EQ(text.collectives.size(), 10U);
  for (std::size_t i = 0; i < json.collectives.size(); ++i) {
    const auto& sample = json.collectives[i];
    EXPECT_EQ(sample.operation, "all_gather");
    EXPECT_EQ(sample.ranks, 2);
    EXPECT_EQ(sample.bytes, text.collectives[i].bytes);
    EXPECT_NEAR(sample.seconds, text.collectives[i].seconds, 0.006e-6);  // printed to 0.01 us
    EXPECT_NEAR(sample.busbw, sample.algbw / 2, 1e-6 * sample.algbw);    // (n - 1) / n
    EXPECT_NEAR(sample.algbw * sample.seconds, sample.bytes, 1e-6 * sample.bytes);
  }
}

TEST(BenchCollectives, SaysWhatItDoesNotKnowOfTheTopology) {
  const auto result = run_cli({"bench", "collectives", "-b", "8", "-e", "8", "-n", "1"});
  EXPECT_EQ(result.code, 0) << result.err;
  EXPECT_THAT(result.out, HasSubstr("expected: blank, no topology is stated"));
}

// 8 GPUs of one H100 board, 16 KiB: measured NCCL 19.0 us, the engines' kernel 3.6 us; the models
// are fitted to those tables.
TEST(BenchCollectives, ShowsEnginesBesideNccl) {
  const TemporaryFolder folder;
  ASSERT_EQ(shell(folder.path(),
                  "bench collectives --gpus 8 --op all_reduce,all_to_all -b 16K -e "
                  "1M -f 64 -n 1 -w 0 -c 0 --device h100-sxm"),
            0)
      << read_file(folder.path() / "stderr");
  const std::string text = read_file(folder.path() / "stdout");
  double size = 0, link = 0, nccl = 0, error = 0, bound = 0, engine = 0, symmetric = 0;
  const auto row = text.find("\n#   16384 ");
  ASSERT_NE(row, std::string::npos) << text;
  ASSERT_EQ(std::sscanf(text.c_str() + row, "\n# %lf %lf %lf %lf %lf %lf %lf", &size, &link, &nccl,
                        &error, &bound, &engine, &symmetric),
            7);
  EXPECT_EQ(link, 2 * 7 / 8.0 * 16384);
  EXPECT_NEAR(nccl, 19.0, 0.25 * 19.0);
  EXPECT_NEAR(engine, 3.6, 0.25 * 3.6);
  EXPECT_LT(symmetric, nccl);
  EXPECT_THAT(text, HasSubstr("engine us"));
  EXPECT_THAT(text, HasSubstr("nccl-symmetric us"));
  EXPECT_THAT(text, HasSubstr("engines use DeepEP: us"));
  EXPECT_THAT(text, HasSubstr("8 ranks in one scale-up domain of 8 h100-sxm"));
}

/// Expected time of a size, us; -1 where there is none.
double expected_us(const std::string& text, const std::string& size) {
  double bytes = 0, link = 0, expected = -1;
  const auto table = text.find("expected us");
  const auto row = table == std::string::npos ? table : text.find(" " + size + " ", table);
  if (row == std::string::npos) return -1;
  (void)std::sscanf(text.c_str() + row, "%lf %lf %lf", &bytes, &link, &expected);
  return expected;
}

// On 4 ranks a ring's broadcast of 12,288 B moves over each link what its all-gather of 16,384 B
// does: 3/4 of that.
TEST(BenchCollectives, ExpectsABroadcastAsTheAllGatherOfTheSameLinkBytes) {
  const TemporaryFolder folder;
  const auto run = [&](const std::string& op, const std::string& size) {
    EXPECT_EQ(shell(folder.path(), "bench collectives --gpus 4 --op " + op + " -b " + size +
                                       " -e " + size + " -n 1 -w 0 -c 0 --device h100-sxm"),
              0)
        << read_file(folder.path() / "stderr");
    return read_file(folder.path() / "stdout");
  };
  const std::string broadcast = run("broadcast", "12288"), gather = run("all_gather", "16384");
  const double expected = expected_us(gather, "16384");
  ASSERT_GT(expected, 0) << gather;
  EXPECT_NEAR(expected_us(broadcast, "12288"), expected, 1e-3 * expected) << broadcast;
  EXPECT_THAT(broadcast, HasSubstr("NCCL broadcasts by a ring"));
}

TEST(BenchCollectives, RefusesWhatItCannotRun) {
  EXPECT_THAT(run_cli({"bench", "collectives", "--op", "allreduce"}).err,
              HasSubstr("--op: expected all or of all_reduce, all_gather"));
  EXPECT_THAT(run_cli({"bench", "collectives", "-b", "8X"}).err, HasSubstr("8, 4K, 256M or 1G"));
  EXPECT_THAT(run_cli({"bench", "collectives", "-f", "1"}).err, HasSubstr("a factor above 1"));
  EXPECT_THAT(run_cli({"bench", "collectives", "-b", "64K", "-e", "1K"}).err,
              HasSubstr("at least the first size, 64K"));
  EXPECT_THAT(run_cli({"bench", "collectives", "--gpus", "100000"}).err,
              HasSubstr("at most 64 ranks"));
  EXPECT_EQ(run_cli({"bench", "collectives", "--backend", "rocm"}).code, 2);
}

TEST(BenchCollectives, EngineBuffersAreForAllReduces) {
  const auto result =
      run_cli({"bench", "collectives", "--buffers", "engine", "--op", "all_reduce,broadcast"});
  EXPECT_EQ(result.code, 2);
  EXPECT_THAT(result.err, HasSubstr("--op: expected all_reduce with --buffers engine, found "
                                    "\"broadcast\""));
}

// What the host does not have would otherwise be left out without a word.
TEST(BenchCollectives, BuffersAndGraphsAreForGpus) {
  for (const std::vector<std::string>& more :
       {std::vector<std::string>{"--buffers", "symmetric"}, {"--graph"}, {"--buffers", "engine"}}) {
    std::vector<std::string> line{"bench", "collectives"};
    line.insert(line.end(), more.begin(), more.end());
    const auto result = run_cli(line);
    EXPECT_EQ(result.code, 2);
    EXPECT_THAT(result.err, HasSubstr("--backend: expected cuda with --buffers or --graph"));
  }
}

TEST(BenchCollectives, EnginesReduceUpToOneMebibyteOnEightGpus) {
  const auto refused = [](const std::vector<std::string>& more) {
    std::vector<std::string> line{"bench", "collectives", "--backend",
                                  "cuda",  "--buffers",   "engine"};
    line.insert(line.end(), more.begin(), more.end());
    return run_cli(line).err;
  };
  EXPECT_THAT(refused({"-b", "2M", "-e", "4M"}), HasSubstr("-b: expected at most 1M"));
  EXPECT_THAT(refused({"--gpus", "9"}), HasSubstr("--gpus: expected 2 to 8"));
}

}  // namespace
}  // namespace rackwright::cli
