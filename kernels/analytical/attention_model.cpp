#include "kernels/analytical/attention_model.hpp"

#include <algorithm>
#include <cmath>

#include "kernels/analytical/roofline.hpp"

namespace rackwright::kernels {
namespace {

constexpr double kTileRows = 128;
constexpr double kDiagonal = 64;  // half a tile of masked pairs per query
constexpr double kLengthScale = 256;
constexpr double kMaxSplits = 32;

struct PrefillWork {
  double flops, exponentials, bytes, heads, query_tokens, sequences, length;
};

double prefill_seconds(const PrefillModel& model, const PrefillWork& work, const Hardware& hardware,
                       double peak) {
  const double queries = work.query_tokens / work.sequences;
  const double tiles = work.heads * work.sequences * std::max(1.0, queries / kTileRows);
  double core = work.flops / (model.compute_efficiency * peak);
  if (hardware.exponentials > 0) {
    core += work.exponentials / (model.exponential_efficiency * hardware.exponentials);
  }
  if (hardware.multiprocessors > 0) {
    core /= -std::expm1(-tiles / (model.wave * hardware.multiprocessors));
  }
  core *= (work.length + model.half_length) / work.length;
  return model.t0_s +
         p_norm(core, work.bytes / (model.memory_efficiency * hardware.memory), model.exponent);
}

}  // namespace

double equivalent_length(double pairs, double query_tokens) {
  return std::max(1.0, 2 * pairs / query_tokens - 1);
}

std::array<double, ValueGrid::kMaxAxes> prefill_point(int heads, double pairs, double query_tokens,
                                                      double sequences) {
  return {static_cast<double>(heads), equivalent_length(pairs, query_tokens),
          std::max(1e-9, sequences)};
}

std::array<double, ValueGrid::kMaxAxes> decode_point(const workloads::AttentionShape& attention) {
  const double sequences = std::max(1e-9, attention.sequences);
  return {static_cast<double>(attention.heads) / std::max(1, attention.kv_heads),
          std::max(1.0, attention.kv_tokens / sequences), sequences,
          static_cast<double>(std::max(1, attention.kv_heads))};
}

std::array<double, ValueGrid::kMaxAxes> decode_point(
    const workloads::LatentAttentionShape& attention) {
  const double sequences = std::max(1e-9, attention.sequences);
  return {static_cast<double>(attention.heads), std::max(1.0, attention.kv_tokens / sequences),
          sequences};
}

namespace {

/// Of both shapes: the diagonal's tiles count whole.
template <class Attention>
double seconds_of(const PrefillModel& model, const Attention& attention,
                  const workloads::OperatorWork& work, const Hardware& hardware) {
  const double pairs = attention.pairs + kDiagonal * attention.query_tokens;
  const double scale = pairs / std::max(1e-9, attention.pairs);
  return prefill_seconds(model,
                         {work.flops * scale, work.exponentials * scale, work.memory_bytes,
                          static_cast<double>(attention.heads), attention.query_tokens,
                          std::max(1e-9, attention.sequences),
                          equivalent_length(attention.pairs, attention.query_tokens)},
                         hardware, hardware.peak_of(workloads::DataType::bf16));
}

}  // namespace

PrefillModel PrefillModel::from(const CalibratedModel& model) {
  return {parameter(model, "t0_s"),
          parameter(model, "compute_efficiency"),
          parameter(model, "exponential_efficiency"),
          parameter(model, "memory_efficiency"),
          parameter(model, "exponent"),
          parameter(model, "wave"),
          parameter(model, "half_length")};
}

double PrefillModel::seconds(const workloads::AttentionShape& attention,
                             const workloads::OperatorWork& work, const Hardware& hardware) const {
  return seconds_of(*this, attention, work, hardware);
}

double PrefillModel::seconds(const workloads::LatentAttentionShape& attention,
                             const workloads::OperatorWork& work, const Hardware& hardware) const {
  return seconds_of(*this, attention, work, hardware);
}

DecodeModel DecodeModel::from(const CalibratedModel& model) {
  return {parameter(model, "t0_s"),
          parameter(model, "per_kv_head_s"),
          parameter(model, "per_head_s"),
          parameter(model, "memory_efficiency"),
          parameter(model, "compute_efficiency"),
          parameter(model, "serial_s"),
          parameter(model, "log_length_s"),
          parameter(model, "exponent"),
          parameter(model, "wide_group"),
          parameter(model, "head_rows")};
}

double DecodeModel::seconds(const Work& work, const Hardware& hardware, double peak) const {
  const double blocks = work.sequences * (work.blocks * per_kv_head_s + work.heads * per_head_s);
  const double memory = work.bytes / (memory_efficiency * hardware.memory);
  const double compute = work.flops / (compute_efficiency * peak);
  const double splits = std::clamp(
      hardware.multiprocessors / std::max(1e-9, work.sequences * work.blocks), 1.0, kMaxSplits);
  const double serial = serial_s * work.length / splits;
  double t = p_norm(p_norm(memory, compute, exponent), p_norm(blocks, serial, exponent), exponent);
  t = p_norm(t0_s, t, exponent);
  return t + log_length_s * std::log2(1 + work.length / kLengthScale);
}

double DecodeModel::seconds(const workloads::AttentionShape& attention,
                            const Hardware& hardware) const {
  const double group = static_cast<double>(attention.heads) / attention.kv_heads;
  const bool wide = wide_group > 0 && group > wide_group;
  const double blocks = wide ? attention.heads : attention.kv_heads;
  const double element = workloads::bytes_per_element(attention.kv_type);
  const double sequences = std::max(1e-9, attention.sequences);
  return seconds({sequences, blocks, static_cast<double>(attention.heads),
                  2 * attention.kv_tokens * blocks * attention.head_dim * element,
                  4.0 * attention.heads * attention.head_dim * attention.pairs,
                  attention.kv_tokens / sequences},
                 hardware, hardware.peak_of(workloads::DataType::bf16));
}

double DecodeModel::seconds(const workloads::LatentAttentionShape& attention,
                            const Hardware& hardware) const {
  const double element = workloads::bytes_per_element(attention.kv_type);
  const double sequences = std::max(1e-9, attention.sequences);
  const double rows = std::max(head_rows, static_cast<double>(attention.heads));
  const double cached = attention.latent + attention.rope;
  return seconds(
      {sequences, rows / std::max(1.0, head_rows), static_cast<double>(attention.heads),
       attention.kv_tokens * cached * element,
       2.0 * rows * (cached + attention.latent) * attention.pairs, attention.kv_tokens / sequences},
      hardware, hardware.peak_of(workloads::DataType::bf16));
}

}  // namespace rackwright::kernels
