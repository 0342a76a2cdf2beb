#pragma once

#include <array>
#include <span>
#include <vector>

#include "kernels/analytical/value_grid.hpp"

namespace rackwright::kernels {

struct GridPoint {
  std::array<double, ValueGrid::kMaxAxes> at{};
  double value = 0;
};

/// Values of a grid that reproduce scattered points: least squares of the interpolation, plus
/// `stiffness` times the squared difference of neighbours over their logarithmic distance, which
/// fills knots without points by linear interpolation between those with points and lets the value
/// die out beyond. Conjugate gradients; deterministic.
[[nodiscard]] ValueGrid fit_grid(const std::vector<ValueGrid::Axis>& axes,
                                 std::span<const GridPoint> points, double stiffness);

/// The distinct values as knots, thinned so that neighbours are at least `ratio` apart.
[[nodiscard]] std::vector<double> knots_of(std::vector<double> values, double ratio = 1.01);

}  // namespace rackwright::kernels
