#include "kernels/analytical/device_profile.hpp"

#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

#include "common/csv_reader.hpp"
#include "tests/temporary_folder.hpp"

namespace rackwright::kernels {
namespace {

DataLocator source_tree() {
  return DataLocator({RACKWRIGHT_SOURCE_DIR});
}

TEST(DeviceProfile, WritingWhatWasReadGivesTheSameBytes) {
  const DataLocator data = source_tree();
  const testing::TemporaryFolder folder;
  for (const char* id : {"a100-sxm", "h100-sxm", "h200-sxm", "gb200"}) {
    const auto path = data.find(id, "kernels/devices/profiles");
    EXPECT_EQ(to_json(read_profile(path)), read_file(path)) << id;
    EXPECT_LT(std::filesystem::file_size(path), 500'000U) << id;
  }
}

TEST(DeviceProfile, EveryShippedModelSaysWhereItCameFromAndHowGoodItIs) {
  const DataLocator data = source_tree();
  for (const char* id : {"a100-sxm", "h100-sxm", "h200-sxm", "gb200"}) {
    for (const auto& model : read_profile(data.find(id, "kernels/devices/profiles")).models) {
      EXPECT_FALSE(model.provenance.tables.empty()) << id << " " << model.operation;
      EXPECT_GT(model.quality.rows, 0U) << id << " " << model.operation;
      EXPECT_GT(model.quality.held_out_p90, 0) << id << " " << model.operation;
    }
  }
}

TEST(FindProfile, TakesTheOwnModelBeforeAnotherDevices) {
  const DataLocator data = source_tree();
  const DeviceProfile h200 = find_profile(find_device("h200-sxm", data), data);
  EXPECT_EQ(h200.find("gemm", "bf16")->from, "h200-sxm");
  EXPECT_EQ(h200.find("gemm", "bf16")->transfer_error, 0);
  EXPECT_EQ(h200.find("gemm", "fp8")->from, "h100-sxm");
  EXPECT_GT(h200.find("gemm", "fp8")->transfer_error, 0);
}

TEST(FindProfile, ScalesLinksOfABorrowedCollective) {
  const DataLocator data = source_tree();
  const DeviceProfile b200 = find_profile(find_device("b200", data), data);
  // NVLink 5 over NVLink 4: 900 / 450 GB/s. GB200's own table holds 2 and 4 GPUs.
  EXPECT_DOUBLE_EQ(b200.find("all_reduce", "nccl", 8)->link_ratio, 2.0);
  EXPECT_DOUBLE_EQ(b200.find("all_reduce", "nccl", 4)->link_ratio, 1.0);
  EXPECT_DOUBLE_EQ(b200.find("all_reduce", "nccl", 8)->latency_factor, 1.6);
}

TEST(FindProfile, ScalesCyclesOfABorrowedKernelWithTheClock) {
  const DataLocator data = source_tree();
  const DeviceProfile own = find_profile(find_device("a100-sxm", data), data);
  ProfileChoice choice;
  choice.only_source = "a100-sxm";
  const DeviceProfile h100 = find_profile(find_device("h100-sxm", data), data, choice);
  const auto ratio = [&](const char* operation, const char* variant, const char* key) {
    return h100.find(operation, variant)->parameters.at(key) /
           own.find(operation, variant)->parameters.at(key);
  };
  // A100: 1,410 MHz, 108 multiprocessors; H100: 1,980 MHz, 132.
  EXPECT_NEAR(ratio("gemm", "bf16", "t0_s"), 1410.0 / 1980, 1e-12);
  EXPECT_NEAR(ratio("attention_decode", "128", "serial_s"), 1410.0 / 1980, 1e-12);
  EXPECT_NEAR(ratio("attention_decode", "128", "per_kv_head_s"), 1410.0 / 1980 * 108 / 132, 1e-12);
  EXPECT_EQ(ratio("attention_decode", "128", "memory_efficiency"), 1);
  EXPECT_EQ(ratio("attention_prefill", "128", "t0_s"), 1);
  EXPECT_EQ(h100.find("all_reduce", "nccl", 8)->parameters,
            own.find("all_reduce", "nccl", 8)->parameters);
}

}  // namespace
}  // namespace rackwright::kernels
