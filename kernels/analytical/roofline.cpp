#include "kernels/analytical/roofline.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "common/input_error.hpp"

namespace rackwright::kernels {

double p_norm(double a, double b, double p) {
  const double larger = std::max(a, b);
  const double smaller = std::min(a, b);
  if (smaller <= 0) return larger;
  // Single precision is a third of the time; its 1e-7 is far under any model's error. The power of
  // the ratio is kept under 1, whatever the sign of p.
  const auto power = static_cast<float>(p);
  const float log_ratio = std::log(static_cast<float>(smaller / larger));
  const float ratio = std::exp(std::abs(power) * log_ratio);
  return (p > 0 ? larger : smaller) * static_cast<double>(std::exp(std::log1p(ratio) / power));
}

double parameter(const CalibratedModel& model, const char* key) {
  const auto found = model.parameters.find(key);
  if (found == model.parameters.end()) {
    throw InputError({model.from + " profile", 0,
                      model.operation + " " + model.variant + " parameters",
                      std::string("a value of ") + key, "nothing"});
  }
  return found->second;
}

double wave_waste(double m, double n, double multiprocessors) {
  if (multiprocessors <= 0) return 1;
  struct Tile {
    double rows, columns, rate;
  };
  constexpr std::array<Tile, 3> tiles{{{128, 128, 0.9}, {128, 256, 1}, {256, 128, 1}}};
  double least = std::numeric_limits<double>::infinity();
  for (const Tile& tile : tiles) {
    const double count = std::ceil(m / tile.rows) * std::ceil(n / tile.columns);
    const double waves = std::ceil(count / multiprocessors);
    least = std::min(least, waves * multiprocessors * tile.rows * tile.columns / tile.rate);
  }
  return std::max(1.0, least / (m * n));
}

double priced_rows(double m) {
  constexpr double kTile = 64;
  if (m <= kTile / 2 || m >= 2 * kTile) return m;
  return std::sqrt(m * kTile * std::ceil(m / kTile));
}

GemmModel GemmModel::from(const CalibratedModel& model) {
  const auto share = model.parameters.find("wave_share");
  return {parameter(model, "t0_s"),
          parameter(model, "compute_efficiency"),
          parameter(model, "memory_efficiency"),
          parameter(model, "exponent"),
          parameter(model, "quantiser_efficiency"),
          share == model.parameters.end() ? 0 : share->second};
}

double GemmModel::seconds(const workloads::GemmShape& gemm, double weight_bytes, double input_bytes,
                          double peak, double memory, double multiprocessors) const {
  constexpr double kActivation = 2.0;
  double flops = 2 * gemm.m * gemm.n * gemm.k;
  if (wave_share > 0) {
    const auto waste = static_cast<float>(wave_waste(gemm.m, gemm.n, multiprocessors));
    flops *= static_cast<double>(std::pow(waste, static_cast<float>(wave_share)));
  }
  const double bytes = gemm.n * gemm.k * weight_bytes + gemm.m * gemm.k * input_bytes +
                       gemm.m * gemm.n * kActivation;
  double t = t0_s + p_norm(flops / (compute_efficiency * peak),
                           bytes / (memory_efficiency * memory), exponent);
  if (quantiser_efficiency > 0 && input_bytes < kActivation) {
    t += gemm.m * gemm.k * (kActivation + input_bytes) / (quantiser_efficiency * memory);
  }
  return t;
}

ElementwiseModel ElementwiseModel::from(const CalibratedModel& model) {
  return {parameter(model, "t0_s"), parameter(model, "memory_efficiency"),
          parameter(model, "exponent")};
}

double ElementwiseModel::seconds(double bytes, double memory) const {
  return p_norm(t0_s, bytes / (memory_efficiency * memory), exponent);
}

ExpertModel ExpertModel::from(const CalibratedModel& model) {
  return {parameter(model, "t0_s"),
          parameter(model, "compute_efficiency"),
          parameter(model, "memory_efficiency"),
          parameter(model, "exponent"),
          parameter(model, "per_expert_s"),
          parameter(model, "activation_efficiency"),
          parameter(model, "tile_rows")};
}

double ExpertModel::seconds(const workloads::ExpertShape& experts,
                            const workloads::OperatorWork& work, double peak, double memory) const {
  const double rows = std::max(1e-9, experts.rank_tokens);
  const double touched = std::max(1e-9, experts.touched_experts);
  // ceil(x / tile) of a spread load: at least one tile, then half a tile of padding on average.
  const double padded = touched * std::max(tile_rows, rows / touched + tile_rows / 2);
  const double flops = work.flops * padded / rows;
  const double activations = std::max(0.0, work.memory_bytes - work.weight_bytes);
  return t0_s +
         p_norm(flops / (compute_efficiency * peak),
                work.weight_bytes / (memory_efficiency * memory), exponent) +
         per_expert_s * experts.local_experts + activations / (activation_efficiency * memory);
}

std::array<double, ValueGrid::kMaxAxes> expert_point(const workloads::ExpertShape& experts) {
  const double touched = std::max(1e-9, experts.touched_experts);
  return {std::max(1e-9, experts.rank_tokens) / touched, touched,
          static_cast<double>(experts.hidden), static_cast<double>(experts.intermediate)};
}

}  // namespace rackwright::kernels
