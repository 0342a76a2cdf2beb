#pragma once

#include "topology/network/fabric.hpp"

namespace rackwright::topology {

/// Fills `items` and the power, weight and height they add up to. A sum is left out, with a note,
/// when a part's figure is blank. Throws InputError for a part that the catalogue has not.
void add_items(const FabricDesign& design, const Catalog& catalog, FabricCounts& counts);

}  // namespace rackwright::topology
