#include "topology/thermal/temperature_fit.hpp"

#include <algorithm>
#include <cmath>

namespace rackwright::topology {

ThermalLine fit_thermal_line(std::span<const ThermalSample> samples) {
  constexpr int kRounds = 50;
  constexpr double kSmallest = 0.01;  // K; residuals below it weigh the same
  ThermalLine line;
  std::vector<double> weights(samples.size(), 1.0);
  for (int round = 0; round < kRounds; ++round) {
    double w = 0;
    double x = 0;
    double y = 0;
    for (std::size_t i = 0; i < samples.size(); ++i) {
      w += weights[i];
      x += weights[i] * samples[i].watts;
      y += weights[i] * samples[i].celsius;
    }
    if (w <= 0) return line;
    x /= w;
    y /= w;
    double xx = 0;
    double xy = 0;
    for (std::size_t i = 0; i < samples.size(); ++i) {
      const double dx = samples[i].watts - x;
      xx += weights[i] * dx * dx;
      xy += weights[i] * dx * (samples[i].celsius - y);
    }
    line.resistance_k_per_w = xx > 0 ? xy / xx : 0;
    line.ambient_c = y - line.resistance_k_per_w * x;
    for (std::size_t i = 0; i < samples.size(); ++i) {
      weights[i] =
          1 / std::max(kSmallest, std::abs(samples[i].celsius - line.celsius(samples[i].watts)));
    }
  }
  return line;
}

void TrackedOffset::add(double time_s, double residual) {
  const double decay = weight_ > 0 ? std::exp2(-(time_s - time_s_) / half_life_s_) : 0;
  sum_ = sum_ * decay + residual;
  weight_ = weight_ * decay + 1;
  time_s_ = time_s;
}

}  // namespace rackwright::topology
