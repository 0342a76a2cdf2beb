#include "common/launch/launch.hpp"

#include <cstdlib>

#include <unistd.h>

#include <gtest/gtest.h>

#include "common/input_error.hpp"
#include "common/launch/mpi_ranks.hpp"
#include "common/launch/shared_ranks.hpp"

namespace rackwright::launch {
namespace {

/// An environment with none of the variables by which launchers are known.
class StarterOf : public ::testing::Test {
 protected:
  void SetUp() override {
    for (const char* name : {"RACKWRIGHT_RANK", "RACKWRIGHT_RANK_MEMORY", "OMPI_COMM_WORLD_RANK",
                             "PMI_RANK", "PMI_SIZE", "SLURM_PROCID", "SLURM_STEP_NUM_TASKS"}) {
      ::unsetenv(name);
    }
  }
  void TearDown() override { SetUp(); }
};

TEST_F(StarterOf, APlainProcessIsNobody) {
  EXPECT_EQ(starter(), Starter::nobody);
  EXPECT_EQ(join()->size(), 1);
}

TEST_F(StarterOf, AnMpiRankIsItsLauncher) {
  ::setenv("OMPI_COMM_WORLD_RANK", "3", 1);
  EXPECT_EQ(starter(), Starter::mpi);
}

// srun --pty bash is one task: no reason for MPI_Init.
TEST_F(StarterOf, AShellUnderSlurmIsNoRank) {
  ::setenv("SLURM_PROCID", "0", 1);
  ::setenv("SLURM_STEP_NUM_TASKS", "1", 1);
  EXPECT_EQ(starter(), Starter::nobody);
  ::setenv("SLURM_STEP_NUM_TASKS", "16", 1);
  EXPECT_EQ(starter(), Starter::mpi);
}

TEST_F(StarterOf, AnInheritedRankWithoutItsMemoryIsRefused) {
  ::setenv("RACKWRIGHT_RANK", "0", 1);
  ::setenv("RACKWRIGHT_RANK_MEMORY", "999", 1);
  EXPECT_EQ(starter(), Starter::rackwright);
  EXPECT_THROW((void)join(), std::runtime_error);
}

TEST(SharedMemoryOf, AnotherFileIsRefused) {
  std::FILE* file = std::tmpfile();
  ASSERT_NE(file, nullptr);
  ASSERT_EQ(::ftruncate(::fileno(file), 1 << 20), 0);
  EXPECT_THROW((void)SharedMemory::attached(::dup(::fileno(file))), std::runtime_error);
  std::fclose(file);
}

TEST(MpiModule, SaysWhatToInstallWhenItIsMissing) {
  try {
    (void)mpi_ranks("/nowhere/rackwright_mpi.so");
    FAIL();
  } catch (const BackendUnavailable& error) {
    EXPECT_NE(std::string(error.what()).find("libopenmpi-dev"), std::string::npos);
  }
}

}  // namespace
}  // namespace rackwright::launch
