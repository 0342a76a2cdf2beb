#pragma once

#include <string>

#include "topology/network/uplink_loads.hpp"

namespace rackwright::results {

/// Heat map of one permutation, hashed beside sprayed: a row a leaf, a cell an uplink, in the order
/// of the topology; the number in per cent where it fits. Above `most_cells` one cell a leaf with
/// its highest load.
[[nodiscard]] std::string link_load_svg(const topology::FabricLoad& load, std::size_t most_cells);

}  // namespace rackwright::results
