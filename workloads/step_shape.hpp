#pragma once

#include <cstdint>

namespace rackwright::workloads {

/// The batch of one engine iteration over a whole replica, summed up: all a forward pass needs to
/// know. "Clipped" sums use min(context, ModelConfig::attention_clip()).
struct StepShape {
  std::uint32_t prefill_sequences = 0;
  std::uint32_t prefill_tokens = 0;  ///< new prompt tokens computed in this step
  double prefill_pairs = 0;          ///< causal query-key pairs per head of these tokens
  double prefill_pairs_clipped = 0;
  double prefill_context = 0;          ///< KV tokens read by the prefill kernels
  std::uint32_t prefill_finished = 0;  ///< prompts that end here: their last token is sampled
  std::uint32_t decode_sequences = 0;
  double decode_context = 0;  ///< sum of context lengths of decoding sequences
  double decode_context_clipped = 0;
  std::uint32_t decode_longest = 0;
  /// Those of `prefill_tokens` that stand for images: the vision tower encodes them in this step.
  std::uint32_t prefill_image_tokens = 0;

  [[nodiscard]] std::uint32_t tokens() const { return prefill_tokens + decode_sequences; }
  [[nodiscard]] std::uint32_t sampled() const { return prefill_finished + decode_sequences; }
};

}  // namespace rackwright::workloads
