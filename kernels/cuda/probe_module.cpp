#include <chrono>
#include <cstdio>
#include <vector>

#include <cuda_runtime.h>

#include "kernels/cuda/cuda_abi.h"
#include "kernels/cuda/launch_probe.hpp"
#include "kernels/cuda/module_gate.hpp"
#include "kernels/cuda/own_kernels.cuh"
#include "kernels/cuda/peer_copy.hpp"
#include "kernels/cuda/runtime_calls.hpp"

/* The part of the ABI that measures launches and copies between GPUs. */

namespace {

namespace cuda = rackwright::kernels::cuda;
namespace own = rackwright::kernels::own;

double host_seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

/// Goes back to the device that was current.
class OnDevice {
 public:
  explicit OnDevice(int device) {
    (void)cudaGetDevice(&before_);
    code_ = cudaSetDevice(device);
  }
  ~OnDevice() { (void)cudaSetDevice(before_); }
  OnDevice(const OnDevice&) = delete;
  OnDevice& operator=(const OnDevice&) = delete;
  [[nodiscard]] int code() const { return code_; }

 private:
  int before_ = 0;
  int code_ = 0;
};

class RuntimePeers final : public cuda::PeerCalls {
 public:
  int can_access(int device, int peer, bool& can) override {
    int value = 0;
    const cudaError_t error = cudaDeviceCanAccessPeer(&value, device, peer);
    can = value != 0;
    return error;
  }
  int enable(int device, int peer) override {
    const OnDevice on(device);
    if (on.code() != 0) return on.code();
    const cudaError_t error = cudaDeviceEnablePeerAccess(peer, 0);
    if (error == cudaErrorPeerAccessAlreadyEnabled) (void)cudaGetLastError();
    return error;
  }
  int allocate(int device, std::size_t bytes, void** memory) override {
    const OnDevice on(device);
    return on.code() != 0 ? on.code() : static_cast<int>(cudaMalloc(memory, bytes));
  }
  void release(int device, void* memory) override {
    const OnDevice on(device);
    (void)cudaFree(memory);
  }
  int copy(void* to, int to_device, const void* from, int from_device, std::size_t bytes,
           void* stream) override {
    return cudaMemcpyPeerAsync(to, to_device, from, from_device, bytes, cuda::stream_of(stream));
  }
  int copy_batch(const std::vector<void*>& to, const std::vector<const void*>& from,
                 std::size_t bytes_each, void* stream) override {
#if CUDART_VERSION >= 12080
    std::vector<std::size_t> sizes(to.size(), bytes_each);
    cudaMemcpyAttributes attributes{};
    attributes.srcAccessOrder = cudaMemcpySrcAccessOrderStream;
    std::size_t first = 0;
#if CUDART_VERSION >= 13000
    return cudaMemcpyBatchAsync(to.data(), from.data(), sizes.data(), to.size(), &attributes,
                                &first, 1, cuda::stream_of(stream));
#else
    std::vector<void*> targets = to, sources;
    for (const void* one : from) sources.push_back(const_cast<void*>(one));
    std::size_t failed = 0;
    return cudaMemcpyBatchAsync(targets.data(), sources.data(), sizes.data(), to.size(),
                                &attributes, &first, 1, &failed, cuda::stream_of(stream));
#endif
#else
    (void)to, (void)from, (void)bytes_each, (void)stream;
    return cudaErrorNotSupported;
#endif
  }
};

int empty_kernel(void* stream) {
  return launch(own::LaunchProbeArgs{}, cuda::stream_of(stream));
}

}  // namespace

extern "C" int rackwright_cuda_launch_probe(int device, int kernels, RackwrightCudaLaunch* out,
                                            char message[RACKWRIGHT_CUDA_TEXT]) {
  return cuda::module_gate().run(message, RACKWRIGHT_CUDA_TEXT, [&] {
    cuda::RuntimeCalls calls;
    cuda::check(calls, cudaSetDevice(device), "cudaSetDevice");
    const cuda::LaunchTimes times =
        cuda::launch_overhead(calls, empty_kernel, kernels, host_seconds);
    *out = {times.stream_host_s, times.stream_device_s, times.graph_host_s, times.graph_device_s};
  });
}

extern "C" int rackwright_cuda_transfer(int from, int to, double page_bytes, int pages,
                                        RackwrightCudaTransfer* out,
                                        char message[RACKWRIGHT_CUDA_TEXT]) {
  return cuda::module_gate().run(message, RACKWRIGHT_CUDA_TEXT, [&] {
    cuda::RuntimeCalls calls;
    RuntimePeers peers;
    cuda::check(calls, cudaSetDevice(from), "cudaSetDevice");
    const cuda::PeerCopy copy =
        cuda::copy_between(calls, peers, from, to, static_cast<std::size_t>(page_bytes), pages);
    out->peer_access = copy.peer_access ? 1 : 0;
    out->whole_s = copy.whole_s, out->pages_s = copy.pages_s, out->batch_s = copy.batch_s;
    std::snprintf(out->path, RACKWRIGHT_CUDA_TEXT, "%s", copy.path.c_str());
  });
}
