#include "kernels/cuda_loader.hpp"

#include <fstream>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kernels/cuda/cuda_calls.hpp"
#include "tests/temporary_folder.hpp"

namespace rackwright::kernels {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

TEST(ProbeCuda, AMissingModuleSaysHowToBuildIt) {
  const CudaProbe probe = probe_cuda("/nowhere/rackwright_cuda.so");
  EXPECT_FALSE(probe.module_opened);
  EXPECT_THAT(probe.reason, HasSubstr("build with nvcc"));
  EXPECT_TRUE(probe.devices.empty());
}

TEST(ProbeCuda, AFileThatIsNoLibraryDoesNotOpen) {
  const testing::TemporaryFolder folder;
  const auto path = folder.path() / "rackwright_cuda.so";
  std::ofstream(path) << "not a library\n";
  const CudaProbe probe = probe_cuda(path);
  EXPECT_FALSE(probe.module_opened);
  EXPECT_THAT(probe.reason, HasSubstr("does not open"));
}

TEST(ProbeCuda, WithoutADriverTheBuiltModuleNamesTheDriver) {
  if (!std::filesystem::exists(RACKWRIGHT_CUDA_MODULE)) GTEST_SKIP() << "no CUDA module built";
  if (std::filesystem::exists("/dev/nvidiactl")) GTEST_SKIP() << "this machine has a driver";
  const CudaProbe probe = probe_cuda(RACKWRIGHT_CUDA_MODULE);
  EXPECT_TRUE(probe.module_opened);
  EXPECT_THAT(probe.reason, HasSubstr("driver"));
}

/// Fails with the codes it is given, one for the count and one for each device; 0 succeeds.
class FailingModule final : public DeviceQueries {
 public:
  int count_code = 0;
  std::vector<int> probe_codes;
  int probes = 0;

  int count_devices(int& count, std::string& message) override {
    count = static_cast<int>(probe_codes.size());
    message = cuda::describe("cudaGetDeviceCount", "error", count_code);
    return count_code;
  }
  int probe_device(int device, RackwrightCudaDevice&, std::string& message) override {
    ++probes;
    const int code = probe_codes.at(static_cast<std::size_t>(device));
    message = cuda::describe("cudaMalloc", "error", code);
    return code;
  }
};

std::string reason_of_count(int code) {
  FailingModule module;
  module.count_code = code;
  return probe_devices(module).reason;
}

// Codes of cudaError_t in driver_types.h of CUDA 13.0: 2 memory, 35 driver, 100 no device, 209 no
// code for the device.
TEST(ProbeDevices, AnOldDriverIsToBeReplaced) {
  EXPECT_THAT(reason_of_count(35), AllOf(HasSubstr("(35)"), HasSubstr("install driver")));
}

TEST(ProbeDevices, NoDeviceAndACountOfZeroPointToTheVisibleDevices) {
  EXPECT_THAT(reason_of_count(100), AllOf(HasSubstr("(100)"), HasSubstr("CUDA_VISIBLE_DEVICES")));
  EXPECT_THAT(reason_of_count(0), HasSubstr("CUDA_VISIBLE_DEVICES"));
}

TEST(ProbeDevices, OutOfMemoryNamesTheGpuAndKeepsThoseBeforeIt) {
  FailingModule module;
  module.probe_codes = {0, 2, 0};
  const CudaProbe probe = probe_devices(module);
  EXPECT_THAT(probe.reason, AllOf(HasSubstr("GPU 1: cudaMalloc"), HasSubstr("free memory")));
  EXPECT_EQ(probe.devices.size(), 1);
  EXPECT_EQ(module.probes, 2);
}

TEST(ProbeDevices, AnUnsupportedDeviceNeedsItsArchitecture) {
  FailingModule module;
  module.probe_codes = {209};
  EXPECT_THAT(probe_devices(module).reason, HasSubstr("CMAKE_CUDA_ARCHITECTURES"));
}

}  // namespace
}  // namespace rackwright::kernels
