#include "topology/cabling/geometry.hpp"

#include <vector>

#include <gtest/gtest.h>

#include "common/random.hpp"

namespace rackwright::topology {
namespace {

TEST(BundleDiameter, IsTwelveTenthsOfTheCableTimesTheRootOfTheCount) {
  // 24 fibre cords of 3.0 mm: 1.2 x 3.0 x sqrt(24) = 17.64 mm.
  EXPECT_NEAR(bundle_diameter_m(0.003, 24), 0.01764, 1e-5);
  EXPECT_DOUBLE_EQ(bundle_diameter_m(0.003, 1), 0.003);
  EXPECT_DOUBLE_EQ(bundle_diameter_m(0.003, 0), 0);
}

TEST(Fill, MatchesThePublishedExampleOfAnEighteenInchLadderTray) {
  // EC&M code quiz on NEC 392.9(B): 0.5 inch cables in an 18 x 4 inch ladder tray at 50 %: 183.
  const double inch = 0.0254;
  const double area = 18 * inch * 4 * inch;
  EXPECT_LE(fill_share(183 * cable_area_m2(0.5 * inch), area), 0.5);
  EXPECT_GT(fill_share(184 * cable_area_m2(0.5 * inch), area), 0.5);
}

TEST(LargestDiameter, FillsTheChannelExactlyToItsLimit) {
  // 100 unknown cables beside 10 cm2 of known ones in 300 cm2 at 50 %: 140 cm2 are left,
  // sqrt(4 x 1.4 cm2 / pi) = 13.35 mm.
  const auto d = largest_diameter_m(100, 10e-4, 300e-4, 0.5);
  ASSERT_TRUE(d);
  EXPECT_NEAR(*d, 0.01335, 1e-5);
  EXPECT_NEAR(fill_share(100 * cable_area_m2(*d) + 10e-4, 300e-4), 0.5, 1e-12);
}

TEST(LargestDiameter, IsZeroInAFullChannelAndNothingWithoutUnknownCables) {
  EXPECT_EQ(largest_diameter_m(3, 200e-4, 300e-4, 0.5), 0);
  EXPECT_FALSE(largest_diameter_m(0, 10e-4, 300e-4, 0.5));
}

TEST(ChannelLoss, AddsFibreAndMatedPairs) {
  // 50 m of 3 dB/km and 4 pairs of 0.35 dB: 0.15 + 1.40.
  EXPECT_NEAR(channel_loss_db(50, 3, 4, 0.35), 1.55, 1e-12);
}

TEST(NextLength, RoundsUpToTheCatalogueAndStopsAtItsEnd) {
  const std::vector<double> lengths{0.5, 1, 1.5, 2};
  EXPECT_EQ(next_length_m(lengths, 1.01), 1.5);
  EXPECT_EQ(next_length_m(lengths, 2.0), 2.0);
  EXPECT_FALSE(next_length_m(lengths, 2.01));
}

TEST(Spares, AreThePoissonQuantile) {
  // Poisson(2): P(k <= 4) = 0.9473, P(k <= 5) = 0.9834.
  EXPECT_EQ(spares_for(2, 0.94), 4);
  EXPECT_EQ(spares_for(2, 0.95), 5);
  EXPECT_EQ(spares_for(0, 0.95), 0);
  // For a large mean, mean + 1.645 sqrt(mean) = 10 000 + 164.5.
  EXPECT_NEAR(spares_for(10000, 0.95), 10165, 2);
}

TEST(Fill, GrowsWithEveryCable) {
  RandomSource random(7);
  for (int i = 0; i < 200; ++i) {
    const int cables = static_cast<int>(random.below(5000));
    const double diameter = 1e-3 + 29e-3 * random.uniform();
    const double area = 1e-3 + 0.1 * random.uniform();
    EXPECT_GT(fill_share((cables + 1) * cable_area_m2(diameter), area),
              fill_share(cables * cable_area_m2(diameter), area));
    EXPECT_GE(bundle_diameter_m(diameter, cables + 1), bundle_diameter_m(diameter, cables));
  }
}

}  // namespace
}  // namespace rackwright::topology
