#include <new>
#include <stdexcept>
#include <string>

#include <cuda_runtime.h>
#include <gtest/gtest.h>

#include "kernels/cuda/own_kernels.cuh"
#include "kernels/own/on_host.hpp"
#include "kernels/own/shape_checks.hpp"
#include "tests/kernels/own/device_memory.hpp"

/* The functions of on_host.hpp by the GPU. The tests' memory is managed: both sides see it. */

namespace rackwright::kernels::own {
namespace {

void require(cudaError_t error) {
  if (error == cudaSuccess) return;
  throw std::runtime_error(std::string("CUDA: ") + cudaGetErrorName(error) + ": " +
                           cudaGetErrorString(error));
}

class NeedsADevice final : public ::testing::Environment {
 public:
  void SetUp() override {
    int count = 0;
    const cudaError_t error = cudaGetDeviceCount(&count);
    if (error != cudaSuccess || count == 0) {
      GTEST_SKIP() << "no GPU: " << cudaGetErrorString(error);
    }
  }
};
[[maybe_unused]] auto* const environment = ::testing::AddGlobalTestEnvironment(new NeedsADevice);

template <class... Args>
void on_device(const Args&... args) {
  require(launch(args..., nullptr));
  require(cudaDeviceSynchronize());
}

/// Beside the kernels of other threads.
template <class Args>
void on_own_stream(const Args& args) {
  cudaStream_t stream = nullptr;
  require(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking));
  require(launch(args, stream));
  require(cudaStreamSynchronize(stream));
  require(cudaStreamDestroy(stream));
}

}  // namespace

namespace testing {

void* managed_memory(std::size_t bytes) {
  void* memory = nullptr;
  if (cudaMallocManaged(&memory, bytes) != cudaSuccess) throw std::bad_alloc();
  return memory;
}
void release_managed(void* memory) {
  (void)cudaFree(memory);
}

}  // namespace testing

void run_on_host(HostExecutor&, const RmsNormArgs& args) {
  check_shape(args);
  on_device(args);
}
void run_on_host(HostExecutor&, const SiluMulArgs& args) {
  on_device(args);
}
void run_on_host(HostExecutor&, const RotaryAppendArgs& args) {
  on_device(args);
}
void run_on_host(HostExecutor&, const QuantiseArgs& args, QuantScheme scheme) {
  check_shape(args, scheme);
  on_device(args, scheme);
}
void run_on_host(HostExecutor&, const StreamCopyArgs& args) {
  on_device(args);
}
void run_on_host(HostExecutor&, const FillRandomArgs& args) {
  on_device(args);
}
void run_on_host(HostExecutor&, const RouterArgs& args) {
  check_shape(args);
  on_device(args);
}
void run_on_host(HostExecutor&, const PermuteArgs& args) {
  on_device(args);
}
void run_on_host(HostExecutor&, const UnpermuteArgs& args) {
  on_device(args);
}
void run_on_host(HostExecutor&, const PrefillArgs& args, int head_dim) {
  check_shape(args, head_dim);
  on_device(args, head_dim);
}
void run_on_host(HostExecutor&, const DecodeArgs& args) {
  check_shape(args);
  on_device(args);
}
void run_on_host(HostExecutor&, const DecodeFp8Args& args) {
  check_shape(args);
  on_device(args);
}
void run_on_host(HostExecutor&, const LatentDecodeArgs& args) {
  check_shape(args);
  on_device(args);
}
void run_on_host(HostExecutor&, const LatentDecodeFp8Args& args) {
  check_shape(args);
  on_device(args);
}
void run_on_host(HostExecutor&, const MergeArgs& args) {
  on_device(args);
}
void run_on_host(HostExecutor&, const MxGemmArgs& args) {
  check_shape(args);
  on_device(args);
}
void run_on_host(HostExecutor&, const IndexerArgs& args) {
  on_device(args);
}
void run_on_host(HostExecutor&, const SamplingArgs& args) {
  check_shape(args);
  on_device(args);
}
void run_on_host(HostExecutor&, const PageCopyArgs& args) {
  on_device(args);
}
void run_on_host(HostExecutor&, const HoldArgs& args) {
  on_device(args);
}
void run_on_host(HostExecutor&, const PeerReduceArgs<Bf16>& args) {
  check_shape(args);
  on_own_stream(args);
}
void run_on_host(HostExecutor&, const PeerReduceArgs<float>& args) {
  check_shape(args);
  on_own_stream(args);
}
void run_on_host(HostExecutor&, const LaunchProbeArgs& args) {
  on_device(args);
}
void run_on_host(HostExecutor&, const BurnArgs& args) {
  on_device(args);
}

}  // namespace rackwright::kernels::own
