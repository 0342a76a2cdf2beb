#pragma once

#include <functional>
#include <string>
#include <vector>

#include "kernels/cuda/cuda_calls.hpp"

namespace rackwright::kernels::cuda {

/// Puts one repeat of an operator into a stream; a CUDA error code.
using Launcher = std::function<int(void* stream)>;

/// All of them, one after the other, up to the first that fails.
[[nodiscard]] Launcher in_turn(std::vector<Launcher> launchers);

/// One way to run an operator: "cuDNN 9.19.0, fused pattern, engine 2, plan 1".
struct Candidate {
  std::string name;
  Launcher run;
};

/// An operator ready to run and what was chosen for it, as the record says it.
struct Prepared {
  Launcher run;
  std::string choice;
};

/// The quickest of the candidates, each timed in the default stream: once to warm up, then the
/// median of three. Those that fail are left out; what spoils the context is thrown. Throws
/// CudaError (801) where none works. `notes` end the choice: what was not taken, and why.
[[nodiscard]] Prepared choose_quickest(CudaCalls& calls, const std::string& what,
                                       std::vector<Candidate> candidates,
                                       const std::vector<std::string>& notes);

/// How the scales of a product lie. Names as cuBLASLt's, A's and B's.
enum class ScaleMode { none, tensor, outer_vector, blocks, mx32, nv16 };
[[nodiscard]] const char* name_of(ScaleMode mode);

/// The quickest candidate of the first scale mode that has any; the modes before it are named as
/// not supported. `candidates` gives none where the library has no algorithm.
[[nodiscard]] Prepared choose_product(
    CudaCalls& calls, const std::string& what, const std::vector<ScaleMode>& wanted,
    const std::function<std::vector<Candidate>(ScaleMode)>& candidates);

}  // namespace rackwright::kernels::cuda
