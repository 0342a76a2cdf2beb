#pragma once

#include <optional>
#include <vector>

namespace rackwright::topology {

/// One part that makes heat: a tray, or what the rectifiers lose.
struct HeatSource {
  double watts = 0;
  std::optional<double> liquid_fraction;  ///< published; blank: solved for
};

/// Where the heat of each part goes.
struct HeatSplit {
  std::vector<double> liquid_w;          ///< by source; the rest of its watts goes to air
  std::optional<double> blank_fraction;  ///< what parts without a published share come to
  double unplaced_w = 0;  ///< liquid heat that no part can give off; 0 in a sound rack
};

/// Shares `liquid_w`, the liquid heat of the rack, out over its parts: those with a published
/// fraction take it, the others one common fraction that makes up the rest, within 0 to 1. When the
/// published ones alone are over, or all blanks at 1 are short, the difference is `unplaced_w` and
/// the fractions of the parts are scaled so that the sum holds.
[[nodiscard]] HeatSplit split_heat(const std::vector<HeatSource>& sources, double liquid_w);

}  // namespace rackwright::topology
