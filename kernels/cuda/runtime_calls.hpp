#pragma once

#include <string>

#include <cuda_runtime.h>

#include "kernels/cuda/cuda_calls.hpp"
#include "kernels/cuda/own_kernels.cuh"

namespace rackwright::kernels::cuda {

inline cudaStream_t stream_of(void* stream) {
  return static_cast<cudaStream_t>(stream);
}
inline cudaEvent_t event_of(void* event) {
  return static_cast<cudaEvent_t>(event);
}

/// The CUDA runtime behind the interface.
class RuntimeCalls final : public CudaCalls {
 public:
  RuntimeCalls() = default;
  ~RuntimeCalls() override { (void)cudaFreeHost(flags_); }
  RuntimeCalls(const RuntimeCalls&) = delete;
  RuntimeCalls& operator=(const RuntimeCalls&) = delete;

  int create_stream(void** stream) override {
    return cudaStreamCreateWithFlags(reinterpret_cast<cudaStream_t*>(stream),
                                     cudaStreamNonBlocking);
  }
  int destroy_stream(void* stream) override { return cudaStreamDestroy(stream_of(stream)); }
  int synchronise(void* stream) override { return cudaStreamSynchronize(stream_of(stream)); }
  int query(void* stream) override { return cudaStreamQuery(stream_of(stream)); }
  int create_event(void** event) override {
    return cudaEventCreate(reinterpret_cast<cudaEvent_t*>(event));
  }
  int destroy_event(void* event) override { return cudaEventDestroy(event_of(event)); }
  int record(void* event, void* stream) override {
    return cudaEventRecord(event_of(event), stream_of(stream));
  }
  int wait(void* stream, void* event) override {
    return cudaStreamWaitEvent(stream_of(stream), event_of(event), 0);
  }
  int elapsed_ms(float* milliseconds, void* start, void* stop) override {
    return cudaEventElapsedTime(milliseconds, event_of(start), event_of(stop));
  }
  int begin_capture(void* stream) override {
    return cudaStreamBeginCapture(stream_of(stream), cudaStreamCaptureModeThreadLocal);
  }
  int end_capture(void* stream, void** graph) override {
    cudaGraph_t captured = nullptr;
    if (const cudaError_t error = cudaStreamEndCapture(stream_of(stream), &captured);
        error != cudaSuccess) {
      return error;
    }
    const cudaError_t error =
        cudaGraphInstantiate(reinterpret_cast<cudaGraphExec_t*>(graph), captured, 0);
    (void)cudaGraphDestroy(captured);
    return error;
  }
  int launch_graph(void* graph, void* stream) override {
    return cudaGraphLaunch(static_cast<cudaGraphExec_t>(graph), stream_of(stream));
  }
  int destroy_graph(void* graph) override {
    return cudaGraphExecDestroy(static_cast<cudaGraphExec_t>(graph));
  }
  int hold(void* stream) override {
    if (flags_ == nullptr) {
      const cudaError_t error = cudaHostAlloc(reinterpret_cast<void**>(&flags_), 2 * sizeof(int),
                                              cudaHostAllocMapped | cudaHostAllocPortable);
      if (error != cudaSuccess) return error;
    }
    flag(kLetGo) = 0;
    flag(kTimedOut) = 0;
    own::HoldArgs args;
    args.let_go = {flags_ + kLetGo, 1};
    args.timed_out = {flags_ + kTimedOut, 1};
    args.nanoseconds = static_cast<std::uint64_t>(kLongestHold * 1e9);
    return own::launch(args, stream_of(stream));
  }
  void let_go() override {
    if (flags_ != nullptr) flag(kLetGo) = 1;
  }
  [[nodiscard]] bool hold_timed_out() const override {
    return flags_ != nullptr && flag(kTimedOut) != 0;
  }
  int allocate(void** memory, std::size_t bytes) override { return cudaMalloc(memory, bytes); }
  int release(void* memory) override { return cudaFree(memory); }
  std::string name_of(int code) override {
    return cudaGetErrorName(static_cast<cudaError_t>(code));
  }
  int remaining_error() override {
    (void)cudaGetLastError();
    const cudaError_t error = cudaFree(nullptr);
    (void)cudaGetLastError();
    return error;
  }

 private:
  static constexpr int kLetGo = 0, kTimedOut = 1;
  /// The device reads and writes them while the host does.
  [[nodiscard]] volatile int& flag(int which) const { return flags_[which]; }

  int* flags_ = nullptr;  ///< host memory that the device sees
};

}  // namespace rackwright::kernels::cuda
