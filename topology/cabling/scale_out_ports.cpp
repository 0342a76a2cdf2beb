#include "topology/cabling/scale_out_ports.hpp"

#include <algorithm>

namespace rackwright::topology {

ScaleOutPorts scale_out_ports(const RackDesign& design, const Catalog& catalog) {
  ScaleOutPorts ports;
  for (const Slot& slot : design.slots) {
    if (slot.gpus == 0) continue;
    const Part* part = catalog.find(slot.part);
    const auto nics = part ? part->number("nic_count") : std::nullopt;
    if (!nics) {
      ports.complete = false;
      continue;
    }
    ports.nics += static_cast<int>(*nics);
    const double rate = part->number("nic_rate_gbit_per_s").value_or(0);
    if (rate > 0) ports.gbit_per_s = ports.gbit_per_s > 0 ? std::min(ports.gbit_per_s, rate) : rate;
  }
  return ports;
}

}  // namespace rackwright::topology
