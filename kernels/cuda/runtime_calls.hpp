#pragma once

#include <string>

#include <cuda_runtime.h>

#include "kernels/cuda/cuda_calls.hpp"

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
  int create_stream(void** stream) override {
    return cudaStreamCreateWithFlags(reinterpret_cast<cudaStream_t*>(stream),
                                     cudaStreamNonBlocking);
  }
  int destroy_stream(void* stream) override { return cudaStreamDestroy(stream_of(stream)); }
  int synchronise(void* stream) override { return cudaStreamSynchronize(stream_of(stream)); }
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
};

}  // namespace rackwright::kernels::cuda
