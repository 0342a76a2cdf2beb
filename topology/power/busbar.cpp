#include "topology/power/busbar.hpp"

#include <algorithm>
#include <cmath>

namespace rackwright::topology {

double largest_section_share(std::vector<BusbarTap> taps) {
  std::sort(taps.begin(), taps.end(),
            [](const BusbarTap& a, const BusbarTap& b) { return a.position < b.position; });
  double below = 0, largest = 0;
  for (std::size_t i = 0; i < taps.size(); ++i) {
    below += taps[i].source ? taps[i].share : -taps[i].share;
    const bool cut = i + 1 < taps.size() && taps[i + 1].position > taps[i].position;
    if (cut) largest = std::max(largest, std::abs(below));
  }
  return largest;
}

}  // namespace rackwright::topology
