#include "topology/thermal/heat_split.hpp"

#include <algorithm>

namespace rackwright::topology {

HeatSplit split_heat(const std::vector<HeatSource>& sources, double liquid_w) {
  HeatSplit split;
  double known = 0, blank = 0;
  for (const HeatSource& source : sources) {
    if (source.liquid_fraction) {
      known += source.watts * *source.liquid_fraction;
    } else {
      blank += source.watts;
    }
  }
  const double rest = liquid_w - known;
  double fraction = 0;
  if (blank > 0) {
    fraction = std::clamp(rest / blank, 0.0, 1.0);
    split.blank_fraction = fraction;
  }
  split.unplaced_w = rest - fraction * blank;
  double placed = 0;
  for (const HeatSource& source : sources) {
    split.liquid_w.push_back(source.watts * source.liquid_fraction.value_or(fraction));
    placed += split.liquid_w.back();
  }
  const double scale = placed > 0 ? liquid_w / placed : 1;
  for (double& watts : split.liquid_w) watts *= scale;
  return split;
}

}  // namespace rackwright::topology
