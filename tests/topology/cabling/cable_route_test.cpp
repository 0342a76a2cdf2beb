#include <cmath>

#include <gtest/gtest.h>

#include "tests/topology/cabling/small_floor.hpp"

namespace rackwright::topology {
namespace {

using testing::add_device;

TEST(CableRoute, BetweenTwoRacksGoesUpOverTheTrayAndDown) {
  FloorPlan floor = testing::two_racks();
  const int a = add_device(floor, "a", 0, 10), b = add_device(floor, "b", 1, 40);
  TrayGraph trays(floor, testing::practice());
  const CableLeg leg = route_leg(floor, trays, {a, 0, {0}}, {b, 0, {0}});
  // Middle of U10: 50 + 9.5 x 44.45 = 472.275 mm; of U40: 1805.775 mm; tray at 2533.6 mm.
  // Managers lie 37.5 mm inside the cabinet's edge, so 262.5 mm from the middle of the opening:
  // 262.5 + 2061.325 + (637.5 - 562.5) + 727.825 + 262.5 = 3389.15 mm.
  EXPECT_NEAR(leg.length_m, 3.38915, 1e-6);
  EXPECT_EQ(leg.first_side, Side::right);
  EXPECT_EQ(leg.other_side, Side::left);
  EXPECT_FALSE(leg.in_rack);
}

TEST(CableRoute, WithinARackStaysInTheManager) {
  FloorPlan floor = testing::two_racks();
  const int a = add_device(floor, "a", 0, 10), b = add_device(floor, "b", 0, 40);
  TrayGraph trays(floor, testing::practice());
  const CableLeg leg = route_leg(floor, trays, {a, 0, {0}}, {b, 0, {0}});
  // 262.5 + 30 x 44.45 + 262.5 = 1858.5 mm.
  EXPECT_NEAR(leg.length_m, 1.8585, 1e-6);
  EXPECT_TRUE(leg.in_rack);
}

TEST(CableRoute, OrderedLengthHasSlackAndALoopAtEachEnd) {
  // 1.8585 x 1.05 + 2 x 0.3.
  EXPECT_NEAR(needed_length_m(1.8585, testing::practice()), 2.551425, 1e-9);
}

TEST(TrayGraph, CrossesBetweenRowsAtTheNearerEnd) {
  FloorPlan floor = testing::two_racks();
  floor.rows = 2;
  floor.racks.push_back(floor.racks[1]);
  floor.racks.back().row = 1;
  floor.racks.back().y_m = 2;
  floor.racks.back().x_m = 0.6;
  TrayGraph trays(floor, testing::practice());
  // From the right manager of the second rack (1162.5 mm) to the row's end at 1200 mm, over 2 m,
  // back to the same place: 37.5 + 2000 + 37.5 mm.
  EXPECT_NEAR(trays.distance(trays.exit_of(1, Side::right), trays.exit_of(2, Side::right)), 2.075,
              1e-9);
  const auto path = trays.path(trays.exit_of(1, Side::right), trays.exit_of(2, Side::right));
  ASSERT_EQ(path.size(), 3U);
  EXPECT_TRUE(trays.segments()[static_cast<std::size_t>(path[1])].cross);
}

TEST(CableRoute, IsNeverShorterThanTheStraightLineAndTheSameBothWays) {
  const CablePlan plan = testing::shipped("dgx-h100-superpod", 127, "end-of-row", "dgx-h100-air");
  TrayGraph trays(plan.floor, plan.layout.practice);
  for (const PulledCable& cable : plan.cables) {
    const CableEnd &a = cable.ends[0], &b = cable.ends[1];
    const auto& da = plan.floor.devices[static_cast<std::size_t>(a.device)];
    const auto& db = plan.floor.devices[static_cast<std::size_t>(b.device)];
    const auto& ra = plan.floor.racks[static_cast<std::size_t>(da.rack)];
    const auto& rb = plan.floor.racks[static_cast<std::size_t>(db.rack)];
    const double straight =
        std::hypot(port_x_m(plan.floor, da, a.cage) - port_x_m(plan.floor, db, b.cage),
                   ra.y_m - rb.y_m, port_z_m(plan.floor, da) - port_z_m(plan.floor, db));
    ASSERT_GE(cable.legs[0].length_m, straight) << da.name << " to " << db.name;
    ASSERT_NEAR(route_leg(plan.floor, trays, b, a).length_m, cable.legs[0].length_m, 1e-9);
  }
}

}  // namespace
}  // namespace rackwright::topology
