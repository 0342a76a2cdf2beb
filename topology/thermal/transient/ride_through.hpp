#pragma once

#include <optional>

namespace rackwright::topology {

/// The coolant of a technology loop and what warms and cools it. Well mixed in two places: the
/// racks and the rest of the loop, joined by the flow both ways.
struct CoolantLoopMass {
  double heat_w = 0;         ///< of all racks on the loop
  double flow_w_per_k = 0;   ///< rho cp Q
  double racks_j_per_k = 0;  ///< coolant in the racks
  double rest_j_per_k = 0;   ///< pipes, tank and CDU
};

/// Seconds from the loss of the facility water until the supply reaches `supply_max_c`, flow and
/// load going on, from the steady state at `supply_c`. 0 when it is there already; nothing when it
/// takes longer than `most_s`.
[[nodiscard]] std::optional<double> seconds_without_heat_sink(const CoolantLoopMass& loop,
                                                              double supply_c, double supply_max_c,
                                                              double most_s = 3600);

}  // namespace rackwright::topology
