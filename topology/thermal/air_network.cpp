#include "topology/thermal/air_network.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>

#include <Eigen/Dense>

namespace rackwright::topology {

namespace {

bool is_open(const FlowResistance& resistance) {
  return resistance.linear_pa_s_per_m3 > 0 || resistance.power_coefficient > 0;
}

/// n equal rotors in parallel carry a part of the flow each.
FlowResistance in_parallel(const FlowResistance& one, int count) {
  return {one.linear_pa_s_per_m3 / count, one.power_coefficient / std::pow(count, one.exponent),
          one.exponent};
}

FlowResistance outlet_of(const TrayAir& tray) {
  const double open = 1 - std::clamp(tray.cable_blocked, 0.0, 0.99);
  return {tray.outlet.linear_pa_s_per_m3 / open, tray.outlet.power_coefficient / (open * open),
          tray.outlet.exponent};
}

}  // namespace

RackAirState solve_rack_air(const RackAir& rack) {
  FlowNetwork network;
  const int room = network.add_fixed_node(0);
  const int front = is_open(rack.front_door) ? network.add_node() : room;
  const int rear = is_open(rack.rear_door) ? network.add_node() : room;
  if (front != room) network.add_branch(room, front, rack.front_door);
  if (rear != room) network.add_branch(rear, room, rack.rear_door);
  const int leak = is_open(rack.leak) ? network.add_branch(rear, front, rack.leak) : -1;
  struct Parts {
    int fans, passage, behind_fans;
  };
  std::vector<Parts> parts;
  for (const TrayAir& tray : rack.trays) {
    const FanBank& fans = tray.fans;
    const int behind = network.add_node();
    const int running = fans.fans - fans.failed;
    int driven = -1;
    if (running > 0 && fans.speed > 0) {
      driven = network.add_driven_branch(front, behind, {}, fans.curve, fans.speed, running);
    }
    const int standing = running > 0 && fans.speed > 0 ? fans.failed : fans.fans;
    if (standing > 0 && !fans.flap && is_open(fans.stopped)) {
      network.add_branch(front, behind, in_parallel(fans.stopped, standing));
    }
    parts.push_back(
        {driven, network.add_branch(behind, rear, tray.inside + outlet_of(tray)), behind});
  }
  const auto solution = network.solve();
  RackAirState state;
  state.converged = solution.converged;
  state.front_pa = solution.pressure_pa[front];
  state.rear_pa = solution.pressure_pa[rear];
  state.leak_m3_per_s = leak >= 0 ? solution.flow_m3_per_s[leak] : 0;
  state.largest_imbalance_m3_per_s = solution.largest_imbalance_m3_per_s;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const FanBank& fans = rack.trays[i].fans;
    state.tray_m3_per_s.push_back(solution.flow_m3_per_s[parts[i].passage]);
    state.fan_pressure_pa.push_back(solution.pressure_pa[parts[i].behind_fans] - state.front_pa);
    const int running = fans.fans - fans.failed;
    const double each = parts[i].fans >= 0 ? solution.flow_m3_per_s[parts[i].fans] / running : 0.0;
    state.fan_power_w.push_back(running * fans.power.at(each, fans.speed));
  }
  return state;
}

RackAir with_speeds_for(RackAir rack, const std::vector<double>& needed_m3_per_s) {
  constexpr int kRounds = 60;
  constexpr double kSettled = 1e-9, kFarthest = 2;  // of a speed in one round
  for (int round = 0; round < kRounds; ++round) {
    const RackAirState state = solve_rack_air(rack);
    double moved = 0;
    for (std::size_t i = 0; i < rack.trays.size(); ++i) {
      FanBank& fans = rack.trays[i].fans;
      const double flow = state.tray_m3_per_s[i];
      const double factor =
          flow > 0 ? std::clamp(needed_m3_per_s[i] / flow, 1 / kFarthest, kFarthest) : kFarthest;
      const double speed = std::clamp(fans.speed * factor, std::max(fans.least_speed, 1e-3), 1.0);
      moved = std::max(moved, std::abs(speed - fans.speed));
      fans.speed = speed;
    }
    if (moved < kSettled) break;
  }
  return rack;
}

RackAirTemperatures rack_air_temperatures(double heat_w, double flow_m3_per_s, double leak_share,
                                          double room_c, const Air& air) {
  const double share = std::max(0.0, leak_share);
  if (!(flow_m3_per_s > 0) || share >= 1) {
    const double endless = heat_w > 0 ? std::numeric_limits<double>::infinity() : room_c;
    return {endless, endless};
  }
  const double rise =
      heat_w / (air.density.si() * air.specific_heat.si() * flow_m3_per_s * (1 - share));
  return {room_c + share * rise, room_c + rise};
}

double recirculation_bound_k(double rack_rise_k, double supply_over_demand) {
  if (!(supply_over_demand > 0)) return std::numeric_limits<double>::infinity();
  return rack_rise_k * std::max(0.0, 1 / supply_over_demand - 1);
}

std::vector<double> mixed_intakes_c(const std::vector<std::vector<double>>& shares,
                                    const std::vector<double>& rise_k, double supply_c) {
  const auto n = static_cast<Eigen::Index>(shares.size());
  if (rise_k.size() != shares.size()) throw std::invalid_argument("a rise for each row is needed");
  Eigen::MatrixXd left = Eigen::MatrixXd::Identity(n, n);
  Eigen::VectorXd right(n);
  for (Eigen::Index i = 0; i < n; ++i) {
    const auto& row = shares[static_cast<std::size_t>(i)];
    if (row.size() != shares.size()) throw std::invalid_argument("the matrix is not square");
    double sum = 0;
    right[i] = 0;
    for (Eigen::Index j = 0; j < n; ++j) {
      const double share = row[static_cast<std::size_t>(j)];
      left(i, j) -= share;
      right[i] += share * rise_k[static_cast<std::size_t>(j)];
      sum += share;
    }
    right[i] += (1 - sum) * supply_c;
  }
  const Eigen::FullPivLU<Eigen::MatrixXd> solver(left);
  if (!solver.isInvertible()) throw std::invalid_argument("no supply air reaches a group of units");
  const Eigen::VectorXd intakes = solver.solve(right);
  return {intakes.data(), intakes.data() + n};
}

}  // namespace rackwright::topology
