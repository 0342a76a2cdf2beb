#include <algorithm>
#include <cstdlib>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "cli/command.hpp"
#include "common/csv_reader.hpp"
#include "profiler/run_file.hpp"
#include "profiler/sqlite.hpp"
#include "tests/cli/run_cli.hpp"
#include "tests/shared_data.hpp"
#include "tests/temporary_folder.hpp"

namespace rackwright::cli {
namespace {

namespace fs = std::filesystem;
using ::rackwright::testing::kSmallWorkload;
using ::rackwright::testing::run_cli;
using ::rackwright::testing::TemporaryFolder;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

struct LogOfPower {
  std::vector<double> seconds, watts;
  /// Joules from `from` to `to`; a row holds until the next one.
  [[nodiscard]] double joules(double from, double to) const {
    double sum = 0;
    for (std::size_t i = 0; i < seconds.size(); ++i) {
      const double end = i + 1 < seconds.size() ? seconds[i + 1] : to;
      const double length = std::min(to, end) - std::max(from, seconds[i]);
      if (length > 0) sum += watts[i] * length;
    }
    return sum;
  }
};

/// The recorded log from its `skip_s` on, on a time base that starts at 0.
LogOfPower recorded_log(const fs::path& path, double skip_s) {
  LogOfPower log;
  std::ifstream in(path);
  std::string line;
  std::getline(in, line);
  double first = -1;
  while (std::getline(in, line)) {
    int hour = 0, minute = 0;
    double second = 0, watts = 0;
    EXPECT_EQ(
        std::sscanf(line.c_str(), "%*d/%*d/%*d %d:%d:%lf,%lf", &hour, &minute, &second, &watts), 4);
    const double at = hour * 3600.0 + minute * 60.0 + second;
    if (first < 0) first = at;
    if (at - first < skip_s) continue;
    log.seconds.push_back(at - first - skip_s);
    log.watts.push_back(watts);
  }
  return log;
}

/// Readings of one counter, by time.
std::vector<std::pair<double, double>> readings(const profiler::Recording& recording,
                                                const std::string& name) {
  std::vector<std::pair<double, double>> result;
  for (const auto& sample : recording.counters) {
    if (recording.names[sample.name] == name) result.emplace_back(sample.start_s, sample.value);
  }
  return result;
}

TEST(MeasuredRun, ARecordedPowerLogPlayedByNvmlWhileTheHostWorksLandsOnARack) {
  RACKWRIGHT_NEED_SHARED("gpu-power-timelines/v100_llama2-7b.csv");
  const LogOfPower log = recorded_log(
      rackwright::testing::shared_data() / "gpu-power-timelines/v100_llama2-7b.csv", 30);
  const TemporaryFolder folder;
  std::string rows;
  for (std::size_t i = 0; i < log.seconds.size(); ++i) {
    rows += std::to_string(log.seconds[i]) + "," + std::to_string(log.watts[i]) + "\n";
  }
  const auto played = folder.write("log.csv", rows);
  const auto run = folder.path() / "run.rw";
  const std::string environment = "RW_NVML_GPUS=1 RW_NVML_NAME='NVIDIA GB200' RW_NVML_LOG='" +
                                  played.string() +
                                  "' LD_LIBRARY_PATH='" RACKWRIGHT_STAND_INS "/full'";
  const std::string command =
      environment + " '" RACKWRIGHT_BINARY "' profile llama-scaled-46m-code --backend host -o '" +
      run.string() + "' >/dev/null 2>'" + folder.path().string() + "/err'";
  ASSERT_EQ(std::system(command.c_str()), 0) << read_file(folder.path() / "err");
  EXPECT_THAT(read_file(folder.path() / "err"), HasSubstr("NVML: 1 GPU, read every 100 ms"));

  const profiler::RunFile file = profiler::read_run_file(run);
  const auto energy = readings(file.recording, "energy");
  const auto power = readings(file.recording, "power_instant");
  ASSERT_GT(energy.size(), 10U);
  const double from = energy.front().first, to = energy.back().first;
  const double highest = *std::max_element(log.watts.begin(), log.watts.end());
  // The counter moves every 0.1 s, and the log began some milliseconds after the run did.
  EXPECT_NEAR(energy.back().second - energy.front().second, log.joules(from, to), 0.2 * highest);
  double trapezoid = 0;
  for (std::size_t i = 1; i < power.size(); ++i) {
    trapezoid +=
        (power[i].first - power[i - 1].first) * (power[i].second + power[i - 1].second) / 2;
  }
  EXPECT_NEAR(trapezoid, log.joules(from, to), 0.03 * log.joules(from, to) + 0.2 * highest);
  // Operators stand on the time base of the readings.
  ASSERT_FALSE(file.recording.events.empty());
  EXPECT_LT(file.recording.events.back().start_s, to + 1);

  const auto evaluated = run_cli({"evaluate", run.string(), "--rack", "gb200-nvl72"});
  // Slot 26 counts the nine switch trays; compute tray 16 is the 17th from the bottom.
  EXPECT_THAT(evaluated.out,
              HasSubstr("GPU 0 (NVIDIA GB200) says chassis 1820224, slot 26, compute "
                        "tray 16, module 1: c17 at unit"))
      << evaluated.err;
  if (to - from > 8) {
    EXPECT_THAT(evaluated.out, AllOf(HasSubstr("GPU power as measured, mean"),
                                     HasSubstr("All GPUs, as measured"),
                                     HasSubstr("NVML energy counter over")));
  }
  const auto exported = run_cli({"export", run.string(), "--to", "perfetto"});
  EXPECT_THAT(exported.out,
              AllOf(HasSubstr(R"("name":"power_instant","pid":1000)"), HasSubstr("traffic time")));
}

/// Imports a file, then maps it onto the H100 rack.
::testing::AssertionResult imports(const std::vector<std::string>& command) {
  const auto result = run_cli(command);
  if (result.code == kFine) return ::testing::AssertionSuccess();
  return ::testing::AssertionFailure() << result.code << ": " << result.out << result.err;
}

std::vector<std::string> evaluation_of(const fs::path& run, const fs::path& workload) {
  return {"evaluate", run.string(), "--workload", workload.string(), "--rack", "dgx-h100-air"};
}

TEST(ImportedRun, WithoutAWorkloadTheErrorNamesTheOption) {
  RACKWRIGHT_NEED_SHARED("kineto-traces/nccl_a100.json.gz");
  const TemporaryFolder folder;
  const auto run = (folder.path() / "run.rw").string();
  const auto trace = rackwright::testing::shared_data() / "kineto-traces/nccl_a100.json.gz";
  ASSERT_TRUE(imports({"import", "kineto", trace.string(), "-o", run}));
  const auto result = run_cli({"evaluate", run, "--rack", "dgx-h100-air"});
  EXPECT_EQ(result.code, kBadInput);
  EXPECT_THAT(result.err, AllOf(HasSubstr("--workload"), HasSubstr("model, plans and SLO")));
}

TEST(ImportedRun, KernelsGiveMeasuredTimeByClass) {
  RACKWRIGHT_NEED_SHARED("kineto-traces/nccl_a100.json.gz");
  const TemporaryFolder folder;
  const auto run = folder.path() / "run.rw";
  const auto trace = rackwright::testing::shared_data() / "kineto-traces/nccl_a100.json.gz";
  ASSERT_TRUE(imports({"import", "kineto", trace.string(), "-o", run.string()}));
  const auto result = run_cli(evaluation_of(run, folder.write("w.json", kSmallWorkload)));
  EXPECT_THAT(result.out, AllOf(HasSubstr("s of kernels as measured"), HasSubstr("collective")))
      << result.err;
}

TEST(ImportedRun, RequestsAreTheTraffic) {
  RACKWRIGHT_NEED_SHARED("llmservingsim-vllm/RTX4090_Llama-3.1-8B_requests.jsonl");
  const TemporaryFolder folder;
  const auto run = folder.path() / "run.rw";
  const auto log =
      rackwright::testing::shared_data() / "llmservingsim-vllm/RTX4090_Llama-3.1-8B_requests.jsonl";
  ASSERT_TRUE(imports({"import", "vllm-bench", log.string(), "-o", run.string()}));
  const auto own = run_cli(evaluation_of(run, folder.write("w.json", kSmallWorkload)));
  EXPECT_THAT(own.out, HasSubstr("TTFT P99 at SLO capacity")) << own.err;
  const auto other =
      run_cli({"evaluate", (folder.path() / "w.json").string(), "--rack", "dgx-h100-air"});
  EXPECT_NE(own.out, other.out);  // the requests are not those of the workload
}

TEST(ImportedRun, APowerLogSaysItsPowerOnItsOwnDeviceOnly) {
  RACKWRIGHT_NEED_SHARED("gpu-power-timelines/h100_training_ckpt100_part.csv");
  const TemporaryFolder folder;
  const auto workload = folder.write("w.json", kSmallWorkload);
  const auto log =
      (rackwright::testing::shared_data() / "gpu-power-timelines/h100_training_ckpt100_part.csv")
          .string();
  const auto named = folder.path() / "named.rw", nameless = folder.path() / "nameless.rw";
  ASSERT_TRUE(imports({"import", "nvidia-smi", log, "--device", "h100-sxm", "-o", named.string()}));
  ASSERT_TRUE(imports({"import", "nvidia-smi", log, "-o", nameless.string()}));
  const auto with = run_cli(evaluation_of(named, workload));
  EXPECT_THAT(with.out, AllOf(HasSubstr("GPU power as measured, mean"),
                              HasSubstr("All GPUs, as measured"),
                              HasSubstr("Rack AC input, as measured")))
      << with.err;
  EXPECT_THAT(run_cli(evaluation_of(nameless, workload)).out,
              HasSubstr("a device that the run does not name (import with --device ID)"));
}

TEST(ImportedRun, AReviewShowsTheMeasuredLoadCase) {
  const TemporaryFolder folder;
  const auto workload = folder.write("w.json", kSmallWorkload);
  std::string log = "timestamp,gpu,DCGM_FI_DEV_POWER_USAGE\n";
  for (int i = 0; i < 8; ++i) log += std::to_string(1700000000 + i) + ".0,0,600\n";
  const auto run = folder.path() / "run.rw", out = folder.path() / "review";
  ASSERT_TRUE(imports({"import", "dcgm", folder.write("d.csv", log).string(), "--device",
                       "h100-sxm", "-o", run.string()}));
  const auto page_of = [&](std::vector<std::string> command) {
    command.insert(command.end(), {"--racks", "dgx-h100-air", "--out", out.string()});
    const auto result = run_cli(command);
    EXPECT_EQ(result.code, kFine) << result.err;
    return read_file(out / "report.html");
  };
  EXPECT_THAT(page_of({"review", run.string(), "--workload", workload.string()}),
              AllOf(HasSubstr("5 load cases"), HasSubstr("(e) as measured")));
  EXPECT_THAT(page_of({"review", workload.string()}),
              AllOf(HasSubstr("4 load cases"), Not(HasSubstr("(e) as measured"))));
}

/// 21 readings, one a second, of 600 and 610 W in turn: over 20 s, each held over the second before
/// it, ten of each: 605 W.
TEST(ImportedRun, ADcgmLogSaysItsPower) {
  const TemporaryFolder folder;
  std::string log = "timestamp,gpu,DCGM_FI_DEV_POWER_USAGE\n";
  for (int second = 0; second <= 20; ++second) {
    log += std::to_string(1700000000 + second) + ".0,0," + (second % 2 == 0 ? "600" : "610") + "\n";
  }
  const auto run = folder.path() / "run.rw";
  ASSERT_TRUE(imports({"import", "dcgm", folder.write("d.csv", log).string(), "--device",
                       "h100-sxm", "-o", run.string()}));
  const auto result = run_cli(evaluation_of(run, folder.write("w.json", kSmallWorkload)));
  // 32 GPUs x 605 W = 19.36 kW.
  EXPECT_THAT(result.out,
              AllOf(HasSubstr("GPU power as measured, mean"), HasSubstr(" 605  W"),
                    HasSubstr("19 400"), HasSubstr("(dcgm) holds no requests: the traffic is "),
                    HasSubstr("(dcgm) holds no kernels")))
      << result.err;
}

// 8 readings of 500 and 600 W in turn, each over 1 s: the first starts the log, four of the seven
// that follow are of 600 W. GPUs of the rack: 32 x 557.14 W = 17.829 kW.
TEST(ImportedRun, ADcgmLogIsALoadCaseOfTheRack) {
  const TemporaryFolder folder;
  std::string log = "timestamp,gpu,DCGM_FI_DEV_POWER_USAGE\n";
  for (int i = 0; i < 8; ++i) {
    log += std::to_string(1700000000 + i) + ".0,0," + (i % 2 == 0 ? "500" : "600") + "\n";
  }
  const auto run = folder.path() / "run.rw";
  ASSERT_TRUE(imports({"import", "dcgm", folder.write("dcgm.csv", log).string(), "--device",
                       "h100-sxm", "-o", run.string()}));
  auto command = evaluation_of(run, folder.write("w.json", kSmallWorkload));
  command.emplace_back("--json");
  const auto result = run_cli(command);
  ASSERT_EQ(result.code, kFine) << result.err;
  const auto figures = nlohmann::json::parse(result.out).at("figures");
  const auto modules = std::find_if(figures.begin(), figures.end(), [](const auto& figure) {
    return figure.at("key") == "power.module.as_measured";
  });
  ASSERT_NE(modules, figures.end());
  EXPECT_NEAR(modules->at("value").get<double>(), 32 * (3 * 500 + 4 * 600) / 7.0, 0.1);
}

/// 3 us of a product and 1 us of a collective.
TEST(ImportedRun, AnNsysExportGivesTimeByClassAndSaysWhatItLacks) {
  const TemporaryFolder folder;
  const auto report = folder.path() / "report.sqlite";
  {
    profiler::Database database(report, profiler::Database::Access::create);
    database.execute(R"(
CREATE TABLE StringIds (id INTEGER PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE CUPTI_ACTIVITY_KIND_KERNEL (start INT, end INT, deviceId INT, streamId INT,
  correlationId INT, demangledName INT, shortName INT);
INSERT INTO StringIds VALUES (1, 'sm90_gemm'), (2, 'ncclDevKernel_AllGather');
INSERT INTO CUPTI_ACTIVITY_KIND_KERNEL VALUES (2000, 5000, 0, 7, 1, 1, 1), (6000, 7000, 0, 9, 2, 2, 2);)");
  }
  const auto run = folder.path() / "run.rw";
  ASSERT_TRUE(imports({"import", "nsys", report.string(), "-o", run.string()}));
  const auto result = run_cli(evaluation_of(run, folder.write("w.json", kSmallWorkload)));
  EXPECT_THAT(result.out, AllOf(HasSubstr("gemm 75.0 %"), HasSubstr("collective 25.0 %"),
                                HasSubstr("(nsys) holds no requests"),
                                HasSubstr("(nsys) holds no usable power of a GPU: power is")))
      << result.err;
}

TEST(ImportedRun, AChakraTraceGivesTimeByClassAndSaysWhatItLacks) {
  RACKWRIGHT_NEED_SHARED("chakra-et/small_chakra.0.json");
  const TemporaryFolder folder;
  const auto run = folder.path() / "run.rw";
  const auto trace = rackwright::testing::shared_data() / "chakra-et/small_chakra.0.json";
  ASSERT_TRUE(imports({"import", "chakra", trace.string(), "-o", run.string()}));
  const auto result = run_cli(evaluation_of(run, folder.write("w.json", kSmallWorkload)));
  EXPECT_THAT(result.out,
              AllOf(HasSubstr("s of kernels as measured"), HasSubstr("(chakra) holds no requests"),
                    HasSubstr("(chakra) holds no usable power")))
      << result.err;
}

// The last line of the log: 8589934592 bytes, algbw 134.44, busbw 235.26 out of place.
TEST(ImportedRun, ALogOfNcclTestsGivesItsHighestBusbwAndSaysWhatItLacks) {
  RACKWRIGHT_NEED_SHARED("superbench-nccl-logs/nccl_allreduce.log");
  const TemporaryFolder folder;
  const auto run = folder.path() / "run.rw";
  const auto log = rackwright::testing::shared_data() / "superbench-nccl-logs/nccl_allreduce.log";
  ASSERT_TRUE(imports({"import", "nccl-tests", log.string(), "-o", run.string()}));
  const auto result = run_cli(evaluation_of(run, folder.write("w.json", kSmallWorkload)));
  EXPECT_THAT(
      result.out,
      AllOf(HasSubstr("(nccl-tests) holds no requests"), HasSubstr("(nccl-tests) holds no kernels"),
            HasSubstr("(nccl-tests) holds no usable power"),
            HasSubstr("all_reduce over 8 ranks of A100-SXM4-40GB: busbw 235.3 GB/s, "
                      "algbw 134.4 GB/s at 8192 MiB as measured")))
      << result.err;
}

}  // namespace
}  // namespace rackwright::cli
