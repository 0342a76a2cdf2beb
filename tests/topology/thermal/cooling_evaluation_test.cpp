#include <algorithm>
#include <numeric>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/topology/hand_built.hpp"

// Air and liquid side of whole evaluations of racks built by hand.
namespace rackwright::topology {
namespace {

using namespace testing;

RackEvaluation evaluated(const RackDesign& rack, const EvaluateOptions& options = {},
                         double gpu_w = 1200) {
  return evaluate(rack, catalog(), device(gpu_w, 190), std::nullopt, options);
}

TEST(CoolantView, BranchesCarryTheHeatAndTheFlowOfTheRack) {
  const auto e = evaluated(liquid_rack());
  ASSERT_TRUE(e.coolant.has_value());
  double heat = 0, flow = 0, out = 0;
  for (const CoolantBranch& branch : e.coolant->branches) {
    heat += branch.heat_w;
    flow += branch.flow_lpm;
    out += branch.flow_lpm * branch.return_c;
  }
  const double liquid = e.figures.at("liquid.heat.design_envelope").value;
  EXPECT_NEAR(heat, liquid, 1e-9 * liquid);
  EXPECT_NEAR(flow, e.coolant->flow_lpm, 1e-9 * flow);
  // The trays' coolant mixes to the return of the rack.
  EXPECT_NEAR(out / flow, e.figures.at("liquid.return.design_envelope").value, 1e-6);
  EXPECT_EQ(e.coolant->branches.size(), 27u);
}

TEST(CoolantView, TraysWithAPublishedFractionKeepIt) {
  RackDesign rack = liquid_rack();
  std::vector<Part> own = parts();
  for (Part& part : own) {
    if (part.id == "tray") part.facts["liquid_fraction_pct"] = fact(95);
  }
  const auto e = evaluate(rack, Catalog(own), device(1200, 190), std::nullopt, {});
  // 0.95 x 5.8 kW; the switch trays make up the rest of the rack's 90 %.
  EXPECT_NEAR(e.coolant->branches.front().heat_w, 0.95 * 5800, 1e-6);
  const double whole = e.figures.at("liquid.heat.design_envelope").value;
  EXPECT_NEAR(e.figures.at("liquid.heat.other_trays").value, whole - 18 * 0.95 * 5800, 1e-6);
}

TEST(CoolantView, MoreLoadAtASetFlowNeverCoolsAnyTray) {
  EvaluateOptions options;
  options.tcs_flow_lpm = 120;
  std::vector<double> last(27, 0.0);
  for (const double watts : {800.0, 1000.0, 1200.0}) {
    options.gpu_power_cap_w = watts;
    const auto e = evaluated(liquid_rack(), options);
    for (std::size_t i = 0; i < last.size(); ++i) {
      EXPECT_GE(e.coolant->branches[i].return_c, last[i] - 1e-9);
      last[i] = e.coolant->branches[i].return_c;
    }
  }
}

TEST(Cdu, WithOnePumpLostGivesItsPartOfTheFlow) {
  std::vector<Part> own = parts();
  for (Part& part : own) {
    if (part.id == "cdu") part.facts["pump_count"] = fact(2);
  }
  const auto e = evaluate(liquid_rack(), Catalog(own), device(1200, 190), std::nullopt, {});
  const Limit* limit = find_limit(e, "liquid.pump.one_lost");
  ASSERT_NE(limit, nullptr);
  EXPECT_NEAR(limit->limit->value, 60, 1e-9);  // half of 120 l/min
  EXPECT_EQ(limit->failure_unit, "pump");
  EXPECT_FALSE(limit->promised);
}

TEST(Cdu, WithoutANumberOfPumpsAsksForIt) {
  EXPECT_NE(find_requirement(evaluated(liquid_rack()), "pump_count.liquid"), nullptr);
}

TEST(Cdu, PumpPowerStaysBetweenHydraulicPowerAndThePublishedMaximum) {
  EvaluateOptions options;
  options.tcs_flow_lpm = 89;
  const auto e = evaluated(liquid_rack(), options);
  const Estimate& unit = e.figures.at("liquid.pump_power_unit");
  // Hydraulic: 89 / 60,000 m3/s x 33.9 kPa = 50 W.
  EXPECT_NEAR(unit.low, 89.0 / 60 * e.figures.at("liquid.drop.design_envelope").value, 1e-6);
  EXPECT_EQ(unit.high, 875);
}

TEST(Leak, ShutsOneTrayAndItsGpus) {
  const auto e = evaluated(liquid_rack());
  EXPECT_EQ(e.figures.at("liquid.leak.gpus_off").value, 4);
  EXPECT_GT(e.figures.at("liquid.leak.drop").value,
            e.figures.at("liquid.drop.design_envelope").value);
}

TEST(Condensation, IsJudgedAtTheFacilityPipesOfACduInTheRoom) {
  std::vector<Part> own = parts();
  for (Part& part : own) {
    if (part.id == "cdu") part.facts["place"].text = "in-row";
  }
  EvaluateOptions options;
  options.fws_supply_c = 14;
  options.dew_point_c = 15;
  const auto e = evaluate(liquid_rack(), Catalog(own), device(1200, 190), std::nullopt, options);
  const Limit* limit = find_limit(e, "liquid.condensation.fws");
  ASSERT_NE(limit, nullptr);
  EXPECT_EQ(limit->state, LimitState::violated);
  EXPECT_EQ(find_limit(e, "liquid.condensation")->state, LimitState::met);
}

TEST(Air, RecirculationIsBoundedByTheSupplyOfTheRoom) {
  RackDesign rack = air_rack();
  EXPECT_NE(find_requirement(evaluated(rack, {}, 700), "air_supply.air"), nullptr);
  rack.air.supply_over_demand = fact(0.8);
  const auto e = evaluated(rack, {}, 700);
  const Estimate& bound = e.figures.at("air.recirculation_bound");
  EXPECT_NEAR(bound.value, e.figures.at("air.rise.design_envelope").value / 4, 1e-9);
  EXPECT_EQ(bound.low, 0);
}

TEST(Air, AnOpenRowEndIsLessCertain) {
  RackDesign rack = air_rack();
  const auto width = [](const RackEvaluation& e) {
    const Estimate& intake = e.figures.at("air.intake.design_envelope");
    return (intake.high - intake.low) / 2;
  };
  EXPECT_NEAR(width(evaluated(rack, {}, 700)), 2, 1e-9);
  rack.air.row_end = true;
  EXPECT_NEAR(width(evaluated(rack, {}, 700)), 3, 1e-9);
}

TEST(Air, AMatrixOfTheLayoutWarmsTheIntakes) {
  RackDesign rack = air_rack();
  rack.air.recirculation.assign(4, std::vector<double>(4, 0.05));
  const auto e = evaluated(rack, {}, 700);
  // 20 % of each intake is exhaust: rise x 0.2 / 0.8 over 27 degC.
  EXPECT_NEAR(e.figures.at("air.intake.design_envelope").value,
              27 + e.figures.at("air.rise.design_envelope").value / 4, 1e-9);
}

}  // namespace
}  // namespace rackwright::topology
