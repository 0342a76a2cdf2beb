#pragma once

#include "common/data_locator.hpp"
#include "topology/evaluation.hpp"

namespace rackwright::topology {

/// Adds what the scale-out cabling asks of one rack, by laying one scalable unit of its fabric on
/// the middle-of-row layout: cables by medium, lengths, fibres, list price, delay, and of the
/// fullest compute rack the power of modules and active plugs (`cabling.module_power`), the cables
/// that leave it and the part of its opening that bundles block (`cabling.blocked_area`). Blank
/// diameters and bend radii become requirements. Adds nothing for a rack without a fabric; a fabric
/// that does not fit the rack is a note.
void add_cabling_figures(RackEvaluation& evaluation, const RackDesign& design,
                         const Catalog& catalog, const DataLocator& data);

}  // namespace rackwright::topology
