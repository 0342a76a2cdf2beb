// A module rackwright_cuda without a GPU: two devices, the second half as fast, whose operators
// take a fixed time on a clock of their own and whose collectives are the program's.
#include <cstdio>
#include <memory>
#include <vector>

#include "kernels/cuda/cuda_abi.h"
#include "kernels/cuda/gpu_step.hpp"
#include "tests/kernels/stand_in_cuda.hpp"

namespace {

namespace cuda = rackwright::kernels::cuda;

class Work final : public cuda::StepWork {
 public:
  Work(cuda::testing::StandInCuda& calls, int device, std::vector<RackwrightCudaOperator> operators)
      : calls_(calls), device_(device), operators_(std::move(operators)) {}
  [[nodiscard]] int count() const override { return static_cast<int>(operators_.size()); }
  [[nodiscard]] int lane(int) const override { return 0; }
  int enqueue(int i, void* stream) override {
    const auto& op = operators_[static_cast<std::size_t>(i)];
    constexpr double kMilliseconds = 0.02;
    for (int repeat = 0; repeat < op.repeat; ++repeat) {
      calls_.work(kMilliseconds * (device_ + 1));
      if (op.collective == nullptr) continue;
      if (const int code = op.collective->enqueue(op.collective->context, stream); code != 0) {
        return code;
      }
    }
    return 0;
  }
  [[nodiscard]] bool among_ranks() const override { return first() != nullptr; }
  int look(double waited_s) override { return first()->look(first()->context, waited_s); }

 private:
  [[nodiscard]] const RackwrightCudaCollective* first() const {
    for (const auto& op : operators_) {
      if (op.collective != nullptr) return op.collective;
    }
    return nullptr;
  }
  cuda::testing::StandInCuda& calls_;
  int device_;
  std::vector<RackwrightCudaOperator> operators_;
};

}  // namespace

struct RackwrightCudaStep {
  cuda::testing::StandInCuda calls;
  cuda::CallGate gate;
  std::unique_ptr<cuda::GpuStep> step;
};

extern "C" {

int rackwright_cuda_abi() {
  return RACKWRIGHT_CUDA_ABI;
}
int rackwright_cuda_device_count(int* count, char*) {
  *count = 2;
  return 0;
}
int rackwright_cuda_probe(int device, RackwrightCudaDevice* out, char*) {
  *out = {};
  std::snprintf(out->pci_bus_id, sizeof out->pci_bus_id, "0000:%02x:00.0", 0x17 + device);
  std::snprintf(out->name, sizeof out->name, "Stand-in GPU");
  out->compute_capability = 90, out->multiprocessors = 132;
  out->memory_bytes = 80e9, out->l2_bytes = 50e6;
  out->clock_hz = 1.98e9, out->copy_bytes_per_s = 3e12;
  return 0;
}
int rackwright_cuda_prepare(int device, const RackwrightCudaOperator* operators, int count,
                            RackwrightCudaStep** out, char* message) {
  auto made = std::make_unique<RackwrightCudaStep>();
  const int code = made->gate.run(message, RACKWRIGHT_CUDA_TEXT, [&] {
    made->step = std::make_unique<cuda::GpuStep>(
        made->calls,
        std::make_unique<Work>(made->calls, device,
                               std::vector<RackwrightCudaOperator>(operators, operators + count)));
  });
  if (code == 0) *out = made.release();
  return code;
}
int rackwright_cuda_run(RackwrightCudaStep* step, int mode, RackwrightCudaObserver, void*,
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
}
void rackwright_cuda_release(RackwrightCudaStep* step) {
  delete step;
}
int rackwright_cuda_choice(RackwrightCudaStep*, int, char* text, char*) {
  std::snprintf(text, RACKWRIGHT_CUDA_TEXT, "stand-in");
  return 0;
}
int rackwright_cuda_launch_probe(int, int, RackwrightCudaLaunch*, char*) {
  return 801;
}
int rackwright_cuda_trial(RackwrightCudaStep*, int, unsigned, RackwrightCudaSink, void*, char*) {
  return 801;
}
int rackwright_cuda_transfer(int, int, double, int, RackwrightCudaTransfer*, char*) {
  return 801;
}
}
