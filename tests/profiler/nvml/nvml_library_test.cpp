#include "profiler/nvml/nvml_library.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/profiler/nvml/stand_in.hpp"

namespace rackwright::profiler::nvml {
namespace {

using rackwright::testing::StandIn;
using ::testing::Contains;
using ::testing::HasSubstr;

TEST(NvmlLibrary, OpensAndSaysItsDriver) {
  const Opened nvml = StandIn{{"GPUS", "8"}}.open();
  ASSERT_TRUE(nvml.library) << nvml.reason;
  EXPECT_EQ(nvml.library->driver_version(), "580.00-stand-in");
  EXPECT_EQ(nvml.library->device_count(), 8U);
  EXPECT_EQ(nvml.library->error_text(9), "Driver Not Loaded (NVML code 9)");
}

TEST(NvmlLibrary, AMissingFileIsAReasonAndARemedy) {
  const Opened nvml = open_nvml("/nowhere/libnvidia-ml.so.1");
  EXPECT_FALSE(nvml.library);
  EXPECT_THAT(nvml.reason, HasSubstr("/nowhere/libnvidia-ml.so.1"));
  EXPECT_THAT(nvml.remedy, HasSubstr("NVIDIA driver"));
}

TEST(NvmlLibrary, NoDriverNamesTheKernelModule) {
  const Opened nvml = StandIn{{"INIT", "9"}}.open();
  EXPECT_FALSE(nvml.library);
  EXPECT_EQ(nvml.reason, "nvmlInit_v2: Driver Not Loaded (NVML code 9)");
  EXPECT_THAT(nvml.remedy, HasSubstr("modprobe nvidia"));
}

TEST(NvmlLibrary, ADriverUpdatedWhileLoadedAsksForAReload) {
  const Opened nvml = StandIn{{"INIT", "18"}}.open();
  EXPECT_THAT(nvml.remedy, HasSubstr("reload the kernel module"));
}

TEST(NvmlLibrary, AnOldDriverOpensAndSaysWhatItLacks) {
  const Opened nvml = StandIn{}.open("old");
  ASSERT_TRUE(nvml.library) << nvml.reason;
  EXPECT_THAT(nvml.library->missing(), Contains("nvmlDeviceGetFieldValues"));
  EXPECT_EQ(nvml.library->call().field_values, nullptr);
}

TEST(NvmlLibrary, ALibraryWithoutInitIsRefused) {
  const Opened nvml = StandIn{}.open("broken");
  EXPECT_FALSE(nvml.library);
  EXPECT_THAT(nvml.reason, HasSubstr("lacks nvmlInit_v2"));
}

}  // namespace
}  // namespace rackwright::profiler::nvml
