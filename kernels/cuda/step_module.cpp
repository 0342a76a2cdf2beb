#include <memory>
#include <utility>
#include <vector>

#include <cuda_runtime.h>

#include "kernels/cuda/cuda_abi.h"
#include "kernels/cuda/device_operators.hpp"
#include "kernels/cuda/gpu_step.hpp"
#include "kernels/cuda/module_gate.hpp"

/* The part of the ABI that runs steps. */

namespace {

namespace cuda = rackwright::kernels::cuda;

cudaStream_t stream_of(void* stream) {
  return static_cast<cudaStream_t>(stream);
}
cudaEvent_t event_of(void* event) {
  return static_cast<cudaEvent_t>(event);
}

/// The CUDA runtime behind the interface.
class RuntimeCalls final : public cuda::CudaCalls {
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

}  // namespace

cuda::CallGate& cuda::module_gate() {
  static CallGate gate;
  return gate;
}

struct RackwrightCudaStep {
  int device = 0;
  RuntimeCalls calls;
  std::unique_ptr<cuda::GpuStep> step;
};

extern "C" int rackwright_cuda_prepare(int device, const RackwrightCudaOperator* operators,
                                       int count, RackwrightCudaStep** out,
                                       char message[RACKWRIGHT_CUDA_TEXT]) {
  return cuda::module_gate().run(message, RACKWRIGHT_CUDA_TEXT, [&] {
    auto step = std::make_unique<RackwrightCudaStep>();
    step->device = device;
    cuda::check(step->calls, cudaSetDevice(device), "cudaSetDevice");
    auto work = std::make_unique<cuda::DeviceOperators>(
        step->calls, device, std::vector<RackwrightCudaOperator>(operators, operators + count));
    step->step = std::make_unique<cuda::GpuStep>(step->calls, std::move(work));
    *out = step.release();
  });
}

extern "C" int rackwright_cuda_run(RackwrightCudaStep* step, int mode,
                                   RackwrightCudaObserver observer, void* context,
                                   RackwrightCudaTimes* out, char message[RACKWRIGHT_CUDA_TEXT]) {
  return cuda::module_gate().run(message, RACKWRIGHT_CUDA_TEXT, [&] {
    cuda::check(step->calls, cudaSetDevice(step->device), "cudaSetDevice");
    if (mode == RACKWRIGHT_CUDA_WHOLE) {
      out->total_s = step->step->run_whole().total;
      return;
    }
    cuda::StepObserver watch;
    if (observer != nullptr) {
      watch = [&](int i, bool begin) { observer(context, i, begin ? 1 : 0); };
    }
    const cuda::StepTimes times = step->step->run_by_operator(watch);
    out->total_s = times.total;
    for (std::size_t i = 0; i < times.operators.size(); ++i)
      out->operator_s[i] = times.operators[i];
  });
}

extern "C" void rackwright_cuda_release(RackwrightCudaStep* step) {
  delete step;
}
