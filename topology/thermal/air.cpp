#include "topology/thermal/air.hpp"

#include <cmath>
#include <stdexcept>

namespace rackwright::topology {

Pressure air_pressure(Length altitude) {
  const double lapse = 1.0 - 0.0065 * altitude.si() / 288.15;
  return Pressure::from_si(101325.0 * std::pow(lapse, 5.2559));
}

Air air_at(Temperature temperature, Length altitude) {
  constexpr double kGasConstant = 287.05;  // J/(kg K), dry air
  Air air;
  air.density =
      Density::from_si(air_pressure(altitude).si() / (kGasConstant * temperature.kelvin()));
  return air;
}

TemperatureDelta air_temperature_rise(Power heat, VolumeFlow flow, const Air& air) {
  return heat / (air.density * air.specific_heat * flow);
}

VolumeFlow air_flow_for_rise(Power heat, TemperatureDelta rise, const Air& air) {
  return heat / (air.density * air.specific_heat * rise);
}

Temperature dew_point(Temperature temperature, double relative_humidity) {
  if (!(relative_humidity > 0 && relative_humidity <= 1)) {
    throw std::invalid_argument("relative humidity must lie in (0, 1]");
  }
  constexpr double kA = 17.62, kB = 243.12;
  const double t = temperature.celsius();
  const double g = std::log(relative_humidity) + kA * t / (kB + t);
  return Temperature::from_celsius(kB * g / (kA - g));
}

}  // namespace rackwright::topology
