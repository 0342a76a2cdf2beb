#pragma once

#include "kernels/analytical/device_profile.hpp"

namespace rackwright::kernels {

/// What a kernel does per second, as shares of the device's rates.
struct ActivityShares {
  double flop = 0;
  double byte = 0;
  double exponential = 0;
  double link = 0;
};

/// Time and power of a kernel under a cap.
struct CappedKernel {
  double seconds = 0;
  double watts = 0;
};

/// Module power of a running kernel as a share of TDP:
/// min(c, p0 + a flop^x + b byte^z + e exponential + l link), c the share at which the cap holds
/// the board. Calibrated times already contain the throttling at TDP; a lower cap lowers the
/// frequency, (P - P0) ~ f^y, until the power fits, and stretches the share of the time that
/// follows the clock.
struct PowerModel {
  double idle_active = 0;       ///< p0
  double flop_coefficient = 0;  ///< a
  double flop_exponent = 1;     ///< x
  double byte_coefficient = 0;  ///< b
  double byte_exponent = 1;     ///< z
  double exponential_coefficient = 0;
  double link_coefficient = 0;
  double cap_share = 1;           ///< c
  double frequency_exponent = 2;  ///< y
  double lowest_frequency = 0.1;  ///< of the highest; below it the cap cannot be held

  static PowerModel from(const CalibratedModel& model);
  /// Share of TDP the kernel asks for, before any cap.
  [[nodiscard]] double demand(const ActivityShares& shares) const;
  /// `clock_bound` is the share of the time that grows as the clock falls.
  /// `correction` multiplies the uncapped power (the residual of measured kernels).
  [[nodiscard]] CappedKernel capped(double seconds, const ActivityShares& shares,
                                    double clock_bound, double tdp_w, double cap_w,
                                    double correction = 1) const;
};

}  // namespace rackwright::kernels
