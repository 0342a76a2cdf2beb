#pragma once

#include "kernels/analytical/device_profile.hpp"

namespace rackwright::kernels {

/// How a whole job slows down when a power cap lowers the clock: the share
/// d = (cap - P0) / (P - P0) of the dynamic power P - P0 that the cap leaves sets the frequency
/// f = d^(1/y), and the clock-bound share s of the time stretches by 1 / f:
/// speed = 1 / (s / f + 1 - s). Uncapped (cap >= P): 1.
struct CapResponse {
  double clock_bound = 1;         ///< s
  double frequency_exponent = 2;  ///< y
  double lowest_share = 1e-3;     ///< of d; below it the cap cannot be held

  static CapResponse from(const CalibratedModel& model);
  /// Speed relative to the uncapped run that draws `uncapped_w`, over idle-active power `idle_w`.
  [[nodiscard]] double speed(double cap_w, double uncapped_w, double idle_w) const;
  /// Power under the cap: never above it.
  [[nodiscard]] static double watts(double cap_w, double uncapped_w);
};

}  // namespace rackwright::kernels
