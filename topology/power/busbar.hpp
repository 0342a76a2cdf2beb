#pragma once

#include <vector>

#include "common/units.hpp"

namespace rackwright::topology {

/// A source or load at a height on a vertical busbar. Positive: feeds in; negative: draws.
struct BusbarTap {
  double position = 0;  ///< rack units from the bottom
  double share = 0;     ///< of all sources (loads) on the bar; sources and loads each sum to 1
  bool source = false;
};

/// The largest share of the bar's current through any of its cross-sections: the imbalance below
/// the cut. Sources at one end carry all of it through one section, sources at both ends half.
/// Resistance is left out: sources share by rating.
[[nodiscard]] double largest_section_share(std::vector<BusbarTap> taps);

/// I = P / V.
[[nodiscard]] constexpr Current busbar_current(Power power, Voltage voltage) {
  return power / voltage;
}

}  // namespace rackwright::topology
