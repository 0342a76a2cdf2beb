#pragma once

#include "kernels/cuda/cuda_calls.hpp"

namespace rackwright::kernels::cuda {

/// The gate of this process's one CUDA context.
[[nodiscard]] CallGate& module_gate();

}  // namespace rackwright::kernels::cuda
