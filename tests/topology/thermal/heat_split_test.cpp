#include "topology/thermal/heat_split.hpp"

#include <numeric>

#include <gtest/gtest.h>

namespace rackwright::topology {
namespace {

TEST(HeatSplit, GivesBlankPartsWhatThePublishedOnesLeave) {
  // 6.6 kW at 94 % and 2 kW blank, 7.2 kW to liquid in all: 7.2 - 6.204 = 0.996 of 2 kW.
  const auto split = split_heat({{6600, 0.94}, {2000, {}}}, 7200);
  EXPECT_NEAR(split.liquid_w[0], 6204, 1e-9);
  EXPECT_NEAR(split.liquid_w[1], 996, 1e-9);
  EXPECT_NEAR(*split.blank_fraction, 0.498, 1e-9);
  EXPECT_NEAR(split.unplaced_w, 0, 1e-9);
}

TEST(HeatSplit, SumsToTheLiquidHeatOfTheRackAndSaysWhatHasNoPlace) {
  const auto split = split_heat({{6600, 0.5}, {1000, {}}}, 5000);
  EXPECT_NEAR(split.liquid_w[0] + split.liquid_w[1], 5000, 1e-9);
  EXPECT_NEAR(split.unplaced_w, 700, 1e-9);  // 5000 - 3300 - 1000
  EXPECT_LT(split_heat({{6600, 0.9}}, 5000).unplaced_w, 0);
}

TEST(HeatSplit, OneCommonFractionWithoutPublishedOnes) {
  const auto split = split_heat({{3000, {}}, {1000, {}}}, 2000);
  EXPECT_NEAR(split.liquid_w[0], 1500, 1e-9);
  EXPECT_NEAR(split.liquid_w[1], 500, 1e-9);
}

}  // namespace
}  // namespace rackwright::topology
