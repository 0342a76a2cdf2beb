#include "topology/thermal/air.hpp"

#include <stdexcept>

#include <gtest/gtest.h>

namespace rackwright::topology {
namespace {

const Air kStandard{};  // 1.2 kg/m3, 1006 J/kgK

TEST(AirTemperatureRise, OneKilowattInOneHundredCfm) {
  // 1000 / (1.2 * 1006 * 0.0471947) = 17.55 K.
  EXPECT_NEAR(air_temperature_rise(1.0_kW, 100 * cfm, kStandard).in(kelvin), 17.55, 0.01);
}

TEST(AirTemperatureRise, DgxH100OnItsPublishedFlow) {
  // 10.2 kW through 1,105 CFM: 16.2 K; the same guide prints 38,557 BTU/h = 11.3 kW: 17.9 K.
  EXPECT_NEAR(air_temperature_rise(10.2_kW, 1105 * cfm, kStandard).in(kelvin), 16.2, 0.05);
  EXPECT_NEAR(air_temperature_rise(38557 * btu_per_hour, 1105 * cfm, kStandard).in(kelvin), 17.9,
              0.1);
}

TEST(AirFlowForRise, OneKilowattAtTenKelvinIsAbout176Cfm) {
  EXPECT_NEAR(air_flow_for_rise(1.0_kW, 10.0_K, kStandard).in(cfm), 176, 1);
}

TEST(AirFlowForRise, InvertsTheRise) {
  const VolumeFlow flow = air_flow_for_rise(14.3_kW, 12.5_K, kStandard);
  EXPECT_NEAR(air_temperature_rise(14.3_kW, flow, kStandard).in(kelvin), 12.5, 1e-9);
}

TEST(AirTemperatureRise, MoreHeatNeverCools) {
  double last = 0;
  for (int kw = 1; kw < 20; ++kw) {
    const double rise = air_temperature_rise(kw * kilowatt, 1105 * cfm, kStandard).in(kelvin);
    EXPECT_GT(rise, last);
    last = rise;
  }
}

TEST(AirAt, IdealGasAtSeaLevel) {
  // 101325 / (287.05 * 296.15) = 1.1919 kg/m3 at 23 degC.
  EXPECT_NEAR(air_at(23.0_degC, 0 * metre).density.si(), 1.1919, 1e-4);
}

TEST(AirAt, ThinnerAtFifteenHundredMetres) {
  // Standard atmosphere: 84,556 Pa at 1,500 m, 0.8345 of sea level.
  EXPECT_NEAR(air_pressure(1500 * metre).si(), 84556, 30);
}

TEST(DewPoint, MagnusAtHalfHumidity) {
  // 25 degC at 50 %: 13.9 degC (psychrometric chart).
  EXPECT_NEAR(dew_point(25.0_degC, 0.5).celsius(), 13.9, 0.1);
  EXPECT_NEAR(dew_point(25.0_degC, 1.0).celsius(), 25.0, 1e-6);
  EXPECT_THROW((void)dew_point(25.0_degC, 0.0), std::invalid_argument);
}

}  // namespace
}  // namespace rackwright::topology
