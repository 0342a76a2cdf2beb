#pragma once

namespace rackwright::kernels {

/// What the heaviest expert-parallel rank gets.
struct HeaviestRank {
  double tokens = 0;   ///< token-expert pairs
  double touched = 0;  ///< experts with at least one token
};

/// Balanced load (`exponent` 0): tokens x top_k / ep. Otherwise as the collector of the measured
/// tables draws it: expert loads from the density x^-exponent on 1 … 0.8 tokens, scaled to
/// tokens x top_k, clipped at `tokens`, experts in order over the ranks; the mean of eight draws
/// with a fixed seed.
[[nodiscard]] HeaviestRank heaviest_rank(double tokens, int top_k, int experts, int ep,
                                         double exponent);

}  // namespace rackwright::kernels
