#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/topology/hand_built.hpp"
#include "topology/mechanical/floor_load.hpp"
#include "topology/thermal/transient/ride_through.hpp"

// Ride-through, GPU temperatures and what the rack asks of its site, of racks worked on paper.
namespace rackwright::topology {
namespace {

using ::testing::HasSubstr;
using namespace testing;

constexpr double kJoulesPerLitreK = 1022.5 * 3920 * 1e-3;  // PG25 at 40 degC

RackDesign rack_with_limits() {
  RackDesign rack = liquid_rack();
  rack.liquid->return_max_c = fact(65);
  rack.thermal.cooling_gap_s = fact(10);
  return rack;
}

TEST(RideThrough, WithoutMassInTheRacksTheLoopTakesTheHeat) {
  // 100 kW on 1 MJ/K, 5 K: 50 s.
  const auto seconds = seconds_without_heat_sink({100e3, 5000, 0, 1e6}, 40, 45);
  ASSERT_TRUE(seconds);
  EXPECT_NEAR(*seconds, 50, 1e-3);
  EXPECT_EQ(*seconds_without_heat_sink({100e3, 5000, 0, 1e6}, 45, 45), 0);
}

TEST(RideThrough, CoolantInTheRackBridgesInProportion) {
  RackDesign rack = rack_with_limits();
  rack.thermal.rack_coolant_l = fact(25);
  const auto e = evaluate(rack, catalog(), device(1200, 190), std::nullopt, {});
  const double heat = e.figures.at("liquid.heat.design_envelope").value;
  const double returned = e.figures.at("liquid.return.design_envelope").value;
  const double expected = 25 * kJoulesPerLitreK * (65 - returned) / heat;
  EXPECT_NEAR(e.figures.at("transient.seconds_without_flow").value, expected, 1e-6 * expected);
  const Limit* limit = find_limit(e, "liquid.ride_through.pumps");
  ASSERT_NE(limit, nullptr);
  EXPECT_EQ(limit->state, expected < 10 ? LimitState::violated : LimitState::met);
  EXPECT_FALSE(limit->promised);
  // Warming for 10 l: P / (10 l x 4008.2 J/(l K)).
  EXPECT_NEAR(e.figures.at("transient.no_flow_rate").value, heat / (10 * kJoulesPerLitreK), 1e-9);
}

TEST(RideThrough, ABlankVolumeIsSolvedForAndNotGuessed) {
  const auto e = evaluate(rack_with_limits(), catalog(), device(1200, 190), std::nullopt, {});
  EXPECT_EQ(e.figures.find("transient.seconds_without_flow"), nullptr);
  EXPECT_EQ(find_limit(e, "liquid.ride_through.pumps")->state, LimitState::blank);
  const double heat = e.figures.at("liquid.heat.design_envelope").value;
  const double returned = e.figures.at("liquid.return.design_envelope").value;
  const int litres = static_cast<int>(std::ceil(heat * 10 / kJoulesPerLitreK / (65 - returned)));
  EXPECT_THAT(find_requirement(e, "rack_coolant_l.liquid")->solved,
              HasSubstr(">= " + std::to_string(litres) + " l"));
  // One rack on its CDU from 40 to 45 degC.
  const int loop = static_cast<int>(std::ceil(heat * 10 / kJoulesPerLitreK / 5));
  EXPECT_THAT(find_requirement(e, "loop_coolant_l.liquid")->solved,
              HasSubstr(">= " + std::to_string(loop) + " l"));
}

TEST(RideThrough, RoomAirAloneHoldsAnAirRackForSeconds) {
  // 4 x 10.2 kW from 27 to 30 degC in 100 m3: rho cp = 101325 / (287.05 x 300.15) x 1006 =
  // 1183.1 J/(m3 K); 100 x 1183.1 x 3 / 40.8e3 = 8.70 s.
  RackDesign rack = air_rack();
  rack.thermal.room_air_m3 = fact(100);
  rack.thermal.cooling_gap_s = fact(10);
  const auto e = evaluate(rack, catalog(), device(700, 72), std::nullopt, {});
  EXPECT_NEAR(e.figures.at("transient.seconds_without_room_cooling").value, 8.70, 0.01);
  EXPECT_EQ(find_limit(e, "air.ride_through")->state, LimitState::violated);
}

TEST(ModuleTemperature, StandsOverItsInletByResistanceTimesPower) {
  RackDesign rack = rack_with_limits();
  rack.thermal.module_resistance_k_per_w = fact(0.03);
  rack.thermal.module_limit_c = fact(70);
  const auto e = evaluate(rack, catalog(), device(1200, 190), std::nullopt, {});
  EXPECT_NEAR(e.figures.at("transient.gpu_temperature.design_envelope").value, 76, 1e-9);
  const Limit* limit = find_limit(e, "transient.gpu_temperature");
  EXPECT_EQ(limit->state, LimitState::violated);
  EXPECT_THAT(limit->remedy, HasSubstr("1000 W"));  // (70 - 40) / 0.03
}

TEST(ModuleTemperature, BlankResistanceIsPrintedAsWhatItMayBe) {
  RackDesign rack = rack_with_limits();
  rack.thermal.module_limit_c = fact(88);
  const auto e = evaluate(rack, catalog(), device(1200, 190), std::nullopt, {});
  EXPECT_EQ(e.figures.find("transient.gpu_temperature.design_envelope"), nullptr);
  EXPECT_THAT(find_requirement(e, "module_resistance.gpu")->solved, HasSubstr("<= 0.0400 K/W"));
}

double peak_of(const RackDesign& rack, const EvaluateOptions& options = {}) {
  const auto e = evaluate(rack, catalog(), device(1200, 190), demand(72, 1000, 190), options);
  return e.figures.at("transient.gpu_peak.slo_capacity").value;
}

TEST(ModuleTemperature, ThermalMassLowersThePeaksOfTheTraceAndNotItsMean) {
  // 1 s at 1000 W, 1 s at 190 W: steady 70 and 45.7 degC, mean 57.85 degC.
  RackDesign rack = rack_with_limits();
  rack.thermal.module_resistance_k_per_w = fact(0.03);
  EXPECT_NEAR(peak_of(rack), 70, 1e-4);
  rack.thermal.module_capacity_j_per_k = fact(100);  // 3 s
  const double peak = peak_of(rack);
  EXPECT_LT(peak, 63);
  // After 10 s, periodic: swing a = e^(-1/3): high = 70 - 24.3 a / (1 + a) would be 59.9 in the
  // long run; from 40 degC it is still below that.
  EXPECT_LT(peak, 59.93);
  EXPECT_GT(peak, 55);
}

TEST(ModuleTemperature, AThrottledReplaySaysHowMuchLongerItTakes) {
  RackDesign rack = rack_with_limits();
  rack.thermal.module_resistance_k_per_w = fact(0.03);
  rack.thermal.module_capacity_j_per_k = fact(20);
  rack.thermal.module_limit_c = fact(45);
  EvaluateOptions options;
  options.cap_response = kernels::CapResponse{1, 2, 1e-3};
  const auto e = evaluate(rack, catalog(), device(1200, 190), demand(72, 1000, 190), options);
  EXPECT_GT(e.figures.at("transient.slow_down.slo_capacity").value, 1);
}

TEST(FloorLoad, SupportsTippingAndCentreOfGravity) {
  EXPECT_NEAR(even_support_n(1360, 4), 3334.26, 0.01);
  EXPECT_NEAR(uneven_support_n(1360), 6668.52, 0.01);
  EXPECT_NEAR(tipping_factor(600, 1000), 0.3, 1e-12);
  EXPECT_NEAR(centre_height_mm({{100, 500}, {300, 900}}), 800, 1e-12);
}

TEST(Site, CentreOfGravityOfKnownPartsIsThatOfTheirSlots) {
  // Four nodes of 8 units and 130 kg from the floor up: mid-heights 4, 12, 20, 28 units, mean 16 x
  // 44.45 mm, over a plinth of (2236 - 48 x 44.45) / 2 = 51.2 mm: 762.4 mm. Tips at 300 / 762.4 g.
  const auto e = evaluate(air_rack(), catalog(), device(700, 72), std::nullopt, {});
  EXPECT_NEAR(e.figures.at("mechanical.centre_of_gravity").value, 762.4, 1e-6);
  EXPECT_NEAR(e.figures.at("mechanical.tipping").value, 300 / 762.4, 1e-9);
  EXPECT_THAT(find_requirement(e, "seismic.air")->solved, HasSubstr("0.39 g"));
}

TEST(Site, WeightThatNoPartAccountsForWidensTheCentreOfGravity) {
  RackDesign rack = liquid_rack();
  rack.published_weight_kg = fact(1360);
  const auto e = evaluate(rack, catalog(), device(1200, 190), std::nullopt, {});
  const Estimate& centre = e.figures.at("mechanical.centre_of_gravity");
  EXPECT_LT(centre.low, centre.value);
  EXPECT_GT(centre.high, centre.value);
  EXPECT_EQ(centre.origin, Origin::assumed);
}

TEST(Site, PointLoadsAndSeismicAreLimitsWhereTheSiteNamesThem) {
  RackDesign rack = air_rack();
  rack.mechanical.support_count = fact(4);
  rack.mechanical.point_limit_n = fact(4000);
  rack.mechanical.rolling_limit_n = fact(2000);
  rack.mechanical.seismic_demand_factor = fact(0.5);
  const auto e = evaluate(rack, catalog(), device(700, 72), std::nullopt, {});
  // 520 kg: 1274.9 N each of four, up to 2549.7 N on a diagonal pair: rolling is in doubt.
  EXPECT_NEAR(e.figures.at("mechanical.point_load").value, 1274.9, 0.1);
  EXPECT_NEAR(e.figures.at("mechanical.point_load").high, 2549.7, 0.1);
  EXPECT_EQ(find_limit(e, "mechanical.point_load")->state, LimitState::met);
  EXPECT_EQ(find_limit(e, "mechanical.rolling_load")->state, LimitState::near);
  EXPECT_EQ(find_limit(e, "mechanical.seismic")->state, LimitState::violated);
}

TEST(ServiceItems, NameWhatGoesDownWithEachPart) {
  const auto e = evaluate(liquid_rack(), catalog(), device(1200, 190), std::nullopt, {});
  int trays = 0;
  for (const ServiceItem& item : e.service_items) {
    if (item.part != "tray") continue;
    ++trays;
    EXPECT_EQ(item.count, 18);
    EXPECT_EQ(item.gpus_down, 4);
    EXPECT_THAT(item.isolation, HasSubstr("coolant couplings"));
    EXPECT_EQ(item.kg, 29);
    EXPECT_EQ(item.hot_swap, "");
  }
  EXPECT_EQ(trays, 1);
  EXPECT_NE(find_requirement(e, "service_facts.tray"), nullptr);
}

}  // namespace
}  // namespace rackwright::topology
