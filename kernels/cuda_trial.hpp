#pragma once

#include <cstddef>
#include <string>

#include "kernels/cuda_backend.hpp"

namespace rackwright::kernels {

/// An operator's results on a GPU against those of double precision on the host.
struct TrialResult {
  std::size_t elements = 0;  ///< compared
  std::size_t wrong = 0;     ///< outside the tolerance, or not a number
  double largest = 0;        ///< error over tolerance
  std::string first_wrong;   ///< "launch 0, element 17: 3.5, expected 3.25 +- 0.01"
  std::string choice;        ///< what ran

  [[nodiscard]] bool right() const { return elements > 0 && wrong == 0; }
};

/// Runs a product, attention or experts once on random data of `seed` and compares every element
/// that it writes with the same inputs multiplied on the host. Scales are 1.
///
/// Tolerance of a product: the rounding of the result (2^-8 of it in bf16, none in int32, 2^-23 in
/// fp32) and, of the sum of magnitudes, 2^-16 for sums in fp32 and 2^-10 for FP8 and FP4, whose
/// tensor cores keep about 14 bits (DeepSeek-V3 report, arXiv 2412.19437, section 3.3.2); int8 is
/// exact. Of attention: the rounding of result and probabilities (2^-7 in bf16, 2^-3 in FP8, of the
/// sum of p |v|), and what scores wrong by d do: (e^2d - 1) of the sum of p |v - result|, d as
/// above. Throws BackendUnavailable when the module fails or hands over no such operator.
[[nodiscard]] TrialResult compare_with_host(const CudaModule& module, int device,
                                            const workloads::Operator& op, unsigned seed);

/// The operator with sizes that the host multiplies in about a second: fewer rows, sequences,
/// tokens and experts, narrower matrices; types, head dimensions, windows and sinks stay.
[[nodiscard]] workloads::Operator small_for_host(const workloads::Operator& op);

}  // namespace rackwright::kernels
