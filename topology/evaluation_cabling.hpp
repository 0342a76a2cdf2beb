#pragma once

#include <optional>
#include <string>

#include "common/data_locator.hpp"
#include "topology/cabling/cable_load.hpp"
#include "topology/cabling/cable_totals.hpp"
#include "topology/evaluation.hpp"

namespace rackwright::topology {

/// One scalable unit of a rack's fabric, cabled on the middle-of-row layout.
struct UnitCabling {
  CablePlan plan;
  CableLoads loads;
  CableTotals totals;
  int nodes = 0, compute_racks = 0;
  std::optional<FabricLoad> load;  ///< of a permutation; nothing without spines
  std::string problem;             ///< why nothing could be laid; all else is then empty

  /// Of the fullest compute rack: the input of power and air.
  [[nodiscard]] std::optional<CablingDemand> demand() const;
};
/// Nothing for a rack without a fabric.
[[nodiscard]] std::optional<UnitCabling> lay_unit(const RackDesign& design, const Catalog& catalog,
                                                  const DataLocator& data);

/// Adds what was laid: cables by medium, lengths, fibres, list price, delay, and of the fullest
/// compute rack the power of modules and active plugs (`cabling.module_power`), the cables that
/// leave it and the part of its opening that bundles block (`cabling.blocked_area`). Blank
/// diameters and bend radii become requirements. A fabric that does not fit the rack is a note.
void add_cabling_figures(RackEvaluation& evaluation, const UnitCabling& unit);

}  // namespace rackwright::topology
