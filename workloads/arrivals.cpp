#include "workloads/arrivals.hpp"

#include <algorithm>
#include <cmath>

namespace rackwright::workloads {

namespace {

/// A gap of mean 1. Gamma: shape 1/cv^2, scale cv^2. Weibull: scale 1 / Gamma(1 + 1/shape).
double unit_gap(const ArrivalWindow& window, RandomSource& random) {
  if (window.weibull_shape > 0) {
    const double inverse = 1 / window.weibull_shape;
    return std::pow(random.exponential(1), inverse) / std::tgamma(1 + inverse);
  }
  if (window.cv < 1e-6) return 1;
  const double squared = window.cv * window.cv;
  return random.gamma(1 / squared, squared);
}

}  // namespace

void sample_arrivals(const std::vector<ArrivalWindow>& windows, double end_s, RandomSource& random,
                     const std::function<void(double)>& arrival) {
  bool drawn = false;
  double pending = 0;  // expected arrivals until the next one
  for (std::size_t i = 0; i < windows.size(); ++i) {
    const ArrivalWindow& window = windows[i];
    const double end = i + 1 < windows.size() ? windows[i + 1].start_s : end_s;
    if (window.rate_per_s <= 0) continue;
    if (!drawn) pending = unit_gap(window, random);
    drawn = true;
    double now = window.start_s;
    while (now + pending / window.rate_per_s < end) {
      now += pending / window.rate_per_s;
      arrival(now);
      pending = unit_gap(window, random);
    }
    pending = std::max(0.0, pending - (end - now) * window.rate_per_s);
  }
}

}  // namespace rackwright::workloads
