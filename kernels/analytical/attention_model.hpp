#pragma once

#include <array>

#include "kernels/analytical/device_profile.hpp"
#include "kernels/analytical/hardware.hpp"
#include "workloads/operator.hpp"

namespace rackwright::kernels {

/// Prefill. Softmax exponentials run on units whose rate (16 per clock and multiprocessor) hardly
/// grew between generations, so they stand beside the matrix work:
/// core = F / (e_c peak) + E / (e_x 16 SM clk), divided by 1 - exp(-tiles / (w SM)) (few tiles
/// leave multiprocessors idle) and by S / (S + S0); joined with the bytes by a p-norm; plus t0. F
/// and E count the whole diagonal block: 64 pairs more per query.
struct PrefillModel {
  double t0_s = 0;
  double compute_efficiency = 1;
  double exponential_efficiency = 1;
  double memory_efficiency = 1;
  double exponent = 2;
  double wave = 1;         ///< w
  double half_length = 0;  ///< S0, tokens

  static PrefillModel from(const CalibratedModel& model);
  [[nodiscard]] double seconds(const workloads::AttentionShape& attention,
                               const workloads::OperatorWork& work, const Hardware& hardware) const;
  /// MLA: 2 heads (nope + rope + v) FLOPs per pair.
  [[nodiscard]] double seconds(const workloads::LatentAttentionShape& attention,
                               const workloads::OperatorWork& work, const Hardware& hardware) const;
};

/// Decode. Five limits joined by p-norms: launch t0; work per thread block b kv a1 + b heads a2
/// (a floor in context: under about 128 tokens time does not fall); KV bytes / (e_m BW); FLOP for
/// wide groups / (e_c peak); the serial walk of one block through its part of the context,
/// a3 S / splits. Plus c log2(1 + S / 256).
/// `wide_group` > 0: with more query heads per KV head than that the kernel reads the KV of each
/// query head by itself (TensorRT-LLM).
struct DecodeModel {
  double t0_s = 0;
  double per_kv_head_s = 0;
  double per_head_s = 0;
  double memory_efficiency = 1;
  double compute_efficiency = 1;
  double serial_s = 0;      ///< a3, per token
  double log_length_s = 0;  ///< c
  double exponent = 2;
  double wide_group = 0;
  double head_rows = 1;  ///< query heads are padded to this many rows

  static DecodeModel from(const CalibratedModel& model);
  [[nodiscard]] double seconds(const workloads::AttentionShape& attention,
                               const Hardware& hardware) const;
  /// MLA, absorbed: one latent row of `latent + rope` elements per token, read once.
  [[nodiscard]] double seconds(const workloads::LatentAttentionShape& attention,
                               const Hardware& hardware) const;

 private:
  struct Work {
    double sequences, blocks, heads, bytes, flops, length;
  };
  [[nodiscard]] double seconds(const Work& work, const Hardware& hardware, double peak) const;
};

/// Coordinates of the residuals. Grouped decode: query heads per KV head, context, sequences, KV
/// heads; the others: heads, length, sequences.
[[nodiscard]] std::array<double, ValueGrid::kMaxAxes> prefill_point(int heads, double pairs,
                                                                    double query_tokens,
                                                                    double sequences);
[[nodiscard]] std::array<double, ValueGrid::kMaxAxes> decode_point(
    const workloads::AttentionShape& attention);
[[nodiscard]] std::array<double, ValueGrid::kMaxAxes> decode_point(
    const workloads::LatentAttentionShape& attention);

/// Length of the prompt that has as many pairs per query: 2 pairs / queries - 1.
[[nodiscard]] double equivalent_length(double pairs, double query_tokens);

}  // namespace rackwright::kernels
