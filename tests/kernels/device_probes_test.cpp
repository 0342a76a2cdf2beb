#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kernels/cuda/launch_probe.hpp"
#include "kernels/cuda/peer_copy.hpp"
#include "tests/kernels/stand_in_cuda.hpp"

namespace rackwright::kernels::cuda {
namespace {

using ::testing::HasSubstr;
using testing::StandInCuda;

// The device takes 2 ms a kernel; a launch holds the host 3 us, and a graph's launch 10 us.
TEST(LaunchProbe, TellsHostFromDeviceAndStreamFromGraph) {
  StandInCuda cuda;
  double clock = 0;
  const Launcher kernel = [&](void*) {
    cuda.work(2);
    if (!cuda.capturing) clock += 3e-6;
    return 0;
  };
  int graphs = 0;
  const auto now = [&] {
    clock += 10e-6 * (cuda.calls["launch_graph"] - graphs);
    graphs = cuda.calls["launch_graph"];
    return clock;
  };
  const LaunchTimes times = launch_overhead(cuda, kernel, 100, now);
  EXPECT_NEAR(times.stream_host_s, 300e-6, 1e-12);
  EXPECT_NEAR(times.stream_device_s, 0.2, 1e-6);
  EXPECT_NEAR(times.graph_host_s, 10e-6, 1e-12);
  EXPECT_NEAR(times.graph_device_s, 0.2, 1e-6);
  EXPECT_TRUE(cuda.open.empty());
}

TEST(LaunchProbe, AFailedLaunchInCaptureEndsTheCapture) {
  StandInCuda cuda;
  const Launcher kernel = [&](void*) { return cuda.capturing ? 98 : 0; };
  EXPECT_THROW((void)launch_overhead(cuda, kernel, 1, [] { return 0.0; }), CudaError);
  EXPECT_FALSE(cuda.capturing);
  EXPECT_TRUE(cuda.open.empty());
}

/// 1 ms a copy; a batch takes 2 ms in all.
class StandInPeers final : public PeerCalls {
 public:
  explicit StandInPeers(StandInCuda& cuda) : cuda_(cuda) {}
  bool accessible = true;
  int enable_code = 0, batch_code = 0, fail_target = 0;
  int held = 0;

  int can_access(int, int, bool& can) override {
    can = accessible;
    return 0;
  }
  int enable(int, int) override { return enable_code; }
  int allocate(int device, std::size_t, void** memory) override {
    if (device == 1 && fail_target != 0) return fail_target;
    *memory = reinterpret_cast<void*>(4096);
    ++held;
    return 0;
  }
  void release(int, void*) override { --held; }
  int copy(void*, int, const void*, int, std::size_t, void*) override {
    cuda_.work(1);
    return 0;
  }
  int copy_batch(const std::vector<void*>&, const std::vector<const void*>&, std::size_t,
                 void* stream) override {
    if (stream == nullptr) return 1;  // as CUDA does
    if (batch_code == 0) cuda_.work(2);
    return batch_code;
  }

 private:
  StandInCuda& cuda_;
};

TEST(PeerCopy, TimesOneCopyPagesAndTheBatch) {
  StandInCuda cuda;
  StandInPeers peers(cuda);
  peers.enable_code = 704;  // already enabled is fine
  const PeerCopy copy = copy_between(cuda, peers, 0, 1, 65536, 50);
  EXPECT_TRUE(copy.peer_access);
  EXPECT_EQ(copy.path, "peer access on");
  EXPECT_NEAR(copy.whole_s, 1e-3, 1e-9);
  EXPECT_NEAR(copy.pages_s, 50e-3, 1e-6);
  EXPECT_NEAR(copy.batch_s, 2e-3, 1e-9);
  EXPECT_EQ(peers.held, 0);
  EXPECT_TRUE(cuda.open.empty());
}

TEST(PeerCopy, SaysThatItIsStagedAndThatThereIsNoBatch) {
  StandInCuda cuda;
  StandInPeers peers(cuda);
  peers.accessible = false, peers.batch_code = 801;
  const PeerCopy copy = copy_between(cuda, peers, 0, 1, 65536, 4);
  EXPECT_FALSE(copy.peer_access);
  EXPECT_THAT(copy.path, HasSubstr("staged through the host"));
  EXPECT_THAT(copy.path, HasSubstr("no cudaMemcpyBatchAsync"));
  EXPECT_EQ(copy.batch_s, 0);
}

TEST(PeerCopy, WithinOneGpuNeedsNoPeer) {
  StandInCuda cuda;
  StandInPeers peers(cuda);
  peers.enable_code = 1;
  EXPECT_THAT(copy_between(cuda, peers, 0, 0, 4096, 2).path, HasSubstr("one GPU"));
}

TEST(PeerCopy, AFailureLeavesNothingAllocated) {
  StandInCuda cuda;
  StandInPeers peers(cuda);
  peers.fail_target = 2;
  EXPECT_THROW((void)copy_between(cuda, peers, 0, 1, 4096, 2), CudaError);
  EXPECT_EQ(peers.held, 0);
  peers.fail_target = 0, peers.batch_code = 700;
  EXPECT_THROW((void)copy_between(cuda, peers, 0, 1, 4096, 2), CudaError);
  EXPECT_EQ(peers.held, 0);
  EXPECT_TRUE(cuda.open.empty());
}

}  // namespace
}  // namespace rackwright::kernels::cuda
