#pragma once

#include <optional>
#include <string>
#include <vector>

#include "topology/thermal/air_network.hpp"

namespace rackwright::topology {

/// The air of one tray or node.
struct TrayAirFacts {
  std::string slot;
  std::optional<double> flow_m3_per_s;  ///< published, all fans running
  int fans = 0;                         ///< 0: not published
  double fan_w = 0;                     ///< all its fans in service; 0: not published
  double fan_exponent = 3;              ///< of power over speed
  bool lost_fan_known = true;           ///< of a network: what a stopped fan lets back is published
  std::optional<double> needed_m3_per_s;  ///< that keeps the most sensitive part in the air cool
};

/// Air side of one rack. `network` where every tray has a fan curve and an impedance.
struct AirPlant {
  double inlet_c = 0;
  Air air;
  std::optional<double> outlet_max_c;  ///< of the most sensitive part in the air
  std::vector<TrayAirFacts> trays;
  std::optional<RackAir> network;
  /// A rear door: what it takes with all fans and with one lost; blank where not published.
  bool door = false;
  std::optional<double> door_w, door_one_fan_lost_w;
  double door_fan_w = 0;
  std::vector<std::string> door_supply;
};

struct AirState {
  std::vector<std::optional<double>> flow_m3_per_s;  ///< by tray; blank: a lost fan's part is
  std::vector<double> intake_c, outlet_c;            ///< infinite without flow
  std::vector<double> more_fan_w;  ///< that the fans that stay draw on top, by tray
};
/// Flow and outlet of each tray with `heat_w` and one fan lost in each of `fans_lost`. Without a
/// network the published flow holds while all fans run; with one lost it is blank.
[[nodiscard]] AirState solve_air(const AirPlant& plant, const std::vector<double>& heat_w,
                                 const std::vector<std::size_t>& fans_lost);

}  // namespace rackwright::topology
