#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "common/data_locator.hpp"
#include "kernels/bench/sampler.hpp"
#include "workloads/model_config.hpp"
#include "workloads/serving_plan.hpp"

namespace rackwright::kernels {

/// The two steps whose operators are measured.
struct BenchSteps {
  int decode_sequences = 64;
  int context = 8192;         ///< cached tokens of each
  int prefill_tokens = 8192;  ///< one prompt, whole
};

/// Different operators of one decode and one prefill step of `model` under `plan`, on one GPU.
/// Host time and collectives are left out: they are not kernels of one device. Names are
/// "MODEL/decode/qkv_proj/bf16/m:64/n:6144/k:4096".
[[nodiscard]] std::vector<BenchCase> step_cases(const std::string& model_name,
                                                const workloads::ModelConfig& model,
                                                const workloads::ServingPlan& plan,
                                                const BenchSteps& steps);

/// The default: a dense model in bf16 (GEMM, grouped attention, norms, sampling), latent attention,
/// and experts, of shipped models with one GPU's share of each.
[[nodiscard]] std::vector<BenchCase> default_suite(const BenchSteps& steps,
                                                   const DataLocator& data);

}  // namespace rackwright::kernels
