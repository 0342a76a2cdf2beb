#pragma once

#include "common/units.hpp"

namespace rackwright::topology {

/// Uniform pressure of a standing mass on its footprint: p = m g / A, g = 9.80665 m/s2 (ISO
/// 80000-3). Castors and levelling feet load the floor locally above it.
[[nodiscard]] constexpr Pressure floor_pressure(Mass mass, Area footprint) {
  constexpr double kGravity = 9.80665;
  return Pressure::from_si(mass.si() * kGravity / footprint.si());
}

}  // namespace rackwright::topology
