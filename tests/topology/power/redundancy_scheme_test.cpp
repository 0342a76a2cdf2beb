#include "topology/power/redundancy_scheme.hpp"

#include <gtest/gtest.h>

namespace rackwright::topology {
namespace {

double usable(const char* text, int shelves, int per_shelf, double unit_w) {
  return usable_w(parse_redundancy(text).value(), shelves, per_shelf, unit_w);
}

// Three ORv3 HPR shelves of 6 x 5.5 kW: the specification states 93.5 kW for the set (one spare on
// the bus); planners print 82.5 kW for one spare in every shelf.
TEST(RedundancyScheme, SpareOnTheBusOrInEveryShelf) {
  EXPECT_DOUBLE_EQ(usable("N", 3, 6, 5500), 99000);
  EXPECT_DOUBLE_EQ(usable("N+1", 3, 6, 5500), 93500);
  EXPECT_DOUBLE_EQ(usable("N+1 per bus", 3, 6, 5500), 93500);
  EXPECT_DOUBLE_EQ(usable("N+1 per shelf", 3, 6, 5500), 82500);
  EXPECT_DOUBLE_EQ(usable("5+1", 3, 6, 5500), 82500);
}

// DGX H100: 4 + 2 of 3.3 kW is 13.2 kW whichever two are lost. DGX B200: 5 + 1 of 3.3 kW, 16.5 kW.
TEST(RedundancyScheme, CountedUnitsOfANode) {
  EXPECT_DOUBLE_EQ(usable("4+2", 1, 6, 3300), 13200);
  EXPECT_DOUBLE_EQ(usable("4+2 Titanium", 1, 6, 3300), 13200);
  EXPECT_DOUBLE_EQ(usable("5+1", 1, 6, 3300), 16500);
  EXPECT_EQ(parse_redundancy("4+2")->spare, 2);
}

// Eight 33 kW shelves, N+N: 132 kW.
TEST(RedundancyScheme, HalvesStay) {
  for (const char* text : {"N+N", "2N"}) EXPECT_DOUBLE_EQ(usable(text, 8, 6, 5500), 132000) << text;
  EXPECT_DOUBLE_EQ(usable("3+3", 1, 6, 3000), 9000);
}

TEST(RedundancyScheme, FeedsByScheme) {
  const std::vector<double> three{100e3, 100e3, 100e3};
  EXPECT_DOUBLE_EQ(usable_feeds_w(*parse_redundancy("N"), three), 300e3);
  EXPECT_DOUBLE_EQ(usable_feeds_w(*parse_redundancy("N+1"), three), 200e3);
  EXPECT_DOUBLE_EQ(usable_feeds_w(*parse_redundancy("3N/2"), three), 200e3);
  EXPECT_DOUBLE_EQ(usable_feeds_w(*parse_redundancy("2N"), {80e3, 100e3}), 80e3);
  // Four blocks and one reserve of 500 kW: 2 MW of 2.5 MW.
  EXPECT_DOUBLE_EQ(usable_feeds_w(*parse_redundancy("block N+1"), std::vector<double>(5, 500e3)),
                   2e6);
}

TEST(RedundancyScheme, AnotherTextIsNone) {
  EXPECT_FALSE(parse_redundancy("fully redundant").has_value());
  EXPECT_FALSE(parse_redundancy("").has_value());
}

}  // namespace
}  // namespace rackwright::topology
