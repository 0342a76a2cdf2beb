#pragma once

#include <array>
#include <cstddef>
#include <string>

#include "kernels/analytical/analytical_backend.hpp"
#include "kernels/analytical/device_profile.hpp"
#include "workloads/model_config.hpp"
#include "workloads/serving_plan.hpp"

namespace rackwright::profiler {

/// One replica under steady load: `concurrency` requests of the same lengths are always in it, each
/// followed by the next when it ends.
struct ServingPoint {
  workloads::ModelConfig model;
  workloads::ServingPlan plan;
  double gpu_memory_bytes = 0;
  kernels::RankContext rank;
  double prompt_tokens = 0;
  double output_tokens = 1;
  double concurrency = 1;       ///< of the replica, all attention ranks
  double prompts_together = 1;  ///< that a prefill step takes, where the table says so
};

/// What the backend says of one forward pass, host time apart.
struct StepCost {
  double seconds = 0;  ///< GPU, experts included
  double expert_s = 0;
  double joules = 0;  ///< of one GPU
  double flops = 0;
  double memory_bytes = 0;
};

/// All that a point's latency depends on, priced once.
struct ServingCosts {
  static constexpr std::size_t kBatches = 12;
  /// Decode steps at batch largest, 1/2, 1/4, …, contexts at their mean.
  std::array<double, kBatches> batch{};
  std::array<StepCost, kBatches> decode{};
  StepCost prefill;             ///< of `prompts_together` prompts
  double prefill_tokens = 0;    ///< of them all
  double cached_sequences = 0;  ///< that the KV cache holds at their mean length; 0: the model does
                                ///< not fit
  double layers = 0;
  double relative_error = 0;  ///< of the decode step, 90 % half-width
  bool extrapolated = false;

  /// Linear between the priced batches, the smallest one's below.
  [[nodiscard]] StepCost decode_at(double batch) const;
};
[[nodiscard]] ServingCosts serving_costs(const ServingPoint& point,
                                         const kernels::AnalyticalBackend& backend);

/// What an engine adds to the kernels, fitted on served models
/// (`profiler/serving_profiles/engines.json`).
///
/// decode step = (k GPU + launch^q)^(1/q) + h0 + h1 batch, where experts' share of the GPU time is
/// multiplied by `expert_factor` and launch = l layers: an engine without CUDA graphs cannot issue
/// kernels faster than that.
/// prefill = (f (1 + g log2(1 + tokens / 2048)) GPU)^q + launch'^q)^(1/q).
struct EngineModel {
  double decode_factor = 1;  ///< k
  double expert_factor = 1;
  double per_step_s = 0;      ///< h0
  double per_sequence_s = 0;  ///< h1
  double launch_per_layer_s = 0;
  double prefill_launch_per_layer_s = 0;
  double launch_exponent = 4;           ///< q
  double prefill_factor = 1;            ///< f
  double prefill_growth = 0;            ///< g
  double first_token_prompts = 1;       ///< a: prompts that a first token waits for …
  double first_token_root_prompts = 0;  ///< b: … and per square root of the running requests
  double first_token_wave = 0;          ///< w: … and per running request
  double tpot_half_width = 0;           ///< 90 %, of rows held out
  double tpot_half_width_experts = 0;   ///< the same for models with experts
  double ttft_half_width = 0;

  static EngineModel from(const kernels::CalibratedModel& model);
  [[nodiscard]] double decode_step_s(const StepCost& cost, double batch, double layers) const;
  /// Of `tokens` prompt tokens computed together.
  [[nodiscard]] double prefill_s(const StepCost& cost, double tokens, double layers) const;
};

struct ServingEstimate {
  double ttft_s = 0;
  double tpot_s = 0;
  double running = 0;  ///< sequences decoding
  double decode_step_s = 0;
  double prefill_s = 0;  ///< of one prompt
  double queue_s = 0;    ///< part of the TTFT spent waiting for KV space or a batch slot
  double requests_per_s = 0;
  double output_tokens_per_s = 0;
  double joules_per_output_token = 0;  ///< all GPUs of the replica, module input, by the backend
  double busy_share = 0;               ///< of the time, GPU kernels of one GPU
};

/// Steady state of a closed loop. The engine computes without pause, so in the time T that one
/// request is in it each of the N running ones is prefilled once and decodes all its tokens:
///   T = TTFT + (osl - 1) TPOT = N prefill + (osl - 1) step(N).
/// TTFT = (a + b sqrt(N) + w N) prefill + step, at most N prefill + step; the rest of the prefills
/// delays the answers: TPOT = step(N') + (N prefill - TTFT) / (osl - 1), N' = N (osl - 1) TPOT / T
/// sequences being in decode at a time. When more requests are there than the cache or the batch
/// limit takes, the others wait (C / N - 1) T.
[[nodiscard]] ServingEstimate estimate_serving(const ServingPoint& point, const ServingCosts& costs,
                                               const EngineModel& engine);

}  // namespace rackwright::profiler
