#pragma once

#include <string>

#include "topology/evaluation.hpp"

namespace rackwright::results {

/// Loop schematic of a liquid rack: facility loop, CDU, supply manifold, every tray with valve,
/// quick disconnects and cold plates, return manifold; flow, drop and outlet temperature at each
/// branch. SVG with style inside, light and dark. "" without coolant figures.
[[nodiscard]] std::string coolant_loop_svg(const topology::RackEvaluation& evaluation);

/// Branch table, one line a tray, bottom first, then the whole rack:
/// slot,heat_w,flow_lpm,drop_kpa,supply_c,return_c,return_limit_c,valve and `…_kpa` for each
/// component whose share is published. Blank cells are not published. "" without coolant figures.
[[nodiscard]] std::string coolant_branch_csv(const topology::RackEvaluation& evaluation);

}  // namespace rackwright::results
