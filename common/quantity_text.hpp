#pragma once

#include <string>
#include <string_view>

#include "common/temperature.hpp"
#include "common/units.hpp"

/// Quantities as users write them: a number and a unit without space, or with one: `600W`,
/// `1.2 kW`, `30degC`, `89l/min`, `1105cfm`, `2.3psi`, `500ms`. A bare number is an error: the unit
/// is part of the input. `field` names the option or key in the InputError.
namespace rackwright {

[[nodiscard]] Power parse_power(std::string_view text, std::string_view field);
[[nodiscard]] Temperature parse_temperature(std::string_view text, std::string_view field);
[[nodiscard]] TemperatureDelta parse_temperature_delta(std::string_view text,
                                                       std::string_view field);
[[nodiscard]] VolumeFlow parse_volume_flow(std::string_view text, std::string_view field);
[[nodiscard]] Pressure parse_pressure(std::string_view text, std::string_view field);
[[nodiscard]] Duration parse_duration(std::string_view text, std::string_view field);
[[nodiscard]] Length parse_length(std::string_view text, std::string_view field);

/// W below 1 kW, kW to 9,999 kW, MW above; three significant digits.
[[nodiscard]] std::string to_text(Power power);
[[nodiscard]] std::string to_text(Temperature temperature);
[[nodiscard]] std::string to_text(TemperatureDelta delta);
/// l/min below 2 m3/min, m3/min above.
[[nodiscard]] std::string to_text(VolumeFlow flow);
[[nodiscard]] std::string to_text(Pressure pressure);
[[nodiscard]] std::string to_text(Duration duration);
[[nodiscard]] std::string to_text(Bytes bytes);

}  // namespace rackwright
