#include <gtest/gtest.h>

#include "tests/topology/hand_built.hpp"

// When AC goes and when it comes back.
namespace rackwright::topology {
namespace {

using namespace testing;

/// Eight shelves of 33 kW under 18 x 5.8 + 9 x 1.24 = 115.56 kW; AC is back after 10 s.
RackEvaluation outage(RackDesign rack, std::vector<Part> own) {
  rack.thermal.cooling_gap_s = fact(10);
  return evaluate(rack, Catalog(std::move(own)), device(1200, 190), std::nullopt, {});
}

std::vector<Part> parts_that_hold_20_ms() {
  std::vector<Part> own = parts();
  for (Part& p : own) {
    if (p.id == "shelf") p.facts["hold_up_ms"] = fact(20);
  }
  return own;
}

// 20 ms x 264 / 115.56 = 45.7 ms.
TEST(RideThrough, PsusAloneHoldMilliseconds) {
  const auto e = outage(liquid_rack(), parts_that_hold_20_ms());
  const Limit* limit = find_limit(e, "power.ride_through.busbar");
  ASSERT_NE(limit, nullptr);
  EXPECT_NEAR(limit->limit->value, 0.0457, 1e-4);
  EXPECT_EQ(limit->load.value, 10);
  EXPECT_EQ(limit->state, LimitState::violated);
  EXPECT_FALSE(limit->promised);
  EXPECT_FALSE(limit->remedy.empty());
}

// Four battery shelves at 28.89 kW each, between 240 s at 20 kW and 90 s at 33 kW:
// 240 (28.89 / 20)^(ln(90 / 240) / ln(33 / 20)) = 116.8 s.
TEST(RideThrough, BatteriesBridgeTheGenerator) {
  RackDesign rack = liquid_rack();
  std::vector<Part> own = parts();
  own.push_back(
      part("bbu", "battery_shelf", {{"backup_s_at_20kw", 240}, {"backup_s_at_33kw", 90}}));
  for (int i = 0; i < 4; ++i) {
    rack.slots.push_back({"b" + std::to_string(i), "bbu", "power", 40.0 + i, 1, Face::front, 0});
  }
  const RackEvaluation e = outage(rack, own);
  const Limit* limit = find_limit(e, "power.ride_through.busbar");
  ASSERT_NE(limit, nullptr);
  EXPECT_NEAR(limit->limit->value, 116.8, 0.1);
  EXPECT_EQ(limit->state, LimitState::met);
}

TEST(RideThrough, IsBlankWithoutAHoldUp) {
  const RackEvaluation e = outage(liquid_rack(), parts());
  const Limit* limit = find_limit(e, "power.ride_through.busbar");
  ASSERT_NE(limit, nullptr);
  EXPECT_EQ(limit->state, LimitState::blank);
}

TEST(RideThrough, IsTheUpsUpstreamWhereOneIsNamed) {
  RackDesign rack = liquid_rack();
  UpstreamUnit ups;
  ups.id = ups.kind = "UPS";
  ups.carries = {"A", "B"};
  rack.upstream = {ups};
  EXPECT_EQ(find_limit(outage(rack, parts()), "power.ride_through.busbar"), nullptr);
}

// Four nodes from 2,450 W idle to 10,200 W.
TEST(ColdStart, StepsFromIdleToTheEnvelope) {
  const auto e = evaluate(air_rack(), catalog(), device(700, 100), std::nullopt, {});
  EXPECT_NEAR(e.figures.at("power.cold_start.step").value, 31000, 1e-6);
  EXPECT_NE(find_requirement(e, "inrush.air"), nullptr);
}

}  // namespace
}  // namespace rackwright::topology
