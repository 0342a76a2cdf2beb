#include "kernels/calibration/grid_fit.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rackwright::kernels {
namespace {

TEST(FitGrid, ReproducesPointsAndFillsBetweenThemLinearly) {
  const std::vector<ValueGrid::Axis> axes{{"m", {1, 2, 4, 8}}};
  const std::vector<GridPoint> points{{{1}, 0.0}, {{8}, 3.0}};
  const ValueGrid grid = fit_grid(axes, points, 1e-3);
  EXPECT_NEAR(grid.at({1}), 0.0, 0.01);
  EXPECT_NEAR(grid.at({2}), 1.0, 0.01);  // a third of the way in log m
  EXPECT_NEAR(grid.at({4}), 2.0, 0.01);
  EXPECT_NEAR(grid.at({8}), 3.0, 0.01);
}

TEST(KnotsOf, AreDistinctAscendingAndThinned) {
  EXPECT_THAT(knots_of({4, 1, 2, 2, 1}), ::testing::ElementsAre(1, 2, 4));
  EXPECT_THAT(knots_of({1, 1.5, 2, 3, 4}, 1.9), ::testing::ElementsAre(1, 2, 4));
}

}  // namespace
}  // namespace rackwright::kernels
