#pragma once

#include <string>

#include "topology/cabling/cable_load.hpp"

namespace rackwright::results {

/// Drawings of a cable plan as files of their own: SVG with style inside, light and dark, to scale.

/// The port face of a row: racks side by side, devices in their units, cables from port to manager,
/// over the tray and down. A line is a run of cables between two racks, as wide as its bundle (2 px
/// at least); each plug has its stub. Colour says the tier, a dash says copper.
[[nodiscard]] std::string row_elevation_svg(const topology::CablePlan& plan,
                                            const topology::CableLoads& loads, int row);

/// All rows from above: racks to scale, trays filled by their share of cross-section in seven
/// steps of which the last is the limit, counts where there is room.
[[nodiscard]] std::string floor_plan_svg(const topology::CablePlan& plan,
                                         const topology::CableLoads& loads);

}  // namespace rackwright::results
