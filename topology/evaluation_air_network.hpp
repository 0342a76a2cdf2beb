#pragma once

#include <optional>

#include "topology/evaluation_context.hpp"
#include "topology/thermal/air_network.hpp"

namespace rackwright::topology {

/// Pressure lost behind a slot at a flow, with cables in the way: rho / 2 (Q / A)^2 over the free
/// part of the frame's opening.
[[nodiscard]] double way_out_pa(const EvaluationContext& context, const Slot& slot,
                                double flow_m3_per_s);

/// Fans, trays, doors and gaps of the rack as a network. Nothing unless every slot with a load has
/// a fan curve (`static_pressure_pa_at_20cfm` … of its `fan_part`, `fan_count`) and an impedance
/// (`impedance_pa_at_80cfm` …).
[[nodiscard]] std::optional<RackAir> rack_air(const EvaluationContext& context);

/// Speed of the maker's lowest duty over the full one; 0 where there is one duty only.
[[nodiscard]] double least_fan_speed(const Part& fan);

/// Air that each tray of the network needs at `power`, m3/s: what keeps the most sensitive part in
/// the air of a liquid tray cool; in an air rack the published flow at the design envelope (full
/// speed where none is published) in proportion to heat, so that the exhaust keeps its rise.
[[nodiscard]] std::vector<double> air_needs(const EvaluationContext& context, const RackAir& rack,
                                            const RackPower& power);

/// Whether a lost fan of the bank is a leak of known size: a flap shuts it off, or its resistance
/// is published.
[[nodiscard]] bool knows_lost_fan(const FanBank& fans);

/// Flow through the network, its leak and a lost fan; without curves what doors, cables and leaks
/// do to the published flow, and what is missing.
void evaluate_air_network(EvaluationContext& context);

}  // namespace rackwright::topology
