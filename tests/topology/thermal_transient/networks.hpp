#pragma once

#include "topology/thermal/transient/thermal_network.hpp"

/// Networks whose answers are known from elsewhere.
namespace rackwright::topology::testing {

/// One mass on a resistance to a boundary: node 0 and boundary 1.
inline ThermalNetwork single_rc(double j_per_k, double k_per_w) {
  ThermalNetwork network;
  network.add_node("mass", j_per_k);
  network.add_boundary("room");
  network.conduct(0, 1, 1 / k_per_w);
  return network;
}

/// Four-node Cauer ladder: die, lid, plate, coolant cell; sink 138.64 W/K, 2 l/min of water. Its
/// temperatures under a 300/1000 W square wave were worked with the matrix exponential.
inline ThermalNetwork cauer_ladder() {
  ThermalNetwork network;
  for (const auto& [name, capacity] :
       {std::pair{"die", 15.0}, {"lid", 80.0}, {"plate", 350.0}, {"coolant", 120.0}}) {
    network.add_node(name, capacity);
  }
  network.add_boundary("supply");
  network.conduct(0, 1, 1 / 0.012);
  network.conduct(1, 2, 1 / 0.010);
  network.conduct(2, 3, 1 / 0.020);
  network.advect(4, 3, network.add_flow(138.64));
  return network;
}

}  // namespace rackwright::topology::testing
