#pragma once

#include <vector>

#include "common/units.hpp"

namespace rackwright::topology {

inline constexpr double kGravity = 9.80665;  // m/s2, ISO 80000-3

/// Uniform pressure of a standing mass on its footprint: p = m g / A. Castors and levelling feet
/// load the floor locally above it.
[[nodiscard]] constexpr Pressure floor_pressure(Mass mass, Area footprint) {
  return Pressure::from_si(mass.si() * kGravity / footprint.si());
}

/// N on one support of an even floor: m g / n.
[[nodiscard]] constexpr double even_support_n(double kilograms, double supports) {
  return kilograms * kGravity / supports;
}
/// N on one support when a stiff frame stands on two diagonal ones of an uneven floor: m g / 2. No
/// support of a rack with its centre of gravity in the middle carries more.
[[nodiscard]] constexpr double uneven_support_n(double kilograms) {
  return kilograms * kGravity / 2;
}

/// Horizontal acceleration over g at which a free-standing block tips about its edge:
/// a / g = (b / 2) / z, b the narrower side of the footprint, z the height of the centre of
/// gravity.
[[nodiscard]] constexpr double tipping_factor(double width_mm, double centre_height_mm) {
  return width_mm / 2 / centre_height_mm;
}

/// A mass at a height, for the centre of gravity.
struct PlacedMass {
  double kilograms = 0;
  double height_mm = 0;
};
/// sum m z / sum m; 0 without mass.
[[nodiscard]] inline double centre_height_mm(const std::vector<PlacedMass>& masses) {
  double moment = 0, total = 0;
  for (const PlacedMass& mass : masses) {
    moment += mass.kilograms * mass.height_mm;
    total += mass.kilograms;
  }
  return total > 0 ? moment / total : 0;
}

}  // namespace rackwright::topology
