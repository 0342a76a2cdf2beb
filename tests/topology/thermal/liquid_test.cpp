#include "topology/thermal/liquid.hpp"

#include <cmath>
#include <limits>
#include <stdexcept>

#include <gtest/gtest.h>

namespace rackwright::topology {
namespace {

const Coolant kGlycol{Density::from_si(1020), SpecificHeat::from_si(3900), false};

TEST(LiquidTemperatureRise, OneAndAHalfLitresPerMinutePerKilowatt) {
  // 1000 / (1020 * 3900 * 1.5e-3/60) = 10.06 K.
  EXPECT_NEAR(liquid_temperature_rise(1.0_kW, 1.5 * litre_per_minute, kGlycol).in(kelvin), 10.06,
              0.01);
}

TEST(LiquidFlowForRise, InvertsTheRise) {
  const VolumeFlow flow = liquid_flow_for_rise(121.5_kW, 20.0_K, kGlycol);
  EXPECT_NEAR(liquid_temperature_rise(121.5_kW, flow, kGlycol).in(kelvin), 20, 1e-9);
}

TEST(CoolantAt, InterpolatesAndHoldsTheEnds) {
  // PG25: 1030.3 kg/m3 at 25 degC, 1022.5 at 40 degC (Dow, 0623 edition).
  const std::vector<CoolantPoint> table{{25, 1030.3, 3880}, {40, 1022.5, 3920}};
  EXPECT_NEAR(coolant_at(table, 32.5_degC).density.si(), 1026.4, 1e-9);
  EXPECT_FALSE(coolant_at(table, 32.5_degC).extrapolated);
  EXPECT_NEAR(coolant_at(table, 55.0_degC).density.si(), 1022.5, 1e-9);
  EXPECT_TRUE(coolant_at(table, 55.0_degC).extrapolated);
  EXPECT_THROW((void)coolant_at({}, 30.0_degC), std::invalid_argument);
}

// Lenovo LP2357, table 27: 59 l/min at 25 degC, 89 at 35, 177 at 45; 2.3, 4.9, 18.4 psi. Fitted on
// the outer rows, predicted for the middle one.
TEST(RequiredFlow, Gb300RackAt35DegreesFromTheOuterRows) {
  const ReturnLimitLaw law = fit_return_limit({{25, 59}, {45, 177}});
  EXPECT_NEAR(law.flow_lpm(35), 89, 0.03 * 89);
  EXPECT_TRUE(std::isinf(law.flow_lpm(law.return_c)));
}

TEST(PressureDrop, Gb300RackAt89LitresFromTheOuterRows) {
  const double to_kpa = psi.in(kilopascal);
  const DropLaw law = fit_drop({{59, 2.3 * to_kpa}, {177, 18.4 * to_kpa}});
  EXPECT_NEAR(law.drop_kpa(89) / to_kpa, 4.9, 0.05 * 4.9);
}

TEST(PressureDrop, OnePointGivesTheQuadraticLaw) {
  // Twice the flow, four times the drop.
  const DropLaw law = fit_drop({{7, 93}});
  EXPECT_NEAR(law.drop_kpa(14), 4 * 93, 1e-9);
  EXPECT_THROW((void)fit_drop({}), std::invalid_argument);
}

TEST(ReturnLimit, NeedsTwoDifferentFlows) {
  EXPECT_THROW((void)fit_return_limit({{25, 59}}), std::invalid_argument);
  EXPECT_THROW((void)fit_return_limit({{25, 59}, {45, 59}}), std::invalid_argument);
}

TEST(CduApproach, GrowsInProportionToHeat) {
  EXPECT_NEAR(cdu_approach(4.0_K, 60.5_kW, 121.0_kW).in(kelvin), 2.0, 1e-12);
}

}  // namespace
}  // namespace rackwright::topology
