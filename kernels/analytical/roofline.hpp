#pragma once

#include <array>

#include "kernels/analytical/device_profile.hpp"
#include "kernels/analytical/hardware.hpp"
#include "workloads/operator.hpp"

namespace rackwright::kernels {

/// (a^p + b^p)^(1/p) of non-negative a and b: with p > 0 a maximum with a rounded corner, with p <
/// 0 a minimum (of positive a and b).
[[nodiscard]] double p_norm(double a, double b, double p);

/// A parameter of `model`. Throws InputError naming model and key when it is absent.
[[nodiscard]] double parameter(const CalibratedModel& model, const char* key);

/// Work of whole waves of output tiles over the work asked for, at least 1: the least over tiles
/// 128 x 128 (at 0.9 of the rate), 128 x 256 and 256 x 128 of
/// ceil(ceil(m / tm) ceil(n / tn) / SM) SM tm tn / (rate m n). 1 for SM = 0.
[[nodiscard]] double wave_waste(double m, double n, double multiprocessors);

/// Rows a GEMM is priced at: between 32 and 128 the geometric mean of m and the next multiple of
/// 64, as half of the library's kernels round up to tiles of 64 rows (Vidur tables, A100 and H100:
/// mean error between powers of two 5.5 % instead of 7.5 %). Elsewhere m.
[[nodiscard]] double priced_rows(double m);

/// GEMM: t0 + ((F w^a / (e_c peak))^p + (B / (e_m BW))^p)^(1/p) + q, B = both operands and the
/// output once, w = `wave_waste`, q = m k (2 + b) / (e_q BW) the pass that quantises A to b bytes
/// per element.
struct GemmModel {
  double t0_s = 0;
  double compute_efficiency = 1;
  double memory_efficiency = 1;
  double exponent = 2;
  double quantiser_efficiency = 0;  ///< 0: none
  double wave_share = 0;            ///< a

  static GemmModel from(const CalibratedModel& model);
  /// `weight_bytes` and `input_bytes` per element of B and of A as the GEMM reads them.
  [[nodiscard]] double seconds(const workloads::GemmShape& gemm, double weight_bytes,
                               double input_bytes, double peak, double memory,
                               double multiprocessors) const;
};

/// Memory-bound kernels: ((t0)^p + (B / (e_m BW))^p)^(1/p).
struct ElementwiseModel {
  double t0_s = 0;
  double memory_efficiency = 1;
  double exponent = 2;

  static ElementwiseModel from(const CalibratedModel& model);
  [[nodiscard]] double seconds(double bytes, double memory) const;
};

/// Grouped GEMMs of one MoE layer:
/// t0 + p-norm(F_padded / (e_c peak), W / (e_m BW)) + c x local experts + A / (e_a BW),
/// W = weights of the touched experts, A = activations. F_padded rounds each expert's tokens up to
/// tiles of `tile_rows`, half a tile on average beyond one tile.
struct ExpertModel {
  double t0_s = 0;
  double compute_efficiency = 1;
  double memory_efficiency = 1;
  double exponent = 2;
  double per_expert_s = 0;
  double activation_efficiency = 1;
  double tile_rows = 64;

  static ExpertModel from(const CalibratedModel& model);
  [[nodiscard]] double seconds(const workloads::ExpertShape& experts,
                               const workloads::OperatorWork& work, double peak,
                               double memory) const;
};

/// Coordinates of the residual of `ExpertModel`: tokens per touched expert, touched experts,
/// hidden size, and one rank's share of the intermediate size.
[[nodiscard]] std::array<double, ValueGrid::kMaxAxes> expert_point(
    const workloads::ExpertShape& experts);

}  // namespace rackwright::kernels
