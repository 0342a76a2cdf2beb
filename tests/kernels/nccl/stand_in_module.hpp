#pragma once

#include <memory>
#include <vector>

#include "kernels/cuda/gpu_step.hpp"
#include "kernels/cuda_backend.hpp"
#include "tests/kernels/nccl/fake_nccl.hpp"
#include "tests/kernels/stand_in_cuda.hpp"

namespace rackwright::kernels::testing {

/// A stand-in GPU whose streams carry the fake NCCL's operations of this thread.
class RankCuda final : public cuda::testing::StandInCuda {
 public:
  int query(void* stream) override {
    char text[RACKWRIGHT_NCCL_TEXT] = "";
    if (const int code = StandInCuda::query(stream); code != 0) return code;
    return FakeNcclCalls::query(text) == 0 ? 0 : cuda::kNotReady;
  }
  int begin_capture(void* stream) override {
    (void)FakeNcclCalls::begin_capture(nullptr);
    return StandInCuda::begin_capture(stream);
  }
  int end_capture(void* stream, void** graph) override {
    void* fake = nullptr;
    (void)FakeNcclCalls::end_capture(&fake, nullptr);
    return StandInCuda::end_capture(stream, graph);
  }
  int launch_graph(void* graph, void* stream) override {
    (void)FakeNcclCalls::launch(graph, nullptr);
    return StandInCuda::launch_graph(graph, stream);
  }
};

/// Device d takes (d + 1) ms for any operator; collectives are the program's.
class RankWork final : public cuda::StepWork {
 public:
  RankWork(RankCuda& cuda, int device, std::vector<RackwrightCudaOperator> operators)
      : cuda_(cuda), device_(device), operators_(std::move(operators)) {}
  [[nodiscard]] int count() const override { return static_cast<int>(operators_.size()); }
  [[nodiscard]] int lane(int) const override { return 0; }
  int enqueue(int i, void* stream) override {
    const auto& op = operators_[static_cast<std::size_t>(i)];
    cuda_.work(device_ + 1);
    if (op.kind != RACKWRIGHT_CUDA_COLLECTIVE) return 0;
    for (int repeat = 0; repeat < op.repeat; ++repeat) {
      if (const int code = op.collective->enqueue(op.collective->context, stream); code != 0)
        return code;
    }
    return 0;
  }
  [[nodiscard]] bool among_ranks() const override { return collective() != nullptr; }
  int look(double waited_s) override { return collective()->look(collective()->context, waited_s); }

 private:
  [[nodiscard]] const RackwrightCudaCollective* collective() const {
    for (const auto& op : operators_) {
      if (op.kind == RACKWRIGHT_CUDA_COLLECTIVE) return op.collective;
    }
    return nullptr;
  }
  RankCuda& cuda_;
  int device_;
  std::vector<RackwrightCudaOperator> operators_;
};

}  // namespace rackwright::kernels::testing

struct RackwrightCudaStep {
  rackwright::kernels::testing::RankCuda cuda;
  rackwright::kernels::cuda::CallGate gate;
  std::unique_ptr<rackwright::kernels::cuda::GpuStep> step;
};

namespace rackwright::kernels::testing {

/// The module's functions that steps need, on RankCuda.
inline CudaModule stand_in_module() {
  CudaModule module;
  module.prepare = [](int device, const RackwrightCudaOperator* operators, int count,
                      RackwrightCudaStep** out, char* message) {
    auto made = std::make_unique<RackwrightCudaStep>();
    const int code = made->gate.run(message, RACKWRIGHT_CUDA_TEXT, [&] {
      made->step = std::make_unique<cuda::GpuStep>(
          made->cuda, std::make_unique<RankWork>(
                          made->cuda, device,
                          std::vector<RackwrightCudaOperator>(operators, operators + count)));
    });
    if (code == 0) *out = made.release();
    return code;
  };
  module.run = [](RackwrightCudaStep* step, int mode, RackwrightCudaObserver, void*,
                  RackwrightCudaTimes* out, char* message) {
    return step->gate.run(message, RACKWRIGHT_CUDA_TEXT, [&] {
      const cuda::StepTimes times = mode == RACKWRIGHT_CUDA_PER_OPERATOR
                                        ? step->step->run_by_operator({})
                                        : step->step->run_whole();
      out->total_s = times.total;
      for (std::size_t i = 0; i < times.operators.size(); ++i) {
        out->operator_s[i] = times.operators[i];
      }
    });
  };
  module.choice = [](RackwrightCudaStep*, int, char*, char*) { return 0; };
  module.release = [](RackwrightCudaStep* step) { delete step; };
  return module;
}

}  // namespace rackwright::kernels::testing
