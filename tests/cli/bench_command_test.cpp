#include <filesystem>
#include <fstream>
#include <regex>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "cli/bench_text.hpp"
#include "tests/cli/run_cli.hpp"
#include "tests/temporary_folder.hpp"

namespace rackwright::cli {
namespace {

using ::rackwright::testing::run_cli;
using ::rackwright::testing::TemporaryFolder;
using ::testing::HasSubstr;
using ::testing::Not;

/// One small operator, few samples.
std::vector<std::string> tiny(std::vector<std::string> more) {
  std::vector<std::string> arguments{
      "bench",       "kernels", "--backend",    "host", "--filter",  "decode/mlp_norm",
      "--no-bounds", "--warm",  "--time-limit", "1s",   "--warm-up", "100ms",
      "--batch",     "4"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return arguments;
}

TEST(BenchKernels, ATableSaysHowTheFiguresCameAbout) {
  const auto result = run_cli(tiny({"--seed", "9"}));
  EXPECT_EQ(result.code, 0) << result.err;
  EXPECT_THAT(result.err, HasSubstr("host backend"));
  // 4 sequences of 4096 in bf16, residual read and written, normed: 4 x 4096 x 2 x 4 bytes.
  EXPECT_THAT(result.out, HasSubstr("llama-3.1-8b/decode/mlp_norm/bytes:131072"));
  EXPECT_THAT(result.out, HasSubstr("seed 9"));
  EXPECT_THAT(result.out, HasSubstr("cache: warm"));
  EXPECT_THAT(result.out, HasSubstr("power: "));
  EXPECT_THAT(result.out, HasSubstr("no bounds were measured"));
}

TEST(BenchKernels, JsonHasEverySample) {
  const TemporaryFolder folder;
  const std::string file = (folder.path() / "k.json").string();
  const auto result = run_cli(tiny({"--json", file}));
  ASSERT_EQ(result.code, 0) << result.err;
  std::ifstream in(file);
  const auto json = nlohmann::json::parse(in);
  const auto& first = json.at("benchmarks").at(0);
  EXPECT_EQ(first.at("run_type"), "iteration");
  EXPECT_GE(first.at("repetitions").get<int>(), 10);
  EXPECT_GT(first.at("bytes_per_second").get<double>(), 0);
  EXPECT_EQ(json.at("context").at("rackwright_backend"), "host");
}

TEST(BenchKernels, JsonCanBeTheOutput) {
  const auto result = run_cli(tiny({"--format", "json"}));
  ASSERT_EQ(result.code, 0) << result.err;
  EXPECT_TRUE(nlohmann::json::parse(result.out).contains("benchmarks"));
}

TEST(BenchKernels, ListNamesOperatorsAndRunsNothing) {
  const auto result = run_cli({"bench", "kernels", "--backend", "host", "--list"});
  EXPECT_EQ(result.code, 0);
  EXPECT_THAT(result.out, HasSubstr("llama-3.1-8b/decode/qkv_proj/bf16/m:16/n:6144/k:4096\n"));
  EXPECT_THAT(result.out, HasSubstr("deepseek-v3/decode/attention_decode"));
}

TEST(BenchKernels, OperatorsCanBeThoseOfAWorkload) {
  const auto result = run_cli(
      {"bench", "kernels", "--backend", "host", "--list", "--workload", "llama-scaled-46m-code"});
  EXPECT_EQ(result.code, 0) << result.err;
  EXPECT_THAT(result.out, HasSubstr("decode/qkv_proj/"));
  EXPECT_THAT(result.out, Not(HasSubstr("k:4096")));
}

TEST(BenchKernels, BadInputNamesTheOption) {
  const auto code_and_text = [](std::vector<std::string> more) {
    more.insert(more.begin(), {"bench", "kernels"});
    const auto result = run_cli(more);
    return std::to_string(result.code) + " " + result.err;
  };
  EXPECT_THAT(code_and_text({"--backend", "host", "--filter", "no_such"}),
              HasSubstr("2 rackwright: --filter"));
  EXPECT_THAT(code_and_text({"--backend", "host", "--filter", "("}),
              HasSubstr("regular expression"));
  EXPECT_THAT(code_and_text({"--power-window", "1s"}), HasSubstr("at least 5s"));
  EXPECT_THAT(code_and_text({"--samples", "0"}), HasSubstr("--samples"));
  EXPECT_THAT(code_and_text({"--time-limit", "-3s"}), HasSubstr("2 rackwright: --time-limit"));
  EXPECT_THAT(code_and_text({"--backend", "hosts"}), HasSubstr("did you mean \"host\"?"));
  EXPECT_THAT(code_and_text({"--nonsense"}), HasSubstr("--nonsense"));
}

TEST(BenchKernels, AnAbsentGpuIsSaidWithTheReason) {
  const auto result = run_cli({"bench", "kernels", "--backend", "cuda", "--list"});
  if (result.code == 0) GTEST_SKIP() << "a GPU is here";
  EXPECT_EQ(result.code, 3);
  EXPECT_THAT(result.err, HasSubstr("backend cuda: "));
}

TEST(BenchCommand, WantsAKindAndHelpsWithEach) {
  const auto none = run_cli({"bench"});
  EXPECT_EQ(none.code, 2);
  EXPECT_THAT(none.err, HasSubstr("kernels"));
  const auto help = run_cli({"bench", "kernels", "--help"});
  EXPECT_EQ(help.code, 0);
  EXPECT_THAT(help.out, HasSubstr("--power-window"));
  EXPECT_THAT(help.out, HasSubstr("rackwright bench kernels --backend host"));
}

std::vector<std::string> transient(std::vector<std::string> more) {
  std::vector<std::string> arguments{"bench", "transient", "--backend", "host"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return arguments;
}

TEST(BenchTransient, RunsItsBurstsAndSaysHowLateTheyWere) {
  const auto result =
      run_cli(transient({"--frequency", "5Hz", "--duty", "20%", "--seconds", "1", "--peak-power",
                         "400W", "--power-ceiling", "1kW"}));
  EXPECT_EQ(result.code, 0) << result.err;
  EXPECT_THAT(result.out, HasSubstr("5 Hz, 20 % under load, 5 periods"));
  EXPECT_THAT(result.out, HasSubstr("5 bursts"));
  EXPECT_THAT(result.out, HasSubstr("late"));
}

TEST(BenchTransient, MoreThanTheCeilingIsRefusedAndRunsNothing) {
  const auto result = run_cli(transient({"--peak-power", "400W", "--power-ceiling", "300W"}));
  EXPECT_EQ(result.code, 2);
  EXPECT_THAT(result.err, HasSubstr("refused"));
  EXPECT_EQ(result.out, "");
}

TEST(BenchTransient, WantsACeilingAndAPeak) {
  EXPECT_THAT(run_cli(transient({})).err, HasSubstr("--power-ceiling"));
  const auto blank = run_cli(transient({"--power-ceiling", "1MW"}));
  EXPECT_EQ(blank.code, 2);
  EXPECT_THAT(blank.err, HasSubstr("--peak-power"));
}

TEST(BenchTransient, PlanPrintsTheScheduleOnly) {
  const auto result =
      run_cli(transient({"--plan", "--frequency", "0.1Hz", "--seconds", "600", "--peak-power",
                         "400W", "--power-ceiling", "1kW"}));
  EXPECT_EQ(result.code, 0) << result.err;
  EXPECT_THAT(result.out, HasSubstr("60 periods"));
  EXPECT_THAT(result.out, HasSubstr("at most 400 W on 1 device, ceiling 1"));
}

TEST(BenchTransient, QuantitiesWantTheirUnits) {
  const auto error_of = [](std::vector<std::string> more) {
    more.insert(more.end(), {"--peak-power", "400W", "--power-ceiling", "1kW"});
    return run_cli(transient(std::move(more))).err;
  };
  EXPECT_THAT(error_of({"--frequency", "2"}), HasSubstr("a number with Hz"));
  EXPECT_THAT(error_of({"--duty", "0.5"}), HasSubstr("a number with %"));
  EXPECT_THAT(error_of({"--frequency", "60Hz"}), HasSubstr("0.1 Hz to 50 Hz"));
  EXPECT_THAT(error_of({"--start-at", "1000"}), HasSubstr("a time to come"));
}

TEST(BenchText, SaysWhatIsAbsentDiscardedOrUnsettled) {
  BenchReport report;
  kernels::BenchResult slow;
  slow.name = "slow", slow.samples = {{1, 1}}, slow.summary = kernels::summarise({1});
  slow.stopped = kernels::StopReason::wall, slow.discarded = 3;
  kernels::BenchResult discarded;
  discarded.name = "hot", discarded.discarded = 12;
  discarded.stopped = kernels::StopReason::all_discarded;
  kernels::BenchResult skipped;
  skipped.name = "odd", skipped.skipped = "no kernel";
  report.results = {slow, discarded, skipped};
  const std::string text = bench_text(report);
  EXPECT_THAT(text, HasSubstr("twd\n"));
  EXPECT_THAT(text, HasSubstr("t: time limit reached"));
  EXPECT_THAT(text, HasSubstr("hot: all 12 samples discarded"));
  EXPECT_THAT(text, HasSubstr("odd: did not run: no kernel"));
}

TEST(BenchText, PowerHasColumnsOnlyWhereItWasMeasured) {
  BenchReport report;
  kernels::BenchResult one;
  one.name = "gemm", one.samples = {{1e-3, 0}}, one.summary = kernels::summarise({1e-3});
  report.results = {one};
  EXPECT_THAT(bench_text(report), Not(HasSubstr(" W ")));
  report.results[0].watts = 345.4;
  report.results[0].joules = 0.3454;
  EXPECT_THAT(bench_text(report), HasSubstr("345  0.345"));
}

}  // namespace
}  // namespace rackwright::cli
