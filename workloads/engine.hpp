#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "common/progress.hpp"
#include "workloads/model_config.hpp"
#include "workloads/request_trace.hpp"
#include "workloads/serving_plan.hpp"
#include "workloads/step_shape.hpp"

namespace rackwright::workloads {

/// Seconds that one step takes. Supplied by profiler/replay.
using StepTime = std::function<double(const StepShape&)>;
/// Told about every step after it is timed: (start in s, duration in s, shape).
using StepSink = std::function<void(double, double, const StepShape&)>;

struct RequestOutcome {
  double arrival_s = 0;
  double first_token_s = 0;  ///< absolute; TTFT = first_token_s - arrival_s
  double finish_s = 0;
  std::uint32_t prompt_tokens = 0;
  std::uint32_t cached_tokens = 0;  ///< prompt tokens found in the prefix cache
  std::uint32_t output_tokens = 0;
  std::uint16_t preemptions = 0;
  [[nodiscard]] double ttft() const { return first_token_s - arrival_s; }
  /// Time per output token after the first; 0 for a single token.
  [[nodiscard]] double tpot() const {
    return output_tokens > 1 ? (finish_s - first_token_s) / (output_tokens - 1) : 0.0;
  }
};

struct EngineOptions {
  double kv_tokens = 0;       ///< capacity of the replica's KV cache, tokens (MemoryUse::kv_tokens)
  int attention_clip = 0;     ///< ModelConfig::attention_clip()
  double stop_after_s = 0;    ///< > 0: stop admitting after this time (requests drain)
  /// > 0: give up when the queue's oldest wait exceeds this: the load is beyond capacity.
  double give_up_wait_s = 0;
};

struct EngineResult {
  std::vector<RequestOutcome> requests;  ///< in arrival order; only finished ones
  std::uint64_t steps = 0;
  std::uint64_t prefill_tokens = 0;      ///< computed, recomputation after preemption included
  std::uint64_t recomputed_tokens = 0;
  std::uint64_t output_tokens = 0;
  double busy_s = 0;
  double end_s = 0;
  std::uint64_t preemptions = 0;
  bool gave_up = false;
};

/// Continuous batching, one event per forward pass: admission by free KV blocks in arrival order,
/// decode first, then prefill chunks within `plan.prefill_chunk` tokens, preemption (newest first,
/// recompute) when blocks run out. Throws InputError when a request cannot fit the cache at all;
/// Interrupted from `progress`.
[[nodiscard]] EngineResult run_engine(const RequestTrace& trace, const ServingPlan& plan,
                                      const EngineOptions& options, const StepTime& step_time,
                                      const StepSink& sink = {},
                                      const ProgressCallback& progress = {});

}  // namespace rackwright::workloads
