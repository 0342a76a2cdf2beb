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
  double kv_tokens = 0;     ///< capacity of the replica's KV cache, tokens (MemoryUse::kv_tokens)
  int attention_clip = 0;   ///< ModelConfig::attention_clip()
  double stop_after_s = 0;  ///< > 0: stop admitting after this time (requests drain)
  /// > 0: give up when the queue's oldest wait exceeds this: the load is beyond capacity.
  double give_up_wait_s = 0;
  /// Share of the blocks that admission leaves free for running sequences to grow into, while any
  /// runs (vLLM's scheduler has the same 0.01). Without it admission and preemption alternate.
  double watermark = 0.01;
};

struct EngineResult {
  std::vector<RequestOutcome> requests;  ///< in arrival order; only finished ones
  std::uint64_t steps = 0;
  std::uint64_t prefill_tokens = 0;  ///< computed, recomputation after preemption included
  std::uint64_t recomputed_tokens = 0;
  std::uint64_t output_tokens = 0;
  double busy_s = 0;
  double end_s = 0;
  std::uint64_t preemptions = 0;
  bool gave_up = false;
};

/// Tokens one speculative step yields on average: (1 - a^(g+1)) / (1 - a) (Leviathan et al. 2023,
/// eq. 1). Throws std::invalid_argument for an acceptance outside 0..1.
[[nodiscard]] double expected_tokens(const SpeculativeDraft& draft);

/// Continuous batching, one event per forward pass: admission by free KV blocks in arrival order,
/// decode first, then prefill chunks within `plan.prefill_chunk` tokens, preemption (newest first,
/// recompute) when blocks run out.
///
/// - A replica of `dp` attention ranks is scheduled as one: batch, chunk and cache are the
///   replica's. A single request must fit the cache of one rank.
/// - Blocks for the whole prompt are taken at admission; at most min(max_batch, prefill_chunk)
///   sequences run, so a step never has more than `prefill_chunk` tokens.
/// - `prefix_cache`: full prompt blocks stay in the cache, unused ones leave least recently used
///   first when their space is needed; blocks of generated text are not kept. At least one prompt
///   token is computed.
/// - Speculative decoding: every sequence gains the expected number of tokens on average; the
///   fraction is carried to the next step, the same for all, and no chance is involved. A step
///   verifies g+1 tokens per sequence: `decode_sequences` counts them all, `decode_context` each
///   sequence's KV once, since the kernel reads it once. The draft adds g x draft_cost x the time
///   of a plain decode step, and that time is in the duration the sink is told.
/// - Decoding sequences are in every step; a prompt never delays them by more than its chunk.
///
/// Throws InputError when a request cannot fit the cache at all;
/// Interrupted from `progress`.
[[nodiscard]] EngineResult run_engine(const RequestTrace& trace, const ServingPlan& plan,
                                      const EngineOptions& options, const StepTime& step_time,
                                      const StepSink& sink = {},
                                      const ProgressCallback& progress = {});

}  // namespace rackwright::workloads
