#include "kernels/cuda_loader.hpp"

#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/temporary_folder.hpp"

namespace rackwright::kernels {
namespace {

using ::testing::HasSubstr;

TEST(ProbeCuda, AMissingModuleSaysHowToBuildIt) {
  const CudaProbe probe = probe_cuda("/nowhere/rackwright_cuda.so", false);
  EXPECT_FALSE(probe.module_opened);
  EXPECT_THAT(probe.reason, HasSubstr("build with nvcc"));
  EXPECT_TRUE(probe.devices.empty());
}

TEST(ProbeCuda, AFileThatIsNoLibraryDoesNotOpen) {
  const testing::TemporaryFolder folder;
  const auto path = folder.path() / "rackwright_cuda.so";
  std::ofstream(path) << "not a library\n";
  const CudaProbe probe = probe_cuda(path, false);
  EXPECT_FALSE(probe.module_opened);
  EXPECT_THAT(probe.reason, HasSubstr("does not open"));
}

TEST(ProbeCuda, WithoutADriverTheBuiltModuleNamesTheDriver) {
  if (!std::filesystem::exists(RACKWRIGHT_CUDA_MODULE)) GTEST_SKIP() << "no CUDA module built";
  if (std::filesystem::exists("/dev/nvidiactl")) GTEST_SKIP() << "this machine has a driver";
  const CudaProbe probe = probe_cuda(RACKWRIGHT_CUDA_MODULE, false);
  EXPECT_TRUE(probe.module_opened);
  EXPECT_THAT(probe.reason, HasSubstr("driver"));
}

}  // namespace
}  // namespace rackwright::kernels
