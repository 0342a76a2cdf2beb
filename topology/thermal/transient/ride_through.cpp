#include "topology/thermal/transient/ride_through.hpp"

#include "topology/thermal/transient/thermal_replay.hpp"

namespace rackwright::topology {

std::optional<double> seconds_without_heat_sink(const CoolantLoopMass& loop, double supply_c,
                                                double supply_max_c, double most_s) {
  ThermalNetwork network;
  const int racks = network.add_node("racks", loop.racks_j_per_k);
  const int rest = network.add_node("rest of the loop", loop.rest_j_per_k);
  const int flow = network.add_flow(loop.flow_w_per_k);
  network.advect(rest, racks, flow);
  network.advect(racks, rest, flow);
  auto inputs = ThermalInputs::of(network, supply_c);
  inputs.source_w[static_cast<std::size_t>(racks)] = loop.heat_w;
  const double returned = supply_c + loop.heat_w / loop.flow_w_per_k;
  return seconds_to_limit(network, {returned, supply_c}, inputs, rest, supply_max_c, most_s);
}

}  // namespace rackwright::topology
