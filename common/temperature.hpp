#pragma once

#include <compare>

#include "common/units.hpp"

namespace rackwright {

/// A point on the temperature scale. A point is not a difference: `outlet - inlet` is a
/// `TemperatureDelta`, and adding two points does not compile.
class Temperature {
 public:
  constexpr Temperature() = default;
  static constexpr Temperature from_kelvin(double k) { return Temperature(k); }
  static constexpr Temperature from_celsius(double c) { return Temperature(c + 273.15); }
  [[nodiscard]] constexpr double kelvin() const { return kelvin_; }
  [[nodiscard]] constexpr double celsius() const { return kelvin_ - 273.15; }

  constexpr auto operator<=>(const Temperature&) const = default;
  friend constexpr TemperatureDelta operator-(Temperature a, Temperature b) {
    return TemperatureDelta::from_si(a.kelvin_ - b.kelvin_);
  }
  friend constexpr Temperature operator+(Temperature t, TemperatureDelta d) {
    return Temperature(t.kelvin_ + d.si());
  }
  friend constexpr Temperature operator-(Temperature t, TemperatureDelta d) {
    return Temperature(t.kelvin_ - d.si());
  }

 private:
  explicit constexpr Temperature(double k) : kelvin_(k) {}
  double kelvin_ = 273.15;
};

inline namespace literals {
constexpr Temperature operator""_degC(long double v) {
  return Temperature::from_celsius(static_cast<double>(v));
}
}  // namespace literals

}  // namespace rackwright
