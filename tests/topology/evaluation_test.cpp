#include "topology/evaluation.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/topology/hand_built.hpp"

namespace rackwright::topology {
namespace {

using namespace testing;

// Design envelope --------------------------------------------------------------------------------

// Four systems of 10.2 kW: 40.8 kW (DGX SuperPOD RA H100).
TEST(DesignEnvelope, OfFourNodesIsTheSumOfTheirMaxima) {
  const auto e = evaluate(air_rack(), catalog(), device(700, 72), std::nullopt, {});
  EXPECT_NEAR(e.figures.at("power.rack_ac.design_envelope").value, 40800, 1e-6);
  EXPECT_EQ(e.figures.at("power.rack_ac.design_envelope").boundary, "rack AC input");
}

// 72 x 1.2 + 36 x 0.5 + 11.16 = 115.56 kW at the busbar: within 1 % of the 115 kW that HPE prints.
TEST(DesignEnvelope, OfAnNvl72IsTheSumOfItsParts) {
  const auto e = evaluate(liquid_rack(), catalog(), device(1200, 190), std::nullopt, {});
  const double bus = e.figures.at("power.bus.design_envelope").value;
  EXPECT_NEAR(bus, 115560, 1e-6);
  EXPECT_NEAR(bus, 115000, 0.01 * 115000);
}

TEST(DesignEnvelope, TakesTheMakersRackFigureWhenItIsHigher) {
  RackDesign rack = liquid_rack();
  rack.published_tdp_w = fact(142000);
  const auto e = evaluate(rack, catalog(), device(1200, 190), std::nullopt, {});
  EXPECT_NEAR(e.figures.at("power.rack_ac.design_envelope").value, 142000, 1e-3);
  EXPECT_GT(e.figures.at("power.unitemised").value, 0);
}

TEST(DesignEnvelope, GivesBlankSwitchTraysWhatTheRackFigureLeaves) {
  RackDesign rack = liquid_rack(8, "blank-switch");
  rack.published_tdp_w = fact(132000);
  const auto e = evaluate(rack, catalog(), device(1200, 190), demand(72, 1000, 190), {});
  EXPECT_NEAR(e.figures.at("power.rack_ac.design_envelope").value, 132000, 1e-3);
  const double bus = e.figures.at("power.bus.design_envelope").value;
  EXPECT_NEAR(e.figures.at("power.filled").value, bus - 18 * 5800, 1e-3);
  EXPECT_EQ(e.figures.at("power.unitemised").value, 0);
  // They draw in the trace too, and the interval says that they may draw less.
  const Estimate& mean = e.figures.at("power.rack_ac.slo_capacity");
  EXPECT_LT(mean.low, mean.value - 0.5 * e.figures.at("power.filled").value);
}

TEST(DesignEnvelope, FollowsAGpuCapAndARackCap) {
  EvaluateOptions options;
  options.gpu_power_cap_w = 1000;
  const auto gpu = evaluate(liquid_rack(), catalog(), device(1200, 190), std::nullopt, options);
  EXPECT_NEAR(gpu.figures.at("power.bus.design_envelope").value, 115560 - 72 * 200, 1e-6);
  options.gpu_power_cap_w.reset();
  options.rack_power_cap_w = 100000;
  const auto rack = evaluate(liquid_rack(), catalog(), device(1200, 190), std::nullopt, options);
  EXPECT_NEAR(rack.figures.at("power.rack_ac.design_envelope").value, 100000, 1);
}

// Redundancy -------------------------------------------------------------------------------------

// 142 kW at AC through eight shelves of 97.5 % peak efficiency is about 138 kW at the busbar; the
// four shelves of one feed hold 132 kW there.
TEST(Redundancy, Gb300At142KilowattsIsNotFeedRedundantOnEightShelves) {
  RackDesign rack = liquid_rack();
  rack.published_tdp_w = fact(142000);
  const auto e = evaluate(rack, catalog(), device(1200, 190), std::nullopt, {});
  const Limit* limit = find_limit(e, "power.bus.busbar.feed.A");
  ASSERT_NE(limit, nullptr);
  EXPECT_EQ(limit->state, LimitState::violated);
  EXPECT_TRUE(limit->promised);
  EXPECT_EQ(limit->load.boundary, "busbar DC");
  EXPECT_EQ(limit->limit->boundary, "busbar DC");
  EXPECT_DOUBLE_EQ(limit->limit->value, 132000);
  EXPECT_GT(limit->load.value, 137000);
  EXPECT_LT(limit->load.value, 142000);
  EXPECT_THAT(limit->remedy, ::testing::HasSubstr("Cap the rack at"));
  EXPECT_THAT(limit->remedy, ::testing::HasSubstr("when feed A is lost"));
  ASSERT_TRUE(limit->remedied_margin.has_value());
  EXPECT_GT(*limit->remedied_margin, 0);
  EXPECT_LT(*limit->remedied_margin, 0.01);  // the smallest change, in whole kW
  EXPECT_LT(e.worst_margin(), 0);
}

TEST(Redundancy, TheRemedyHoldsWhenTheRackIsEvaluatedWithIt) {
  RackDesign rack = liquid_rack();
  rack.published_tdp_w = fact(142000);
  const auto before = evaluate(rack, catalog(), device(1200, 190), std::nullopt, {});
  const Limit* violated = find_limit(before, "power.bus.busbar.feed.A");
  double cap_kw = 0;
  ASSERT_EQ(std::sscanf(violated->remedy.c_str(), "Cap the rack at %lf kW", &cap_kw), 1);
  EvaluateOptions options;
  options.rack_power_cap_w = cap_kw * 1e3;
  const auto after = evaluate(rack, catalog(), device(1200, 190), std::nullopt, options);
  EXPECT_NEAR(find_limit(after, "power.bus.busbar.feed.A")->margin, *violated->remedied_margin,
              1e-4);
}

TEST(Redundancy, AShelfLessNeverRaisesAMargin) {
  double last_all = 2, last_shelf = 2;
  for (int shelves = 8; shelves >= 4; shelves -= 2) {
    const auto e = evaluate(liquid_rack(shelves), catalog(), device(1200, 190), std::nullopt, {});
    const double all = find_limit(e, "power.bus.busbar.none")->margin;
    const double shelf = find_limit(e, "power.bus.busbar.shelf")->margin;
    EXPECT_LT(all, last_all);
    EXPECT_LT(shelf, last_shelf);
    last_all = all;
    last_shelf = shelf;
  }
}

TEST(Redundancy, ANodeThatMakesNoPromiseIsAFinding) {
  // 10.2 kW on three PSUs of 3.3 kW: short by 3 %, but only the loss of a PSU is promised.
  const auto e = evaluate(air_rack(), catalog(), device(700, 72), std::nullopt, {});
  const Limit* limit = find_limit(e, "power.bus.n1.feed.A");
  ASSERT_NE(limit, nullptr);
  EXPECT_EQ(limit->state, LimitState::violated);
  EXPECT_FALSE(limit->promised);
  EXPECT_NEAR(limit->margin, (9900.0 - 10200) / 9900, 1e-9);
  EXPECT_EQ(limit->load.origin, Origin::assumed);            // PSU efficiency is blank
  EXPECT_EQ(find_limit(e, "power.bus.n2.feed.A"), nullptr);  // four nodes alike, judged once
}

TEST(Redundancy, OneFeedCarriesTheRackAfterTheOther) {
  // sqrt(3) x 480 x 100 x 0.8 x 0.98 = 65.18 kW.
  const auto e = evaluate(air_rack(), catalog(), device(700, 72), std::nullopt, {});
  const Limit* normal = find_limit(e, "power.feed.A");
  const Limit* alone = find_limit(e, "power.feed.B.without.A");
  ASSERT_NE(normal, nullptr);
  ASSERT_NE(alone, nullptr);
  EXPECT_NEAR(normal->load.value, 20400, 1e-6);
  EXPECT_NEAR(alone->load.value, 40800, 1e-6);
  EXPECT_NEAR(alone->limit->value, 65180, 10);
}

TEST(Busbar, CarriesHalfThroughEachEnd) {
  // 115.56 kW / 51 V = 2266 A, shelves at both ends: half through the fullest section.
  RackDesign rack = liquid_rack();
  rack.buses[0].section_limit_a = fact(1400);
  const auto e = evaluate(rack, catalog(), device(1200, 190), std::nullopt, {});
  EXPECT_NEAR(e.figures.at("power.busbar_current.busbar").value, 115560 / 51.0, 0.1);
  EXPECT_NEAR(find_limit(e, "power.busbar.busbar")->load.value, 115560 / 51.0 / 2, 1);
}

TEST(PeakExcursion, IsJudgedOnThePulseAllowance) {
  RackDesign rack = liquid_rack();
  rack.edpp_w = fact(155000);
  const auto e = evaluate(rack, catalog(), device(1200, 190), std::nullopt, {});
  const Limit* limit = find_limit(e, "power.edpp.busbar.feedA");
  ASSERT_NE(limit, nullptr);
  EXPECT_NEAR(limit->limit->value, 1.6 * 132000, 1e-6);
  EXPECT_NE(find_requirement(e, "edpp_duration"), nullptr);
}

// Load cases -------------------------------------------------------------------------------------

// One replica of 8 GPUs a node, 5 s at 700 W and 5 s at 72 W: mean 386 W per GPU, half way between
// idle and TDP, so each node draws half way between 2450 and 10200 W.
TEST(LoadCases, NodesFollowTheirPublishedIdleAndMaximum) {
  const auto e = evaluate(air_rack(), catalog(), device(700, 72), demand(8, 700, 72), {});
  EXPECT_NEAR(e.figures.at("power.module.slo_capacity").value, 32 * 386.0, 0.1);
  EXPECT_NEAR(e.figures.at("power.rack_ac.slo_capacity").value, 4 * 6325.0, 0.5);
  EXPECT_NEAR(e.figures.at("power.rack_ac.idle").value, 4 * 2450.0, 1e-6);
  EXPECT_NEAR(e.figures.at("power.rack_ac.slo_capacity.lockstep_peak").value, 40800, 0.5);
}

TEST(LoadCases, PeakInLockstepIsNeverUnderThatAtRandomPhases) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    EvaluateOptions options;
    options.seed = seed;
    const auto e = evaluate(air_rack(), catalog(), device(700, 72), demand(4, 650, 72), options);
    const double peak = e.figures.at("power.rack_ac.slo_capacity.peak").value;
    EXPECT_LE(peak, e.figures.at("power.rack_ac.slo_capacity.lockstep_peak").value + 1e-6);
    EXPECT_LE(e.figures.at("power.rack_ac.slo_capacity.p99").value, peak + 1e-6);
    EXPECT_LE(peak, e.figures.at("power.rack_ac.design_envelope").value);
  }
}

TEST(LoadCases, AsRecordedUsesAsFewReplicasAsNeeded) {
  // Capacity carries two copies, so one replica of 8 carries the record; 24 GPUs idle.
  const auto e = evaluate(air_rack(), catalog(), device(700, 72), demand(8, 700, 72), {});
  EXPECT_NEAR(e.figures.at("power.module.as_recorded").value, 8 * 386.0 + 24 * 72.0, 0.1);
}

// A node draws 2,450 W with idle GPUs (72 W) and 10,200 W with all eight at 700 W; linear between:
// 6,325 W at 386 W a GPU, 7,559.1 W at 486 W.
TEST(LoadCases, MeasuredPowerIsALoadCaseOfRacksOfItsDevice) {
  EvaluateOptions options;
  options.measured = MeasuredLoad{air_rack().device, {286, 486}, 2, "energy counter over 2 s"};
  const auto e = evaluate(air_rack(), catalog(), device(700, 72), std::nullopt, options);
  EXPECT_NEAR(e.figures.at("power.module.as_measured").value, 32 * 386.0, 1e-6);
  EXPECT_NEAR(e.figures.at("power.rack_ac.as_measured").value, 4 * 6325.0, 1e-6);
  EXPECT_NEAR(e.figures.at("power.rack_ac.as_measured.peak").value, 4 * 7559.08, 0.1);
  EXPECT_NEAR(e.figures.at("air.heat.as_measured").value, 4 * 6325.0, 1e-6);
  const auto& cases = e.failures.loads;
  EXPECT_TRUE(std::any_of(cases.begin(), cases.end(),
                          [](const auto& one) { return one.first == LoadCase::as_measured; }));
  options.measured->device = "another";
  const auto other = evaluate(air_rack(), catalog(), device(700, 72), std::nullopt, options);
  EXPECT_EQ(other.figures.find("power.rack_ac.as_measured"), nullptr);
}

TEST(LoadCases, TheSameSeedGivesTheSameNumbers) {
  const auto a = evaluate(air_rack(), catalog(), device(700, 72), demand(4, 700, 72), {});
  const auto b = evaluate(air_rack(), catalog(), device(700, 72), demand(4, 700, 72), {});
  ASSERT_EQ(a.figures.all().size(), b.figures.all().size());
  for (std::size_t i = 0; i < a.figures.all().size(); ++i) {
    EXPECT_EQ(a.figures.all()[i].estimate.value, b.figures.all()[i].estimate.value)
        << a.figures.all()[i].key;
  }
}

// Heat -------------------------------------------------------------------------------------------

TEST(Heat, OutIsPowerIn) {
  const auto liquid = evaluate(liquid_rack(), catalog(), device(1200, 190), std::nullopt, {});
  const double in = liquid.figures.at("power.rack_ac.design_envelope").value;
  EXPECT_NEAR(liquid.figures.at("liquid.heat.design_envelope").value +
                  liquid.figures.at("air.heat.design_envelope").value,
              in, 1e-9 * in);
  EXPECT_NEAR(liquid.figures.at("liquid.heat.design_envelope").value, 0.9 * in, 1e-6);
  const auto air = evaluate(air_rack(), catalog(), device(700, 72), std::nullopt, {});
  EXPECT_NEAR(air.figures.at("air.heat.design_envelope").value, 40800, 1e-6);
}

TEST(Heat, AirRisesByPowerOverFlow) {
  // 10.2 kW in 1,105 CFM of air at 27 degC and sea level (1.176 kg/m3): 16.2 K x 1.2/1.176 = 16.5
  // K.
  const auto e = evaluate(air_rack(), catalog(), device(700, 72), std::nullopt, {});
  EXPECT_NEAR(e.figures.at("air.rise.design_envelope").value, 16.5, 0.1);
  EXPECT_NEAR(e.figures.at("air.outlet.design_envelope").value, 43.5, 0.1);
  EXPECT_NEAR(e.figures.at("air.flow_per_power").value, 1105 / 10.2, 0.1);
}

TEST(Heat, MoreLoadNeverCoolsAtAFixedFlow) {
  double last_air = 0, last_return = 0;
  for (double cap = 200; cap <= 1200; cap += 100) {
    EvaluateOptions options;
    options.gpu_power_cap_w = cap;
    options.tcs_flow_lpm = 100;
    const auto e = evaluate(liquid_rack(), catalog(), device(1200, 190), std::nullopt, options);
    const double warm = e.figures.at("liquid.return.design_envelope").value;
    EXPECT_GT(warm, last_return);
    last_return = warm;
    options.gpu_power_cap_w = cap / 2;
    const auto a = evaluate(air_rack(), catalog(), device(700, 72), std::nullopt, options);
    const double outlet = a.figures.at("air.outlet.design_envelope").value;
    EXPECT_GT(outlet, last_air);
    last_air = outlet;
  }
}

TEST(Heat, TraysOfEqualLoadAreInterchangeable) {
  RackDesign swapped = liquid_rack();
  std::swap(swapped.slots[4].id, swapped.slots[5].id);
  const auto a = evaluate(liquid_rack(), catalog(), device(1200, 190), std::nullopt, {});
  const auto b = evaluate(swapped, catalog(), device(1200, 190), std::nullopt, {});
  for (const Limit& limit : a.limits) {
    const Limit* other = find_limit(b, limit.id);
    ASSERT_NE(other, nullptr) << limit.id;
    EXPECT_DOUBLE_EQ(limit.margin, other->margin) << limit.id;
  }
}

// Liquid -----------------------------------------------------------------------------------------

TEST(Liquid, AtThirtyFiveDegreesThePublishedFlowAndDropAreMet) {
  // Lenovo LP2357: 89 l/min and 4.9 psi (33.8 kPa), fitted on the rows at 25 and 45 degC.
  EvaluateOptions options;
  options.tcs_supply_c = 35;
  const auto e = evaluate(liquid_rack(), catalog(), device(1200, 190), std::nullopt, options);
  EXPECT_NEAR(e.figures.at("liquid.flow").value, 89, 0.03 * 89);
  EXPECT_NEAR(e.figures.at("liquid.drop.design_envelope").value, 33.78, 0.05 * 33.78);
}

TEST(Liquid, FlowIsJudgedByWhatTheReturnLimitNeeds) {
  // 0.9 x 118.6 kW of AC at 25 K of PG25 at 40 degC: P / (1022.5 x 3920 x 25) = 64 l/min of 130.
  RackDesign rack = liquid_rack();
  rack.liquid->required.clear();
  rack.liquid->flow_max_lpm = fact(130);
  rack.liquid->return_max_c = fact(65);
  const auto e = evaluate(rack, catalog(), device(1200, 190), std::nullopt, {});
  const Limit* limit = find_limit(e, "liquid.flow");
  ASSERT_NE(limit, nullptr);
  EXPECT_NEAR(limit->load.value, 64, 0.5);
  EXPECT_EQ(limit->state, LimitState::met);
  EXPECT_DOUBLE_EQ(e.figures.at("liquid.flow").value, 130);
}

TEST(Liquid, ACduOf121KilowattsHasNoMarginFor121AndAHalf) {
  RackDesign rack = liquid_rack();
  rack.published_tdp_w = fact(135000);  // x 90 % = 121.5 kW
  const auto e = evaluate(rack, catalog(), device(1200, 190), std::nullopt, {});
  const Limit* limit = find_limit(e, "liquid.cdu");
  ASSERT_NE(limit, nullptr);
  EXPECT_EQ(limit->state, LimitState::violated);
  EXPECT_NEAR(limit->margin, (121000 - 121500.0) / 121000, 1e-6);
  ASSERT_TRUE(limit->remedied_margin.has_value());
  EXPECT_GT(*limit->remedied_margin, 0);
}

TEST(Liquid, LosingTheOnlyCduIsAFindingAndASecondOneAPromise) {
  RackDesign rack = liquid_rack();
  const auto one = evaluate(rack, catalog(), device(1200, 190), std::nullopt, {});
  EXPECT_FALSE(find_limit(one, "liquid.cdu.one_lost")->promised);
  rack.liquid->cdus_installed = 2;
  const auto two = evaluate(rack, catalog(), device(1200, 190), std::nullopt, {});
  EXPECT_TRUE(find_limit(two, "liquid.cdu.one_lost")->promised);
  EXPECT_NE(find_limit(two, "liquid.cdu_flow.one_lost"), nullptr);
}

TEST(Liquid, SupplyAtTheDewPointCondenses) {
  EvaluateOptions options;
  options.dew_point_c = 24;
  options.tcs_supply_c = 25;
  const auto e = evaluate(liquid_rack(), catalog(), device(1200, 190), std::nullopt, options);
  const Limit* limit = find_limit(e, "liquid.condensation");
  EXPECT_EQ(limit->state, LimitState::violated);
  EXPECT_EQ(limit->remedy, "Supply at 27 degC or more");
  EXPECT_GT(*limit->remedied_margin, 0);
}

TEST(Liquid, SupplyOverTheRacksLimitIsViolated) {
  EvaluateOptions options;
  options.tcs_supply_c = 48;
  const auto e = evaluate(liquid_rack(), catalog(), device(1200, 190), std::nullopt, options);
  const Limit* limit = find_limit(e, "liquid.supply");
  ASSERT_NE(limit, nullptr);
  EXPECT_EQ(limit->state, LimitState::violated);
  EXPECT_EQ(limit->remedy, "Supply at 44 degC or less, 4 K lower");
}

// Rear door --------------------------------------------------------------------------------------

TEST(RearDoor, TooSmallForTheRackAsksForACapThatHolds) {
  RackDesign rack = air_rack();
  rack.rear_door = RearDoor{"door"};  // 40 kW for 40.8
  const auto e = evaluate(rack, catalog(), device(700, 72), std::nullopt, {});
  const Limit* limit = find_limit(e, "air.rear_door");
  ASSERT_NE(limit, nullptr);
  EXPECT_EQ(limit->state, LimitState::violated);
  EXPECT_THAT(limit->remedy, ::testing::HasSubstr("Cap the rack at 39 kW AC"));
  EXPECT_NEAR(*limit->remedied_margin, 1.0 / 40, 1e-6);
}

TEST(RearDoor, WaterAtTheDewPointCondenses) {
  RackDesign rack = air_rack();
  rack.rear_door = RearDoor{"door"};
  EvaluateOptions options;
  options.fws_supply_c = 16;
  options.dew_point_c = 15;
  const auto e = evaluate(rack, catalog(), device(700, 72), std::nullopt, options);
  EXPECT_EQ(find_limit(e, "air.rear_door.condensation")->state, LimitState::violated);
}

// Service, network, mechanical -------------------------------------------------------------------

TEST(Service, ScalesWithTheReplicasOfTheRack) {
  const auto e = evaluate(air_rack(), catalog(), device(700, 72), demand(8, 700, 72), {});
  EXPECT_EQ(e.placement.replicas, 4);
  const Estimate& tokens = e.figures.at("service.tokens_per_s");
  EXPECT_DOUBLE_EQ(tokens.value, 4000);
  EXPECT_DOUBLE_EQ(tokens.low, 3600);
  // 4000 tok/s over 40.8 kW of envelope, and over 25.3 kW of mean draw.
  EXPECT_NEAR(e.figures.at("service.tokens_per_s_per_mw").value, 4000 / 0.0408, 1);
  EXPECT_NEAR(e.figures.at("service.tokens_per_joule").value, 4000 / 25300.0, 1e-5);
}

TEST(Service, AnSloThatAnIdleReplicaMissesIsViolatedNotBlank) {
  Demand d = demand(8, 700, 72);
  d.capacity.load_factor = 0;
  d.capacity.limited_by = "never meets TPOT P99";
  const auto e = evaluate(air_rack(), catalog(), device(700, 72), d, {});
  const Limit* limit = find_limit(e, "service.slo");
  ASSERT_NE(limit, nullptr);
  EXPECT_EQ(limit->state, LimitState::violated);
  EXPECT_FALSE(e.blank_service);
  EXPECT_EQ(e.figures.find("service.tokens_per_s"), nullptr);
}

TEST(Service, WithoutDemandIsBlankAndSaysWhatItNeeds) {
  const auto e = evaluate(air_rack(), catalog(), device(700, 72), std::nullopt, {});
  EXPECT_TRUE(e.blank_service);
  const Requirement* need = find_requirement(e, "service.gpu");
  ASSERT_NE(need, nullptr);
  EXPECT_TRUE(need->decides);
}

TEST(Network, LoadIsPerGpuOneDirection) {
  const auto e = evaluate(air_rack(), catalog(), device(700, 72), demand(8, 700, 72), {});
  EXPECT_NEAR(e.figures.at("network.scale_up_mean").value, 45, 1e-9);
  const Limit* limit = find_limit(e, "network.scale_up");
  EXPECT_NEAR(limit->margin, (450.0 - 90) / 450, 1e-9);
  EXPECT_EQ(limit->load.boundary, limit->limit->boundary);
}

// 9 switch trays: eight carry what nine did, 12.5 % longer on the wire. 450 GB over 10 s at 450 GB/s
// is 1 s of the 2 s of collectives, in 5 s of work: between 12.5 % of 1 s and of 2 s, over 5 s.
TEST(Network, ALostSwitchTrayStretchesTheCollectives) {
  RackDesign rack = liquid_rack();
  rack.scale_up_switches = 18;
  Demand load = demand(8, 1200, 190);
  load.capacity.trace.engine.busy_s = 5;
  auto& totals = load.capacity.trace.totals;
  totals[static_cast<std::size_t>(workloads::OperatorClass::collective)].seconds = 2;
  const auto e = evaluate(rack, catalog(), device(1200, 190), load, {});
  const Estimate& collectives = e.figures.at("network.switch_tray_lost.collectives");
  EXPECT_NEAR(collectives.high, 12.5, 1e-9);
  EXPECT_NEAR(collectives.low, 6.25, 1e-9);
  const Estimate& steps = e.figures.at("network.switch_tray_lost.steps");
  EXPECT_NEAR(steps.high, 5, 1e-9);
  EXPECT_NEAR(steps.low, 2.5, 1e-9);
}

TEST(Cabling, OneScaleOutCablePerNic) {
  const auto e = evaluate(air_rack(), catalog(), device(700, 72), std::nullopt, {});
  EXPECT_DOUBLE_EQ(e.figures.at("cabling.scale_out_cables").value, 32);
}

TEST(Mechanical, WeightStandsOnTheFootprint) {
  // 4 x 130 kg on 0.6 x 1.068 m: 520 x 9.80665 / 0.6408 = 7.958 kPa.
  const auto e = evaluate(air_rack(), catalog(), device(700, 72), std::nullopt, {});
  EXPECT_NEAR(e.figures.at("mechanical.weight").value, 520, 1e-9);
  EXPECT_NEAR(e.figures.at("mechanical.floor_pressure").value, 7.958, 0.001);
  EXPECT_NE(find_requirement(e, "weight_kg.rack frame"), nullptr);
}

TEST(Mechanical, TheMakersFigureReplacesAnIncompleteSum) {
  RackDesign rack = liquid_rack();
  rack.published_weight_kg = fact(1360);
  const auto e = evaluate(rack, catalog(), device(1200, 190), std::nullopt, {});
  EXPECT_NEAR(e.figures.at("mechanical.weight").value, 1360, 1e-9);
}

// Blanks -----------------------------------------------------------------------------------------

TEST(Blanks, ANodeWithoutPowerIsSolvedForNotGuessed) {
  std::vector<Part> all = parts();
  all[0].facts.erase("max_power_w");
  const auto e = evaluate(air_rack(), Catalog(all), device(1400, 140), demand(8, 900, 140), {});
  EXPECT_EQ(e.figures.find("power.rack_ac.design_envelope"), nullptr);
  EXPECT_EQ(e.figures.find("service.tokens_per_s_per_mw"), nullptr);
  EXPECT_NE(e.figures.find("service.tokens_per_s"), nullptr);
  const Requirement* need = find_requirement(e, "max_power_w.node");
  ASSERT_NE(need, nullptr);
  EXPECT_TRUE(need->decides);
  // Five of six PSUs of 3.3 kW stay after the promised loss: 16.5 kW; the feeds allow 32.6 kW.
  EXPECT_THAT(need->solved, ::testing::HasSubstr("<= 16.5 kW each"));
  EXPECT_THAT(need->solved, ::testing::HasSubstr("alone take 11.2 kW"));
}

TEST(Blanks, AFeedWithoutBreakerIsABlankLimitWithTheCurrentItNeeds) {
  RackDesign rack = air_rack();
  rack.feeds[0].breaker_a = 0;
  const auto e = evaluate(rack, catalog(), device(700, 72), std::nullopt, {});
  EXPECT_EQ(find_limit(e, "power.feed.A")->state, LimitState::blank);
  // Loss of a feed is not promised: 20.4 kW / (sqrt(3) x 480 x 0.8 x 0.98) = 31.3 A.
  ASSERT_NE(find_requirement(e, "feed_breaker.A"), nullptr);
  EXPECT_EQ(find_requirement(e, "feed_breaker.A")->solved, ">= 32 A in all at 480 V");
  EXPECT_EQ(e.figures.find("power.feeds_headroom"), nullptr);
  EXPECT_EQ(e.limits.back().state, LimitState::blank);
}

// Drawing ----------------------------------------------------------------------------------------

TEST(Trays, HoldEverySlotThatDrawsAndEveryShelf) {
  const auto e = evaluate(liquid_rack(), catalog(), device(1200, 190), std::nullopt, {});
  ASSERT_EQ(e.trays.size(), 27u + 8u);
  double trays = 0, shelves = 0;
  for (const TrayState& tray : e.trays) (tray.rating_w > 0 ? shelves : trays) += tray.power_w;
  EXPECT_NEAR(trays, 115560, 1e-6);
  EXPECT_NEAR(shelves, trays, 1e-6);
}

TEST(Timelines, KeepExtremesAndShowTheEnvelope) {
  const auto e = evaluate(liquid_rack(), catalog(), device(1200, 190), demand(72, 1000, 190), {});
  ASSERT_EQ(e.timelines.size(), 2u);
  const TimelineLane& lane = e.timelines[0];
  EXPECT_EQ(lane.unit, "kW");
  EXPECT_NEAR(lane.peak, e.figures.at("power.rack_ac.slo_capacity.peak").value / 1e3, 1e-9);
  EXPECT_NEAR(lane.average, e.figures.at("power.rack_ac.slo_capacity").value / 1e3, 0.1);
  ASSERT_EQ(lane.lines.size(), 2u);
  // 132 kW of DC through the four shelves that stay draws more than 132 kW of AC.
  EXPECT_GT(lane.lines[1].value, 132);
  EXPECT_LT(lane.lines[1].value, 132 / 0.96);
}

TEST(BillOfMaterial, CountsTheParts) {
  const auto e = evaluate(liquid_rack(), catalog(), device(1200, 190), std::nullopt, {});
  for (const BomLine& line : e.bom) {
    if (line.part == "tray") {
      EXPECT_EQ(line.quantity, 18);
    } else if (line.part == "shelf") {
      EXPECT_EQ(line.quantity, 8);
    }
  }
  EXPECT_EQ(e.bom.size(), 4u);
}

TEST(Figures, AreUniqueAndLookedUpByKey) {
  FigureSet set;
  set.add({"a", "A", exact(1, {"W"}), "", ""});
  EXPECT_THROW(set.add({"a", "A", exact(2, {"W"}), "", ""}), std::logic_error);
  EXPECT_THROW((void)set.at("b"), std::logic_error);
  EXPECT_EQ(set.find("b"), nullptr);
}

}  // namespace
}  // namespace rackwright::topology
