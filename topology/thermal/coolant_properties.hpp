#pragma once

#include <optional>
#include <string>

#include "topology/catalog.hpp"

namespace rackwright::topology {

/// A coolant at one temperature. A property whose points are not published is blank.
struct CoolantProperties {
  std::optional<double> density_kg_per_m3, specific_heat_j_per_kg_k, conductivity_w_per_m_k;
  std::optional<double> viscosity_pa_s, viscosity_low_pa_s;  ///< low: another edition of the table
  std::string edition;        ///< source of the viscosity or, without one, of the specific heat
  bool extrapolated = false;  ///< outside the points of a property: its end is held
  /// Heat capacity flow [W/K] of `lpm`; 0 when a property is blank.
  [[nodiscard]] double capacity_w_per_k(double lpm) const;
};

/// Facts `density_kg_per_m3_at_40c` and so on of a coolant part. Between two points density,
/// specific heat and conductivity are straight lines, the logarithm of the viscosity is one
/// (Andrade over a small span).
[[nodiscard]] CoolantProperties coolant_properties(const Part& coolant, double temperature_c);

}  // namespace rackwright::topology
