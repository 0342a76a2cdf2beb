#pragma once

#include <optional>
#include <string>

#include "topology/evaluation_context.hpp"
#include "topology/failures/liquid_plant.hpp"
#include "topology/thermal/coolant_loop.hpp"
#include "topology/thermal/coolant_properties.hpp"
#include "topology/thermal/liquid.hpp"

namespace rackwright::topology {

/// What the loop does in the design envelope.
struct LoopState {
  double heat_w = 0;
  double supply_c = 0;
  double flow_lpm = 0;
  std::string flow_basis;
  Origin flow_origin = Origin::catalogue;
  std::optional<ReturnLimitLaw> law;
  std::optional<DropLaw> drop;
  std::optional<Coolant> coolant;
  bool drop_of_trays = false;             ///< the law is from a published tray, not a rack
  double outside_share = 0;               ///< of the loop's drop, outside the rack
  std::optional<CoolantLoop> network;     ///< where a drop is published
  std::vector<std::size_t> branch_slots;  ///< of the power model, by branch
};

/// Heat of the rack at one power that goes to the coolant, by slot of the power model; the second
/// number is what goes with no slot.
struct LiquidHeat {
  std::vector<double> slot_w;
  double other_w = 0;
  double unplaced_w = 0;
  std::optional<double> blank_fraction;
  bool has_published = false;  ///< a part has a fraction of its own
};
[[nodiscard]] LiquidHeat liquid_heat(const EvaluationContext& context, const RackPower& power);

/// Branch flows and temperatures, valve shut, leak and blockage, coolant at the plates.
void evaluate_coolant_loop(EvaluationContext& context, LoopState& loop);
/// Capacity, flow, head, pumps and approach of the CDUs.
void evaluate_cdu(EvaluationContext& context, const LoopState& loop);

/// A sidecar that gives its heat to the room.
[[nodiscard]] bool rejects_to_air(const Part& cdu);
/// W/K of `lpm` of facility water.
[[nodiscard]] double facility_capacity_flow(const EvaluationContext& context, double lpm);
/// What the catalogue has of a CDU; a pump curve from points `external_head_kpa_at_600lpm`.
[[nodiscard]] CduRating cdu_rating(const Part& cdu);
/// The loop with its CDUs, ready for failures; nothing where flow or coolant is blank.
[[nodiscard]] std::optional<LiquidPlant> liquid_plant(const EvaluationContext& context,
                                                      const LoopState& loop);

/// The lowest temperature at which a part beside the cold plates may work, and its kind.
[[nodiscard]] std::optional<std::pair<double, std::string>> coolest_air_part(
    const Catalog& catalog);

/// Intakes, classes, fans and module temperatures of the air side.
void evaluate_air_trays(EvaluationContext& context);

}  // namespace rackwright::topology
