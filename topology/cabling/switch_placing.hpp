#pragma once

#include <vector>

#include "topology/cabling/floor_plan.hpp"

namespace rackwright::topology {

/// Puts every switch and manager into a rack and adds the network racks to the plan, which holds
/// the compute racks and their nodes. Leaves go where the layout says; a leaf that finds no free
/// unit in its compute rack goes to a network rack, with a note. Spines and core are always in
/// network racks: of the row whose leaves they join, or spread evenly when they join several rows.
void place_switches(const std::vector<FabricLink>& links, const RowLayout& layout,
                    const RackDesign& rack, const Catalog& catalog, FloorPlan& plan);

}  // namespace rackwright::topology
