#include "common/units.hpp"

#include <type_traits>

#include <gtest/gtest.h>

#include "common/ids.hpp"
#include "common/temperature.hpp"

namespace rackwright {
namespace {

// Laws that hold at compile time.
static_assert(std::is_same_v<decltype(1.0_A * 1.0_V), Power>);
static_assert(std::is_same_v<decltype(1.0_kW * 2.0_s), Energy>);
static_assert(std::is_same_v<decltype(1.0_kW / 1.0_kW), double>);
static_assert(std::is_same_v<decltype(gigabyte / second), DataRate>);
static_assert(std::is_same_v<decltype(30.0_degC - 20.0_degC), TemperatureDelta>);
static_assert(!std::is_convertible_v<GpuId, RankId>);

TEST(Quantity, OhmsLawInMixedUnits) {
  // 1,000 A through 0.05 mOhm: 1e6 * 5e-5 = 50 W.
  const Power loss = 1000.0_A * 1000.0_A * (0.05 * milliohm);
  EXPECT_NEAR(loss.in(watt), 50.0, 1e-9);
}

TEST(Quantity, CubicFeetPerMinuteIsTheInternationalFoot) {
  // 1 ft = 0.3048 m exactly: 0.3048^3 / 60 m3/s.
  EXPECT_NEAR(cfm.si(), 0.3048 * 0.3048 * 0.3048 / 60, 1e-12);
}

TEST(Quantity, PoundPerSquareInchFromItsDefinition) {
  // 1 lbf = 0.45359237 kg * 9.80665 m/s2; 1 in = 0.0254 m.
  EXPECT_NEAR(psi.si(), 0.45359237 * 9.80665 / (0.0254 * 0.0254), 1e-3);
}

TEST(Quantity, BritishThermalUnitPerHour) {
  // 38,557 BTU/h is 11.3 kW (DGX H100 user guide figure).
  EXPECT_NEAR((38557 * btu_per_hour).in(kilowatt), 11.3, 0.005);
}

TEST(Quantity, GibibytesAreNotGigabytes) {
  EXPECT_NEAR((80 * gibibyte).in(gigabyte), 85.899345920, 1e-9);
}

TEST(Temperature, DifferenceOfPointsIsADelta) {
  EXPECT_NEAR((45.0_degC - 25.0_degC).in(kelvin), 20.0, 1e-12);
  EXPECT_NEAR((25.0_degC + 10.0_K).celsius(), 35.0, 1e-12);
}

TEST(Temperature, FreezingPointOfWater) {
  EXPECT_DOUBLE_EQ(Temperature::from_celsius(0).kelvin(), 273.15);
  EXPECT_DOUBLE_EQ(Temperature::from_kelvin(0).celsius(), -273.15);
}

}  // namespace
}  // namespace rackwright
