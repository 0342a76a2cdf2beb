#include "kernels/device_info.hpp"

#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/input_error.hpp"
#include "tests/temporary_folder.hpp"

namespace rackwright::kernels {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using workloads::DataType;

DataLocator source_tree() {
  return DataLocator({RACKWRIGHT_SOURCE_DIR});
}

TEST(DeviceInfo, H100IsInSiUnits) {
  const DeviceInfo h100 = find_device("h100-sxm", source_tree());
  EXPECT_DOUBLE_EQ(*h100.peak_flops.at(DataType::bf16).value, 989e12);
  EXPECT_DOUBLE_EQ(*h100.memory_bytes_per_s.value, 3.35e12);
  // 18 NVLink 4 links: 900 GB/s both ways, so 450 GB/s each way.
  EXPECT_DOUBLE_EQ(*h100.scale_up_bytes_per_s.value, 450e9);
  // One 400 Gb/s adapter per GPU.
  EXPECT_DOUBLE_EQ(*h100.scale_out_bytes_per_s.value, 50e9);
  EXPECT_DOUBLE_EQ(*h100.tdp_w.value, 700);
}

TEST(DeviceInfo, EveryShippedDeviceReadsAndHasSources) {
  const DataLocator data = source_tree();
  for (const std::string& id : data.ids("kernels/devices")) {
    const DeviceInfo device = find_device(id, data);
    EXPECT_EQ(device.id, id);
    EXPECT_FALSE(device.memory_bytes.source.empty()) << id;
    EXPECT_FALSE(device.memory_bytes_per_s.source.empty()) << id;
  }
  EXPECT_THAT(data.ids("kernels/devices"),
              ::testing::IsSupersetOf({"a100-sxm", "h100-sxm", "h200-sxm", "b200", "b300", "gb200",
                                       "gb300", "gh200", "mi300x", "mi355x", "rubin"}));
}

TEST(DeviceInfo, BlankFactsAreNamed) {
  const DeviceInfo mi355x = find_device("mi355x", source_tree());
  EXPECT_THAT(mi355x.missing_for(DataType::fp8),
              ElementsAre("bf16 dense FLOP/s", "fp8 dense FLOP/s"));
  const DeviceInfo rubin = find_device("rubin", source_tree());
  EXPECT_THAT(rubin.missing_for(DataType::bf16), ElementsAre("bf16 dense FLOP/s", "TDP"));
  EXPECT_FALSE(rubin.tdp_w.value.has_value());
  EXPECT_DOUBLE_EQ(*rubin.tdp_w.high, 2300);
}

TEST(DeviceInfo, TypesWithoutMatrixUnitsRunInBf16) {
  const DeviceInfo a100 = find_device("a100-sxm", source_tree());
  EXPECT_TRUE(a100.is_weight_only(DataType::fp8));
  EXPECT_DOUBLE_EQ(*a100.compute_flops(DataType::fp8), 312e12);
  EXPECT_TRUE(a100.missing_for(DataType::fp8).empty());
}

TEST(DeviceInfo, DerivedAndEstimatedFactsSaySo) {
  const DeviceInfo gb300 = find_device("gb300", source_tree());
  EXPECT_EQ(gb300.peak_flops.at(DataType::bf16).status, "derived");
  EXPECT_EQ(find_device("b300", source_tree()).memory_bytes_per_s.status, "estimated");
}

TEST(DeviceInfo, ReportsEveryProblemOfAFileWithItsLine) {
  const testing::TemporaryFolder folder;
  const auto path = folder.path() / "wrong.json";
  std::ofstream(path) << R"({"format_version": 1, "id": "x", "name": "x", "vendor": "x",
"architecture": "x",
"facts": {"tdp_w": {"value": "700 W", "source": "s", "status": "published", "confidence": "high"},
"tdp_watts": {"value": 1, "source": "s", "status": "published", "confidence": "high"}},
"calibration": []})";
  try {
    static_cast<void>(read_device(path));
    FAIL() << "read a wrong file";
  } catch (const InputError& error) {
    EXPECT_THAT(error.what(), HasSubstr(":3: /facts/tdp_w/value"));
    EXPECT_THAT(error.what(), HasSubstr("tdp_watts"));
  }
}

TEST(DeviceInfo, AnUnknownIdOffersNearOnes) {
  try {
    static_cast<void>(find_device("h100-sxn", source_tree()));
    FAIL() << "found an unknown device";
  } catch (const InputError& error) {
    EXPECT_THAT(error.what(), HasSubstr("h100-sxm"));
  }
}

}  // namespace
}  // namespace rackwright::kernels
