#include <gtest/gtest.h>

#include "tests/topology/hand_built.hpp"

namespace rackwright::topology {
namespace {

using namespace testing;

RackEvaluation cabled(RackDesign rack, const std::optional<CablingDemand>& cabling) {
  EvaluateOptions options;
  options.cabling = cabling;
  return evaluate(rack, catalog(), device(700, 72), std::nullopt, options);
}

TEST(CablingInEvaluation, ModulesTheMakerMayNotCountWidenTheEnvelopeUpwards) {
  // Four nodes of 10.2 kW at AC input, no rack figure: 40.8 kW, and 1.02 kW of modules is 2.5 %.
  const auto e = cabled(air_rack(), CablingDemand{900, 1020, 0, 1});
  const Estimate& ac = e.figures.at("power.rack_ac.design_envelope");
  EXPECT_NEAR(ac.value, 40800, 1e-6);
  EXPECT_NEAR(ac.high, 41820, 1e-6);
  EXPECT_NEAR(e.figures.at("air.heat.design_envelope").high, 41820, 1e-6);
}

TEST(CablingInEvaluation, ARackFigureThatLeavesRoomHoldsTheModules) {
  RackDesign rack = air_rack();
  rack.published_tdp_w = fact(42000);  // 1.2 kW over the parts
  const auto e = cabled(rack, CablingDemand{900, 1020, 0, 1});
  EXPECT_NEAR(e.figures.at("power.rack_ac.design_envelope").high, 42000, 1e-6);
}

TEST(CablingInEvaluation, CablesInTheWayLowerTheLeastAirFlow) {
  // 4 x 1105 CFM = 4420 CFM = 125.16 m3/min; 10 % of the way closed leaves 0.9 of it at least.
  const auto free = cabled(air_rack(), std::nullopt);
  const auto dense = cabled(air_rack(), CablingDemand{0, 0, 0.1, 1});
  EXPECT_NEAR(free.figures.at("air.flow").low, 125.16, 0.01);
  EXPECT_NEAR(dense.figures.at("air.flow").low, 0.9 * 125.16, 0.01);
  EXPECT_NEAR(dense.figures.at("air.flow").value, 125.16, 0.01);
  // The rise is inverse to the flow.
  EXPECT_NEAR(dense.figures.at("air.rise.design_envelope").high,
              free.figures.at("air.rise.design_envelope").high / 0.9, 1e-6);
}

TEST(CablingInEvaluation, TheSitesOwnBlockedShareIsPreferred) {
  RackDesign rack = air_rack();
  rack.air.cable_blocked = fact(0.2);
  const auto e = cabled(rack, CablingDemand{0, 0, 0.1, 1});
  EXPECT_NEAR(e.figures.at("air.flow").low, 0.8 * 125.16, 0.01);
}

TEST(CablingInEvaluation, LossBehindTheNodesGrowsWithTheOpenAreaSquared) {
  // The same air through 0.9 of the area: 1 / 0.81 of the pressure.
  const auto free = cabled(air_rack(), std::nullopt);
  const auto dense = cabled(air_rack(), CablingDemand{0, 0, 0.1, 1});
  EXPECT_NEAR(dense.figures.at("air.way_out_drop").value,
              free.figures.at("air.way_out_drop").value / 0.81, 1e-9);
}

}  // namespace
}  // namespace rackwright::topology
