#include <cstdio>
#include <memory>
#include <utility>
#include <vector>

#include <cuda_runtime.h>

#include "kernels/cuda/cuda_abi.h"
#include "kernels/cuda/device_operators.hpp"
#include "kernels/cuda/gpu_step.hpp"
#include "kernels/cuda/module_gate.hpp"
#include "kernels/cuda/runtime_calls.hpp"

/* The part of the ABI that runs steps. */

namespace cuda = rackwright::kernels::cuda;

cuda::CallGate& cuda::module_gate() {
  static CallGate gate;
  return gate;
}

struct RackwrightCudaStep {
  int device = 0;
  cuda::RuntimeCalls calls;
  cuda::DeviceOperators* operators = nullptr;  ///< owned by the step
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
    step->operators = work.get();
    step->step = std::make_unique<cuda::GpuStep>(step->calls, std::move(work));
    *out = step.release();
  });
}

extern "C" int rackwright_cuda_run(RackwrightCudaStep* step, int mode,
                                   RackwrightCudaObserver observer, void* context,
                                   RackwrightCudaTimes* out, char message[RACKWRIGHT_CUDA_TEXT]) {
  return cuda::module_gate().run(message, RACKWRIGHT_CUDA_TEXT, [&] {
    cuda::check(step->calls, cudaSetDevice(step->device), "cudaSetDevice");
    if (mode != RACKWRIGHT_CUDA_PER_OPERATOR) {
      const cuda::StepTimes times =
          mode == RACKWRIGHT_CUDA_WHOLE ? step->step->run_whole() : step->step->run_eager();
      out->total_s = times.total;
      out->launch_included = times.launch_included ? 1 : 0;
      return;
    }
    cuda::StepObserver watch;
    if (observer != nullptr) {
      watch = [&](int i, bool begin) { observer(context, i, begin ? 1 : 0); };
    }
    const cuda::StepTimes times = step->step->run_by_operator(watch);
    out->total_s = times.total;
    out->launch_included = times.launch_included ? 1 : 0;
    for (std::size_t i = 0; i < times.operators.size(); ++i)
      out->operator_s[i] = times.operators[i];
  });
}

extern "C" int rackwright_cuda_choice(RackwrightCudaStep* step, int op,
                                      char text[RACKWRIGHT_CUDA_TEXT],
                                      char message[RACKWRIGHT_CUDA_TEXT]) {
  return cuda::module_gate().run(message, RACKWRIGHT_CUDA_TEXT, [&] {
    std::snprintf(text, RACKWRIGHT_CUDA_TEXT, "%s", step->operators->choice(op).c_str());
  });
}

extern "C" int rackwright_cuda_trial(RackwrightCudaStep* step, int op, unsigned seed,
                                     RackwrightCudaSink sink, void* context,
                                     char message[RACKWRIGHT_CUDA_TEXT]) {
  return cuda::module_gate().run(message, RACKWRIGHT_CUDA_TEXT, [&] {
    cuda::check(step->calls, cudaSetDevice(step->device), "cudaSetDevice");
    std::vector<unsigned char> copy;
    for (const cuda::Placed& one : step->operators->trial(op, seed)) {
      copy.resize(one.bytes);
      cuda::check(step->calls,
                  cudaMemcpy(copy.data(), one.place, one.bytes, cudaMemcpyDeviceToHost),
                  "cudaMemcpy of a trial");
      sink(context, one.role, copy.data(), one.bytes);
    }
  });
}

extern "C" void rackwright_cuda_release(RackwrightCudaStep* step) {
  delete step;
}
