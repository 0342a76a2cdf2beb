#include "kernels/analytical/power_model.hpp"

#include <algorithm>
#include <cmath>

#include "kernels/analytical/roofline.hpp"

namespace rackwright::kernels {

PowerModel PowerModel::from(const CalibratedModel& model) {
  return {parameter(model, "idle_active"),        parameter(model, "flop_coefficient"),
          parameter(model, "flop_exponent"),      parameter(model, "byte_coefficient"),
          parameter(model, "byte_exponent"),      parameter(model, "exponential_coefficient"),
          parameter(model, "link_coefficient"),   parameter(model, "cap_share"),
          parameter(model, "frequency_exponent"), parameter(model, "lowest_frequency")};
}

double PowerModel::demand(const ActivityShares& shares) const {
  const auto power = [](double share, double exponent) -> double {
    if (share <= 0) return 0;
    return std::exp(static_cast<float>(exponent) * std::log(static_cast<float>(share)));
  };
  return idle_active + flop_coefficient * power(shares.flop, flop_exponent) +
         byte_coefficient * power(shares.byte, byte_exponent) +
         exponential_coefficient * shares.exponential + link_coefficient * shares.link;
}

CappedKernel PowerModel::capped(double seconds, const ActivityShares& shares, double clock_bound,
                                double tdp_w, double cap_w, double correction) const {
  const double share = std::min(demand(shares), cap_share) * correction;
  const double at_tdp = std::min(share, cap_share) * tdp_w;
  if (cap_w <= 0 || cap_w >= tdp_w || at_tdp <= cap_share * cap_w) return {seconds, at_tdp};
  const double idle_w = idle_active * tdp_w;
  const double target = cap_share * cap_w;
  // A cap under idle-active power is held at the lowest clock only in part; power is then idle's
  // share of what is allowed, and the caller's cap stays a bound.
  const double dynamic = std::max(0.0, target - idle_w) / std::max(1e-9, at_tdp - idle_w);
  const double frequency =
      std::max(lowest_frequency, std::exp(std::log(std::max(1e-12, dynamic)) / frequency_exponent));
  return {seconds * (clock_bound / frequency + (1 - clock_bound)), target};
}

}  // namespace rackwright::kernels
