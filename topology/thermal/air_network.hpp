#pragma once

#include <memory>
#include <string>
#include <vector>

#include "topology/thermal/air.hpp"
#include "topology/thermal/flow_network.hpp"

namespace rackwright::topology {

/// Fans of a tray, alike and in parallel.
struct FanBank {
  std::shared_ptr<const PressureCurve> curve;  ///< one fan, full speed, at `density`
  int fans = 0;
  int failed = 0;
  double speed = 1;        ///< of the full one
  double least_speed = 0;  ///< of the maker's lowest duty
  FanPower power;          ///< of one fan
  FlowResistance stopped;  ///< one rotor that stands still lets air back through it
  bool flap = false;       ///< a back-draught flap shuts a failed fan off
};

/// One tray: fans, then heat sinks and boards, then the way out behind it.
struct TrayAir {
  std::string slot;
  FanBank fans;
  FlowResistance inside;
  FlowResistance outlet;
  double cable_blocked = 0;  ///< share of the outlet's area that cables close
};

/// Trays side by side between the cold and the hot side of a rack; doors and the gaps that let hot
/// air back to the cold side.
struct RackAir {
  FlowResistance front_door, rear_door;
  FlowResistance leak;  ///< from the rear to the front; no coefficients: sealed
  std::vector<TrayAir> trays;
};

struct RackAirState {
  bool converged = false;
  std::vector<double> tray_m3_per_s;    ///< positive from cold to hot
  std::vector<double> fan_power_w;      ///< running fans of each tray
  std::vector<double> fan_pressure_pa;  ///< over the fans
  double leak_m3_per_s = 0;             ///< from hot to cold
  double front_pa = 0, rear_pa = 0;     ///< behind the front door, before the rear door
  double largest_imbalance_m3_per_s = 0;
};
/// Newton on the pressures of the rack's nodes. At altitude the curves and losses are to be given
/// for the density there: both go with it, so a tray keeps its volume flow and loses mass flow.
[[nodiscard]] RackAirState solve_rack_air(const RackAir& rack);

/// The rack with each tray's fans at the speed at which the tray gets `needed_m3_per_s` on its own
/// system curve, doors and neighbours included; full speed where even that is too little, the least
/// speed where less would do. As a controller of the fans settles.
[[nodiscard]] RackAir with_speeds_for(RackAir rack, const std::vector<double>& needed_m3_per_s);

/// Air of a rack whose leak brings `leak_share` of the trays' air back to their intake.
struct RackAirTemperatures {
  double intake_c = 0;
  double exhaust_c = 0;
};
/// All heat leaves through the rear door: T_exhaust - T_room = P / (rho cp Q (1 - share)), and the
/// intake is the mix. Infinite at a share of 1.
[[nodiscard]] RackAirTemperatures rack_air_temperatures(double heat_w, double flow_m3_per_s,
                                                        double leak_share, double room_c,
                                                        const Air& air);

/// Well-mixed bound on the mean intake rise of racks that draw more than the room supplies:
/// dT_rack max(0, Q_demand / Q_supply - 1). Perfect mixing at 0.8 of the demand and 12 K gives 3 K.
[[nodiscard]] double recirculation_bound_k(double rack_rise_k, double supply_over_demand);

/// Intakes of units that breathe each other's exhaust: T_i = sum_j A_ij (T_j + dT_j) + (1 - sum_j
/// A_ij) T_supply, solved for all at once. Throws std::invalid_argument for a matrix that is not
/// square or whose rows leave no supply air anywhere.
[[nodiscard]] std::vector<double> mixed_intakes_c(const std::vector<std::vector<double>>& shares,
                                                  const std::vector<double>& rise_k,
                                                  double supply_c);

}  // namespace rackwright::topology
