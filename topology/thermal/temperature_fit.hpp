#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace rackwright::topology {

/// One interval of a GPU's history: mean power and mean temperature.
struct ThermalSample {
  double time_s = 0;
  double watts = 0;
  double celsius = 0;
};

/// Steady state of a GPU under its cooler: T = a + R P. `a` is inlet temperature plus what its
/// neighbours add (not recorded, so a constant), R the resistance from GPU to inlet air in K/W.
struct ThermalLine {
  double ambient_c = 0;
  double resistance_k_per_w = 0;
  [[nodiscard]] double celsius(double watts) const {
    return ambient_c + resistance_k_per_w * watts;
  }
};

/// Least absolute deviations by reweighted least squares: an hour with the load at one end of the
/// interval must not turn the line. At least two different powers, else R is 0.
[[nodiscard]] ThermalLine fit_thermal_line(std::span<const ThermalSample> samples);

/// What the line is wrong by now, told from what it was wrong by: mean of the past residuals,
/// weighted by 2^(-age / half_life). 0 before the first sample. Follows inlet air, dust and fan
/// settings, which the line does not know.
class TrackedOffset {
 public:
  explicit TrackedOffset(double half_life_s) : half_life_s_(half_life_s) {}
  /// From the residuals added so far; ageing all of them alike does not change it.
  [[nodiscard]] double now() const { return weight_ > 0 ? sum_ / weight_ : 0; }
  /// `residual` = measured - line, at a time not before the last.
  void add(double time_s, double residual);

 private:
  double half_life_s_;
  double time_s_ = 0;
  double sum_ = 0;
  double weight_ = 0;
};

}  // namespace rackwright::topology
