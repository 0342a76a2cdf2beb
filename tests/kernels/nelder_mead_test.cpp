#include "kernels/calibration/nelder_mead.hpp"

#include <cmath>

#include <gtest/gtest.h>

namespace rackwright::kernels {
namespace {

TEST(Minimise, FindsTheValleyOfRosenbrock) {
  // (1 - x)^2 + 100 (y - x^2)^2 has its minimum at (1, 1); Rosenbrock 1960.
  const auto cost = [](const std::vector<double>& v) {
    return std::pow(1 - v[0], 2) + 100 * std::pow(v[1] - v[0] * v[0], 2);
  };
  const auto best = minimise({{"x", 0.3, 0.01, 10}, {"y", 3.0, 0.01, 10}}, cost, 2000);
  EXPECT_NEAR(best[0], 1.0, 1e-2);
  EXPECT_NEAR(best[1], 1.0, 2e-2);
}

TEST(Minimise, StaysWithinTheBounds) {
  const auto best = minimise(
      {{"x", 1, 0.5, 2}}, [](const std::vector<double>& v) { return v[0]; }, 200);
  EXPECT_NEAR(best[0], 0.5, 1e-6);
}

}  // namespace
}  // namespace rackwright::kernels
