#pragma once

#include <optional>
#include <string>
#include <vector>

#include "topology/cabling/cable_load.hpp"
#include "topology/cabling/cable_totals.hpp"
#include "topology/evaluation.hpp"
#include "topology/network/fabric.hpp"

namespace rackwright::topology {

/// A design at one size.
struct GrowthPoint {
  int racks = 0;
  FabricCounts counts;
  long long links = 0;  ///< walked one by one, with both ends
  std::optional<double> rack_power_w, liquid_heat_w, air_heat_w;  ///< of all racks
  std::optional<CableTotals> cabling;                             ///< every cable laid and summed
  std::optional<double> fullest_fill;   ///< known share of the fullest tray or manager
  std::vector<std::string> violations;  ///< fill and bend limits broken on the layout as it is
  double seconds = 0;                   ///< what computing this point took; the caller measures
};

/// 1, 2, 5, 10, … racks up to `most` and `most` itself.
[[nodiscard]] std::vector<int> growth_sizes(int most);
/// One of the racks, which are all alike, and how they stand.
struct GrowthRack {
  const RackDesign* design = nullptr;
  const RackEvaluation* evaluation = nullptr;
  const RowLayout* layout = nullptr;
};
/// Everything of one size but `seconds`; without a rack no power, no heat and no cabling.
[[nodiscard]] GrowthPoint grow(const FabricDesign& design, const Catalog& catalog, int racks,
                               const std::optional<GrowthRack>& rack);

[[nodiscard]] std::string growth_csv(const std::vector<GrowthPoint>& points);
/// Switches, cables and seconds over racks, both axes logarithmic.
[[nodiscard]] std::string growth_svg(const FabricDesign& design,
                                     const std::vector<GrowthPoint>& points);

}  // namespace rackwright::topology
