#pragma once

#include <cstddef>
#include <memory>
#include <string>

namespace rackwright::kernels::cuda {

/// What goes into a product D[m,n] = A[m,k] x B[n,k]^T; out comes bf16.
enum class GemmInput { bf16, fp8 };

/// cuBLASLt's handle and workspace.
class CublasLt {
 public:
  /// Throws CudaError.
  CublasLt();
  ~CublasLt();
  CublasLt(const CublasLt&) = delete;
  CublasLt& operator=(const CublasLt&) = delete;

 private:
  friend class CublasGemm;
  struct Handle;
  std::unique_ptr<Handle> handle_;
};

/// One shape with the quickest of up to 8 algorithms that the library proposes; each is timed, the
/// place of the chosen one is kept for the record.
class CublasGemm {
 public:
  /// Throws CudaError; where the library has no algorithm, saying so. `a`, `b`, `d` are memory to
  /// time on. FP8 takes one scale a tensor (1) and accumulates fast on Hopper.
  CublasGemm(CublasLt& library, GemmInput input, int m, int n, int k, const void* a, const void* b,
             void* d);
  ~CublasGemm();
  CublasGemm(const CublasGemm&) = delete;
  CublasGemm& operator=(const CublasGemm&) = delete;

  /// A CUDA error code; a cuBLAS failure becomes cudaErrorUnknown.
  int run(const void* a, const void* b, void* d, void* stream) const;
  [[nodiscard]] int proposed() const { return proposed_; }
  [[nodiscard]] int chosen() const { return chosen_; }

 private:
  struct Plan;
  CublasLt& library_;
  std::unique_ptr<Plan> plan_;
  int proposed_ = 0;
  int chosen_ = 0;
};

}  // namespace rackwright::kernels::cuda
