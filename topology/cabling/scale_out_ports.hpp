#pragma once

#include "topology/catalog.hpp"
#include "topology/rack_design.hpp"

namespace rackwright::topology {

/// Scale-out ports of a rack: compute NICs of its parts, one cable each to a leaf switch.
struct ScaleOutPorts {
  int nics = 0;
  double gbit_per_s = 0;  ///< of one NIC, the slowest of the rack
  bool complete = true;   ///< false when a slot with GPUs has no published NIC count
};
[[nodiscard]] ScaleOutPorts scale_out_ports(const RackDesign& design, const Catalog& catalog);

}  // namespace rackwright::topology
