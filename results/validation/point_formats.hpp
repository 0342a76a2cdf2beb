#pragma once

#include "results/validation/validation.hpp"

namespace rackwright::results {

/// `thermal-points`: published flows, pressure drops, air rises and temperatures, one quantity a
/// row, against the laws of `topology/thermal` on catalogue facts.
[[nodiscard]] ValidationFormat thermal_points_format();

/// `power-points`: published loads, ratings, headrooms and idle powers against the catalogue and
/// the redundancy rules of `topology/power`.
[[nodiscard]] ValidationFormat power_points_format();

}  // namespace rackwright::results
