#include "common/quantity_text.hpp"

#include <charconv>
#include <cmath>
#include <initializer_list>
#include <utility>

#include <fmt/format.h>

#include "common/estimate.hpp"
#include "common/input_error.hpp"

namespace rackwright {

namespace {

struct Parts {
  double number = 0;
  std::string_view unit;
};

InputError bad(std::string_view text, std::string_view field, std::string expected) {
  return InputError(
      InputProblem{"", 0, std::string(field), std::move(expected), fmt::format("\"{}\"", text)});
}

/// Splits `89 l/min`; nothing is said about the unit yet.
bool split(std::string_view text, Parts& parts) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  if (text.starts_with('+')) text.remove_prefix(1);
  const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), parts.number);
  if (status != std::errc() || !std::isfinite(parts.number)) return false;
  parts.unit = text.substr(static_cast<std::size_t>(end - text.data()));
  while (parts.unit.starts_with(' ')) parts.unit.remove_prefix(1);
  return true;
}

template <class T>
T parse(std::string_view text, std::string_view field, const char* example,
        std::initializer_list<std::pair<std::string_view, T>> units) {
  Parts parts;
  if (split(text, parts)) {
    for (const auto& [name, unit] : units) {
      if (parts.unit == name) return parts.number * unit;
    }
  }
  std::string names;
  for (const auto& [name, unit] : units) names += (names.empty() ? "" : ", ") + std::string(name);
  throw bad(text, field, fmt::format("a number with a unit ({}), such as {}", names, example));
}

std::string with_unit(double value, const char* unit) {
  return fmt::format("{} {}", format_significant(value, 3), unit);
}

}  // namespace

Power parse_power(std::string_view text, std::string_view field) {
  return parse<Power>(text, field, "600W",
                      {{"W", watt}, {"kW", kilowatt}, {"MW", megawatt}, {"BTU/h", btu_per_hour}});
}

Temperature parse_temperature(std::string_view text, std::string_view field) {
  Parts parts;
  if (split(text, parts)) {
    if (parts.unit == "degC" || parts.unit == "°C") return Temperature::from_celsius(parts.number);
    if (parts.unit == "degF" || parts.unit == "°F") {
      return Temperature::from_celsius((parts.number - 32) / 1.8);
    }
  }
  throw bad(text, field, "a temperature with its unit (degC, degF), such as 30degC");
}

TemperatureDelta parse_temperature_delta(std::string_view text, std::string_view field) {
  return parse<TemperatureDelta>(text, field, "10K", {{"K", kelvin}});
}

VolumeFlow parse_volume_flow(std::string_view text, std::string_view field) {
  return parse<VolumeFlow>(text, field, "89l/min",
                           {{"l/min", litre_per_minute},
                            {"lpm", litre_per_minute},
                            {"cfm", cfm},
                            {"m3/min", cubic_metre_per_second / 60},
                            {"m3/h", cubic_metre_per_second / 3600},
                            {"m3/s", cubic_metre_per_second}});
}

Pressure parse_pressure(std::string_view text, std::string_view field) {
  return parse<Pressure>(text, field, "40kPa",
                         {{"Pa", pascal}, {"kPa", kilopascal}, {"bar", bar}, {"psi", psi}});
}

Duration parse_duration(std::string_view text, std::string_view field) {
  return parse<Duration>(
      text, field, "500ms",
      {{"us", microsecond}, {"ms", millisecond}, {"s", second}, {"min", second * 60}, {"h", hour}});
}

Length parse_length(std::string_view text, std::string_view field) {
  return parse<Length>(
      text, field, "600mm",
      {{"mm", millimetre}, {"m", metre}, {"in", inch}, {"RU", rack_unit}, {"OU", open_unit}});
}

std::string to_text(Power power) {
  const double w = std::abs(power.in(watt));
  if (w < 999.5) return with_unit(power.in(watt), "W");
  if (w < 9.9995e6) return with_unit(power.in(kilowatt), "kW");
  return with_unit(power.in(megawatt), "MW");
}

std::string to_text(Temperature temperature) {
  return fmt::format("{:.1f} °C", temperature.celsius());
}

std::string to_text(TemperatureDelta delta) {
  return fmt::format("{:.1f} K", delta.in(kelvin));
}

std::string to_text(VolumeFlow flow) {
  const double lpm = flow.in(litre_per_minute);
  if (std::abs(lpm) < 2000) return with_unit(lpm, "l/min");
  return with_unit(lpm / 1000, "m3/min");
}

std::string to_text(Pressure pressure) {
  if (std::abs(pressure.si()) < 1000) return with_unit(pressure.si(), "Pa");
  return with_unit(pressure.in(kilopascal), "kPa");
}

std::string to_text(Duration duration) {
  const double s = std::abs(duration.si());
  if (s < 1e-3) return with_unit(duration.in(microsecond), "us");
  if (s < 1) return with_unit(duration.in(millisecond), "ms");
  if (s < 600) return with_unit(duration.si(), "s");
  return with_unit(duration.si() / 60, "min");
}

std::string to_text(Bytes bytes) {
  const double b = std::abs(bytes.si());
  if (b < 1e3) return with_unit(b, "B");
  if (b < 1e6) return with_unit(b / 1e3, "kB");
  if (b < 1e9) return with_unit(b / 1e6, "MB");
  if (b < 1e12) return with_unit(b / 1e9, "GB");
  return with_unit(b / 1e12, "TB");
}

}  // namespace rackwright
