#pragma once

#include "common/temperature.hpp"
#include "common/units.hpp"

namespace rackwright::topology {

/// Dry air at one place.
struct Air {
  Density density = Density::from_si(1.2);
  SpecificHeat specific_heat = SpecificHeat::from_si(1006);
};

/// Pressure of the standard atmosphere at `altitude` (ISO 2533: 101325 Pa, 6.5 K/km, exponent
/// 5.2559). Holds up to 11 km.
[[nodiscard]] Pressure air_pressure(Length altitude);
/// Ideal gas: rho = p / (287.05 T). 1.19 kg/m3 at 23 degC and sea level.
[[nodiscard]] Air air_at(Temperature temperature, Length altitude);
/// Rise of air that takes up all of `heat`: dT = P / (rho cp Q). Steady state, dry air.
[[nodiscard]] TemperatureDelta air_temperature_rise(Power heat, VolumeFlow flow, const Air& air);
/// The flow at which air rises by `rise`: Q = P / (rho cp dT).
[[nodiscard]] VolumeFlow air_flow_for_rise(Power heat, TemperatureDelta rise, const Air& air);

/// Dew point of air at `temperature` and relative humidity 0..1, Magnus form with the coefficients
/// of Sonntag (1990), 17.62 and 243.12 degC; -45 to 60 degC, 0.1 K. Throws std::invalid_argument
/// outside 0 < humidity <= 1.
[[nodiscard]] Temperature dew_point(Temperature temperature, double relative_humidity);

}  // namespace rackwright::topology
