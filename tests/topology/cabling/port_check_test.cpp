#include "topology/cabling/port_check.hpp"

#include <gtest/gtest.h>

#include "tests/topology/cabling/small_floor.hpp"

namespace rackwright::topology {
namespace {

class PortCheckOfTheNvl72Row : public ::testing::Test {
 protected:
  Catalog catalog = Catalog::load(testing::data());
  CablePlan plan = testing::shipped("gb200-superpod", 144, "middle-of-row", "gb200-nvl72");
};

TEST_F(PortCheckOfTheNvl72Row, CountsUsedAndIdlePorts) {
  const PortCheck check = check_ports(plan, catalog);
  EXPECT_TRUE(check.problems.empty());
  EXPECT_EQ(check.used, 2304);  // two ends of 1152 links
  // 576 NICs and 56 switches of 64 ports, less the used ones: 576 + 3584 - 2304.
  EXPECT_EQ(check.idle, 1856);
}

TEST_F(PortCheckOfTheNvl72Row, NamesAPortUsedTwiceAndTheFullCage) {
  plan.links[1].upper = plan.links[0].upper;
  const PortCheck check = check_ports(plan, catalog);
  ASSERT_FALSE(check.problems.empty());
  EXPECT_NE(check.problems[0].find("is used twice"), std::string::npos);
}

TEST_F(PortCheckOfTheNvl72Row, NamesANicOnAnotherRail) {
  plan.links[0].lower.rail = 3;
  const PortCheck check = check_ports(plan, catalog);
  ASSERT_EQ(check.problems.size(), 1U);
  EXPECT_NE(check.problems[0].find("rail 4 is on"), std::string::npos) << check.problems[0];
}

TEST_F(PortCheckOfTheNvl72Row, NamesACableWithAPlugTooMany) {
  for (PulledCable& cable : plan.cables) {
    if (!is_fibre(cable.medium)) continue;
    cable.ends.push_back(cable.ends.back());
    break;
  }
  const PortCheck check = check_ports(plan, catalog);
  ASSERT_EQ(check.problems.size(), 1U);
  EXPECT_NE(check.problems[0].find("has 3 plugs"), std::string::npos);
}

}  // namespace
}  // namespace rackwright::topology
