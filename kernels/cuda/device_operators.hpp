#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "kernels/cuda/cublas_gemm.hpp"
#include "kernels/cuda/cuda_abi.h"
#include "kernels/cuda/gpu_step.hpp"

namespace rackwright::kernels::cuda {

/// Device memory of a step: one block of random bf16 that reads and writes walk through, so that
/// repeats of an operator do not find their data in the L2, and small tables of their own.
class StepMemory {
 public:
  /// Throws CudaError. `largest` bytes are what one operator touches at most.
  StepMemory(CudaCalls& calls, int device, std::size_t largest);
  ~StepMemory();
  StepMemory(const StepMemory&) = delete;
  StepMemory& operator=(const StepMemory&) = delete;

  /// The next `bytes` of the block, 256-byte aligned; from its beginning where they do not fit.
  void* next(std::size_t bytes);
  /// Memory of its own with these integers.
  const int* table(const std::vector<int>& values);
  void* own(std::size_t bytes);

 private:
  CudaCalls& calls_;
  std::vector<void*> blocks_;
  std::size_t bytes_ = 0;
  std::size_t used_ = 0;
};

/// The operators of the ABI as launches of own kernels and cuBLASLt.
class DeviceOperators final : public StepWork {
 public:
  /// Throws CudaError; for an operator that has no kernel here, naming it.
  DeviceOperators(CudaCalls& calls, int device, std::vector<RackwrightCudaOperator> operators);
  [[nodiscard]] int count() const override { return static_cast<int>(operators_.size()); }
  [[nodiscard]] int lane(int i) const override {
    return operators_[static_cast<std::size_t>(i)].lane;
  }
  int enqueue(int i, void* stream) override;

 private:
  /// One repeat of an operator into a stream; a CUDA error code.
  using Launcher = std::function<int(void* stream)>;
  Launcher gemm(const RackwrightCudaOperator& op);
  Launcher product(int type, int m, int n, int k);
  Launcher prefill(const RackwrightCudaOperator& op);
  Launcher decode(const RackwrightCudaOperator& op);
  Launcher latent_decode(const RackwrightCudaOperator& op);
  Launcher experts(const RackwrightCudaOperator& op);
  Launcher stream_bytes(const RackwrightCudaOperator& op);
  Launcher launcher_of(const RackwrightCudaOperator& op);

  std::vector<RackwrightCudaOperator> operators_;
  int multiprocessors_ = 1;
  StepMemory memory_;
  CublasLt library_;
  std::vector<std::unique_ptr<CublasGemm>> products_;
  std::vector<Launcher> launchers_;
};

}  // namespace rackwright::kernels::cuda
