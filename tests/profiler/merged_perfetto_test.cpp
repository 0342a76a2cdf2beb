#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "profiler/kernel_class.hpp"
#include "profiler/measured_power.hpp"
#include "profiler/merge.hpp"
#include "profiler/rank_file.hpp"
#include "profiler/run_file.hpp"
#include "profiler/sqlite.hpp"
#include "profiler/trace_io/perfetto.hpp"
#include "tests/temporary_folder.hpp"

namespace rackwright::profiler {
namespace {

constexpr std::int64_t kStartNs = 1'700'000'000'000'000'000;

/// One slice, one kernel, power, temperature and link bytes of GPU 0 of a node.
void write_collected_rank(const std::filesystem::path& folder, int rank, const char* host,
                          std::int64_t start_ns) {
  const auto path = folder / rank_file_name(rank);
  Trace trace;
  trace.slices.push_back({0.5, 0.010F, 300.0F, 0, workloads::OperatorClass::gemm});
  trace.end_s = 1;
  Recording recording;
  recording.format = "collected";
  recording.names = {"flash_fwd", "power_instant", "W", "temperature", "degC", "nvlink_sent", "B"};
  recording.tracks = {{0, "stream 7"}};
  recording.events = {{0.5, 0.002, 0, 0, EventKind::kernel, -1}};
  recording.counters = {{0, 1, 2, 0.6, 0, 512}, {0, 3, 4, 0.6, 0, 63}, {0, 5, 6, 0.6, 0, 1e9}};
  recording.counts = {{"kernels", 1, 1, ""}};
  {
    RunFileWriter writer(path, {});
    writer.write(trace, recording);
    writer.finish();
  }
  write_rank_meta(path, {.rank = rank, .ranks = 2, .host = host, .start_ns = start_ns});
}

TEST(MergedPerfetto, TwoNodesStandOnOneAxis) {
  const rackwright::testing::TemporaryFolder folder;
  write_collected_rank(folder.path(), 0, "a", kStartNs);
  write_collected_rank(folder.path(), 1, "b", kStartNs + 250'000'000);  // a quarter second later
  const auto run = folder.path() / "out.rw";
  merge_ranks(folder.path(), run);
  ASSERT_TRUE(is_merged_run(run));
  std::ostringstream out;
  write_merged_perfetto(run, out);
  const auto json = nlohmann::json::parse(out.str());
  std::map<std::pair<int, std::string>, double> start_us;
  for (const auto& event : json.at("traceEvents")) {
    if (event.at("ph") != "M") {
      start_us[{event.at("pid").get<int>(), event.at("name").get<std::string>()}] =
          event.at("ts").get<double>();
    }
  }
  // pid = 1000 x node + GPU.
  EXPECT_DOUBLE_EQ(start_us.at({1000, "flash_fwd"}), 500000);
  EXPECT_DOUBLE_EQ(start_us.at({2000, "flash_fwd"}), 750000);
  EXPECT_DOUBLE_EQ(start_us.at({2000, "gemm"}), 750000);
  for (const char* name : {"power_instant", "temperature", "nvlink_sent"}) {
    EXPECT_DOUBLE_EQ(start_us.at({1000, name}), 600000) << name;
    EXPECT_DOUBLE_EQ(start_us.at({2000, name}), 850000) << name;
  }
}

TEST(KernelClass, NamesOfLibrariesAndEngines) {
  using workloads::OperatorClass;
  EXPECT_EQ(kernel_class("sm90_xmma_gemm_bf16bf16_bf16f32_f32_tn_n"), OperatorClass::gemm);
  EXPECT_EQ(kernel_class("nvjet_hsh_128x256_64x4"), OperatorClass::gemm);
  EXPECT_EQ(kernel_class("void flash::flash_fwd_splitkv_kernel<...>"),
            OperatorClass::attention_decode);
  EXPECT_EQ(kernel_class("fused_moe_kernel"), OperatorClass::moe);
  EXPECT_EQ(kernel_class("ncclDevKernel_AllReduce_Sum_bf16_RING_LL"), OperatorClass::collective);
  EXPECT_EQ(kernel_class("vectorized_elementwise_kernel"), OperatorClass::elementwise);
}

/// Readings of GPU 0 named `power`, each over the second before it.
Recording power_log(const std::vector<double>& watts) {
  Recording recording;
  recording.names = {"power", "W"};
  for (std::size_t i = 0; i < watts.size(); ++i) {
    recording.counters.push_back(
        {0, 0, 1, i == 0 ? 0.0 : static_cast<double>(i) - 1, i == 0 ? 0.0 : 1.0, watts[i]});
  }
  return recording;
}

TEST(MeasuredPower, ALogStatesTheMeanOfItsWindow) {
  const auto powers = measured_power(power_log({100, 200, 300, 400, 300, 200, 100}));
  ASSERT_EQ(powers.size(), 1U);
  EXPECT_EQ(powers[0].refusal, "");
  EXPECT_DOUBLE_EQ(powers[0].window_s, 6);
  EXPECT_DOUBLE_EQ(powers[0].mean_w, 250);  // (200+300+400+300+200+100)/6
  EXPECT_DOUBLE_EQ(powers[0].peak_1s_w, 400);
}

TEST(MeasuredPower, AShortLogIsRefused) {
  const auto powers = measured_power(power_log({100, 200, 300}));
  ASSERT_EQ(powers.size(), 1U);
  EXPECT_THAT(powers[0].refusal, ::testing::HasSubstr("2.0 s of readings: at least 5 s"));
}

}  // namespace
}  // namespace rackwright::profiler
