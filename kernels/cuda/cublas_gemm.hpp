#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "kernels/cuda/algorithm_choice.hpp"
#include "kernels/cuda/step_memory.hpp"

namespace rackwright::kernels::cuda {

/// A product D[m,n] = A[m,k] x B[n,k]^T of a type of the ABI; out comes bf16, of INT8 int32, of
/// FP32 fp32.
struct ProductShape {
  int type = 0, m = 0, n = 0, k = 0;
};

/// Memory of one product.
struct ProductPlaces {
  void *a, *b, *d;
};

/// Scale modes to try for a type, the engines' first.
[[nodiscard]] std::vector<ScaleMode> scale_modes(int type);
/// Bytes of `count` elements of a type.
[[nodiscard]] std::size_t element_bytes(int type, std::size_t count);

/// Bytes of `count` elements of its result.
[[nodiscard]] std::size_t output_bytes(int type, std::size_t count);

/// cuBLASLt's handle and workspace.
class CublasLt {
 public:
  /// Throws CudaError.
  explicit CublasLt(StepMemory& memory);
  ~CublasLt();
  CublasLt(const CublasLt&) = delete;
  CublasLt& operator=(const CublasLt&) = delete;

  /// Up to 8 algorithms that the heuristic proposes; none where it has none or the toolkit of this
  /// build lacks the mode. Scales are 1, in the layout the mode asks for. `places` is called for
  /// each run. Throws CudaError.
  [[nodiscard]] std::vector<Candidate> candidates(const ProductShape& shape, ScaleMode mode,
                                                  std::function<ProductPlaces()> places);

 private:
  struct Handle;
  struct Plan;
  StepMemory& memory_;
  std::shared_ptr<Handle> handle_;
};

}  // namespace rackwright::kernels::cuda
