#pragma once

#include <string>
#include <vector>

#include "topology/cabling/cable_plan.hpp"

namespace rackwright::topology {

/// What a port map must satisfy, checked.
struct PortCheck {
  int used = 0, idle = 0;
  /// Port used twice, port that the device does not have, NIC on a leaf of another rail, more
  /// links in a cage than it splits into, a cable with more or fewer plugs than its part.
  std::vector<std::string> problems;
};
[[nodiscard]] PortCheck check_ports(const CablePlan& plan, const Catalog& catalog);

}  // namespace rackwright::topology
