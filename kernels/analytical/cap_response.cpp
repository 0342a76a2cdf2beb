#include "kernels/analytical/cap_response.hpp"

#include <algorithm>
#include <cmath>

#include "kernels/analytical/roofline.hpp"

namespace rackwright::kernels {

CapResponse CapResponse::from(const CalibratedModel& model) {
  return {parameter(model, "clock_bound"), parameter(model, "frequency_exponent"),
          parameter(model, "lowest_share")};
}

double CapResponse::speed(double cap_w, double uncapped_w, double idle_w) const {
  if (cap_w >= uncapped_w || uncapped_w <= idle_w) return 1;
  const double share = std::clamp((cap_w - idle_w) / (uncapped_w - idle_w), lowest_share, 1.0);
  const double frequency = std::pow(share, 1 / frequency_exponent);
  return 1 / (clock_bound / frequency + 1 - clock_bound);
}

double CapResponse::watts(double cap_w, double uncapped_w) {
  return std::min(cap_w, uncapped_w);
}

}  // namespace rackwright::kernels
