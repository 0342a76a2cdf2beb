#pragma once

#include <vector>

#include "common/temperature.hpp"
#include "common/units.hpp"

namespace rackwright::topology {

/// Properties of a coolant at one temperature, from a catalogue table.
struct CoolantPoint {
  double temperature_c = 0;
  double density_kg_per_m3 = 0;
  double specific_heat_j_per_kg_k = 0;
};

/// Coolant at one temperature.
struct Coolant {
  Density density;
  SpecificHeat specific_heat;
  bool extrapolated = false;  ///< outside the table: the nearest end is held
};

/// Linear in temperature between the points of `table` (any order, at least one). Outside the table
/// the nearest end is held. Throws std::invalid_argument for an empty table.
[[nodiscard]] Coolant coolant_at(std::vector<CoolantPoint> table, Temperature temperature);

/// Rise of a coolant that takes up all of `heat`: dT = P / (rho cp Q).
[[nodiscard]] TemperatureDelta liquid_temperature_rise(Power heat, VolumeFlow flow,
                                                       const Coolant& coolant);
[[nodiscard]] VolumeFlow liquid_flow_for_rise(Power heat, TemperatureDelta rise,
                                              const Coolant& coolant);

/// A row of a published table: what flow a rack needs at a supply temperature.
struct RequiredFlow {
  double supply_c = 0;
  double flow_lpm = 0;
};

/// A rack that is held at one return temperature at its rated heat needs Q = C / (T* - T_supply).
/// C [l K/min] is P / (rho cp), T* the return temperature that the maker holds.
struct ReturnLimitLaw {
  double heat_lpm_k = 0;
  double return_c = 0;
  /// Required flow in l/min. Infinite at or above the return limit.
  [[nodiscard]] double flow_lpm(double supply_c) const;
};
/// Least squares of T_supply = T* - C / Q over the rows: linear in both unknowns. Throws
/// std::invalid_argument with fewer than two different flows.
[[nodiscard]] ReturnLimitLaw fit_return_limit(const std::vector<RequiredFlow>& rows);

/// A row of a published table: the pressure drop at a flow.
struct DropPoint {
  double flow_lpm = 0;
  double drop_kpa = 0;
};
/// dp = a Q + b Q^2: laminar parts and turbulent parts in series.
struct DropLaw {
  double linear_kpa_per_lpm = 0;
  double square_kpa_per_lpm2 = 0;
  [[nodiscard]] double drop_kpa(double flow_lpm) const;
};
/// Least squares of dp/Q = a + b Q over the rows, neither coefficient negative; one row gives the
/// purely quadratic law. Throws std::invalid_argument without rows.
[[nodiscard]] DropLaw fit_drop(const std::vector<DropPoint>& rows);

/// Temperature difference between technology and facility supply that a heat exchanger needs. At
/// fixed flows its effectiveness is fixed and the approach grows in proportion to the heat.
[[nodiscard]] TemperatureDelta cdu_approach(TemperatureDelta rated_approach, Power heat,
                                            Power rated_heat);

}  // namespace rackwright::topology
