#pragma once

#include <string>

#include "topology/network/uplink_loads.hpp"

namespace rackwright::results {

enum class LinkLoadMap {
  full,    ///< numbers and tooltips in the cells, as wide as they need
  compact  ///< cells alone, as wide as a column of the report
};
/// Heat map of one permutation, hashed beside sprayed: a row a leaf, a cell an uplink, in the order
/// of the topology. Above 2,000 cells one cell a leaf with its highest load.
[[nodiscard]] std::string link_load_svg(const topology::FabricLoad& load, LinkLoadMap kind);

}  // namespace rackwright::results
