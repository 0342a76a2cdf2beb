#pragma once

#include "results/validation/validation.hpp"

namespace rackwright::results {

// Tables of single kernels and collectives, predicted by the analytical backend. Rows faster than
// the L2-aware physical bound, and power of kernels under 100 us, are listed but not scored; points
// under 10 us are a group of their own.
[[nodiscard]] ValidationFormat gemm_format();
[[nodiscard]] ValidationFormat attention_format();
[[nodiscard]] ValidationFormat latent_attention_format();
[[nodiscard]] ValidationFormat experts_format();
[[nodiscard]] ValidationFormat nccl_format();
[[nodiscard]] ValidationFormat engine_all_reduce_format();
[[nodiscard]] ValidationFormat expert_exchange_format();
[[nodiscard]] ValidationFormat layers_format();
[[nodiscard]] ValidationFormat network_format();

/// All of them, in the order of `validate --list`.
[[nodiscard]] std::vector<ValidationFormat> operator_formats();

}  // namespace rackwright::results
