#pragma once

#include <compare>

/// Quantities with compile-time dimensions. SI inside; a unit is named on the way in and on the way
/// out (`5.0_kW`, `power.in(watt)`). Adding watts to volts does not compile.
namespace rackwright {

/// Exponents of kilogram, metre, second, ampere, kelvin, byte.
struct Dim {
  int kg = 0, m = 0, s = 0, A = 0, K = 0, byte = 0;
  constexpr bool operator==(const Dim&) const = default;
  constexpr Dim operator+(const Dim& o) const {
    return {kg + o.kg, m + o.m, s + o.s, A + o.A, K + o.K, byte + o.byte};
  }
  constexpr Dim operator-(const Dim& o) const {
    return {kg - o.kg, m - o.m, s - o.s, A - o.A, K - o.K, byte - o.byte};
  }
};

/// A number of SI units of dimension `D`.
template <Dim D>
class Quantity {
 public:
  constexpr Quantity() = default;
  static constexpr Quantity from_si(double value) { return Quantity(value); }
  [[nodiscard]] constexpr double si() const { return value_; }
  /// The number of `unit`s in this quantity.
  [[nodiscard]] constexpr double in(Quantity unit) const { return value_ / unit.value_; }

  constexpr auto operator<=>(const Quantity&) const = default;
  constexpr Quantity operator-() const { return Quantity(-value_); }
  constexpr Quantity& operator+=(Quantity o) {
    value_ += o.value_;
    return *this;
  }
  constexpr Quantity& operator-=(Quantity o) {
    value_ -= o.value_;
    return *this;
  }
  constexpr Quantity& operator*=(double k) {
    value_ *= k;
    return *this;
  }
  friend constexpr Quantity operator+(Quantity a, Quantity b) { return a += b; }
  friend constexpr Quantity operator-(Quantity a, Quantity b) { return a -= b; }
  friend constexpr Quantity operator*(Quantity a, double k) { return Quantity(a.value_ * k); }
  friend constexpr Quantity operator*(double k, Quantity a) { return Quantity(a.value_ * k); }
  friend constexpr Quantity operator/(Quantity a, double k) { return Quantity(a.value_ / k); }

 private:
  explicit constexpr Quantity(double value) : value_(value) {}
  double value_ = 0.0;
};

namespace detail {
template <Dim D>
constexpr auto make(double si) {
  if constexpr (D == Dim{}) {
    return si;
  } else {
    return Quantity<D>::from_si(si);
  }
}
}  // namespace detail

template <Dim L, Dim R>
constexpr auto operator*(Quantity<L> a, Quantity<R> b) {
  return detail::make<L + R>(a.si() * b.si());
}
template <Dim L, Dim R>
constexpr auto operator/(Quantity<L> a, Quantity<R> b) {
  return detail::make<L - R>(a.si() / b.si());
}
template <Dim D>
constexpr auto operator/(double k, Quantity<D> a) {
  return detail::make<Dim{} - D>(k / a.si());
}

using Mass = Quantity<Dim{.kg = 1}>;
using Length = Quantity<Dim{.m = 1}>;
using Area = Quantity<Dim{.m = 2}>;
using Volume = Quantity<Dim{.m = 3}>;
using Duration = Quantity<Dim{.s = 1}>;
using Frequency = Quantity<Dim{.s = -1}>;
using Energy = Quantity<Dim{.kg = 1, .m = 2, .s = -2}>;
using Power = Quantity<Dim{.kg = 1, .m = 2, .s = -3}>;
using Current = Quantity<Dim{.A = 1}>;
using Voltage = Quantity<Dim{.kg = 1, .m = 2, .s = -3, .A = -1}>;
using Resistance = Quantity<Dim{.kg = 1, .m = 2, .s = -3, .A = -2}>;
using Pressure = Quantity<Dim{.kg = 1, .m = -1, .s = -2}>;
using VolumeFlow = Quantity<Dim{.m = 3, .s = -1}>;
using MassFlow = Quantity<Dim{.kg = 1, .s = -1}>;
using Density = Quantity<Dim{.kg = 1, .m = -3}>;
using SpecificHeat = Quantity<Dim{.m = 2, .s = -2, .K = -1}>;
using Viscosity = Quantity<Dim{.kg = 1, .m = -1, .s = -1}>;
using ThermalResistance = Quantity<Dim{.kg = -1, .m = -2, .s = 3, .K = 1}>;
using HeatCapacity = Quantity<Dim{.kg = 1, .m = 2, .s = -2, .K = -1}>;
using TemperatureDelta = Quantity<Dim{.K = 1}>;
using Bytes = Quantity<Dim{.byte = 1}>;
using DataRate = Quantity<Dim{.s = -1, .byte = 1}>;

inline constexpr auto kilogram = Mass::from_si(1);
inline constexpr auto metre = Length::from_si(1);
inline constexpr auto millimetre = Length::from_si(1e-3);
inline constexpr auto inch = Length::from_si(0.0254);
inline constexpr auto rack_unit = Length::from_si(0.04445);  // EIA-310
inline constexpr auto open_unit = Length::from_si(0.048);    // Open Rack v3
inline constexpr auto square_metre = Area::from_si(1);
inline constexpr auto second = Duration::from_si(1);
inline constexpr auto millisecond = Duration::from_si(1e-3);
inline constexpr auto microsecond = Duration::from_si(1e-6);
inline constexpr auto hour = Duration::from_si(3600);
inline constexpr auto hertz = Frequency::from_si(1);
inline constexpr auto megahertz = Frequency::from_si(1e6);
inline constexpr auto joule = Energy::from_si(1);
inline constexpr auto kilowatt_hour = Energy::from_si(3.6e6);
inline constexpr auto watt = Power::from_si(1);
inline constexpr auto kilowatt = Power::from_si(1e3);
inline constexpr auto megawatt = Power::from_si(1e6);
inline constexpr auto btu_per_hour = Power::from_si(0.29307107);
inline constexpr auto ampere = Current::from_si(1);
inline constexpr auto volt = Voltage::from_si(1);
inline constexpr auto ohm = Resistance::from_si(1);
inline constexpr auto milliohm = Resistance::from_si(1e-3);
inline constexpr auto pascal = Pressure::from_si(1);
inline constexpr auto kilopascal = Pressure::from_si(1e3);
inline constexpr auto bar = Pressure::from_si(1e5);
inline constexpr auto psi = Pressure::from_si(6894.757);
inline constexpr auto cubic_metre_per_second = VolumeFlow::from_si(1);
inline constexpr auto litre_per_minute = VolumeFlow::from_si(1e-3 / 60);
inline constexpr auto cfm = VolumeFlow::from_si(0.000471947443);  // 0.3048^3 / 60
inline constexpr auto kilogram_per_cubic_metre = Density::from_si(1);
inline constexpr auto joule_per_kilogram_kelvin = SpecificHeat::from_si(1);
inline constexpr auto pascal_second = Viscosity::from_si(1);
inline constexpr auto kelvin_per_watt = ThermalResistance::from_si(1);
inline constexpr auto joule_per_kelvin = HeatCapacity::from_si(1);
inline constexpr auto kelvin = TemperatureDelta::from_si(1);
inline constexpr auto byte = Bytes::from_si(1);
inline constexpr auto gigabyte = Bytes::from_si(1e9);
inline constexpr auto gibibyte = Bytes::from_si(1073741824.0);
inline constexpr auto gigabyte_per_second = DataRate::from_si(1e9);
inline constexpr auto gigabit_per_second = DataRate::from_si(1e9 / 8);

inline namespace literals {
constexpr Power operator""_W(long double v) {
  return static_cast<double>(v) * watt;
}
constexpr Power operator""_kW(long double v) {
  return static_cast<double>(v) * kilowatt;
}
constexpr Current operator""_A(long double v) {
  return static_cast<double>(v) * ampere;
}
constexpr Voltage operator""_V(long double v) {
  return static_cast<double>(v) * volt;
}
constexpr TemperatureDelta operator""_K(long double v) {
  return static_cast<double>(v) * kelvin;
}
constexpr Duration operator""_s(long double v) {
  return static_cast<double>(v) * second;
}
}  // namespace literals

}  // namespace rackwright
