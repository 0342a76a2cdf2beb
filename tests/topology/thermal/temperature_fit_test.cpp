#include "topology/thermal/temperature_fit.hpp"

#include <gtest/gtest.h>

namespace rackwright::topology {
namespace {

TEST(ThermalLine, IsNotTurnedByOneWildReading) {
  // T = 25 + 0.08 P at 100, 200, 300 and 400 W, and one reading 40 K too warm.
  const std::vector<ThermalSample> samples = {
      {0, 100, 33}, {1, 200, 41}, {2, 300, 49}, {3, 400, 57}, {4, 100, 73}};
  const ThermalLine line = fit_thermal_line(samples);
  EXPECT_NEAR(line.resistance_k_per_w, 0.08, 1e-3);
  EXPECT_NEAR(line.celsius(250), 45, 0.2);
}

TEST(TrackedOffset, HalvesTheWeightOfAResidualPerHalfLife) {
  TrackedOffset offset(100);
  EXPECT_EQ(offset.now(), 0);
  offset.add(0, 3);
  EXPECT_DOUBLE_EQ(offset.now(), 3);
  offset.add(100, 0);  // weights 1/2 and 1: 1.5 / 1.5
  EXPECT_DOUBLE_EQ(offset.now(), 1);
}

}  // namespace
}  // namespace rackwright::topology
