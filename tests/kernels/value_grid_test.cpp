#include "kernels/analytical/value_grid.hpp"

#include <stdexcept>

#include <gtest/gtest.h>

namespace rackwright::kernels {
namespace {

ValueGrid two_axes() {
  return {{{"m", {1, 4}}, {"n", {10, 1000}}}, {0.0F, 1.0F, 2.0F, 5.0F}};
}

TEST(ValueGrid, IsLinearInTheLogarithm) {
  // m = 2 is half-way between 1 and 4, n = 100 half-way between 10 and 1000: the mean of all four.
  EXPECT_NEAR(two_axes().at({2, 100}), 2.0, 1e-6);
  EXPECT_NEAR(two_axes().at({1, 100}), 0.5, 1e-6);
}

TEST(ValueGrid, IsHeldConstantOutsideAndSaysHowFarItIs) {
  EXPECT_NEAR(two_axes().at({64, 1e6}), 5.0, 1e-9);
  EXPECT_NEAR(two_axes().distance_outside({64, 100}), 4.0, 1e-9);  // 64 / 4 = 2^4
  EXPECT_EQ(two_axes().distance_outside({2, 100}), 0.0);
  EXPECT_FALSE(two_axes().inside({64, 100}));
}

TEST(ValueGrid, WeightsOfAStencilAddUpToOne) {
  const ValueGrid grid = two_axes();
  const auto stencil = grid.stencil({3, 30});
  double sum = 0;
  double value = 0;
  for (std::size_t i = 0; i < stencil.size; ++i) {
    sum += stencil.weight[i];
    value += stencil.weight[i] * grid.values()[stencil.index[i]];
  }
  EXPECT_NEAR(sum, 1.0, 1e-12);
  EXPECT_NEAR(value, grid.at({3, 30}), 1e-12);
}

TEST(ValueGrid, RefusesKnotsThatDoNotAscend) {
  EXPECT_THROW(ValueGrid({{"m", {4, 1}}}), std::invalid_argument);
  EXPECT_THROW(ValueGrid({{"m", {0, 1}}}), std::invalid_argument);
  EXPECT_THROW(ValueGrid({{"m", {1, 2}}}, {0.0F}), std::invalid_argument);
}

}  // namespace
}  // namespace rackwright::kernels
