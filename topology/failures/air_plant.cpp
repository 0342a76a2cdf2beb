#include "topology/failures/air_plant.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace rackwright::topology {

namespace {

double capacity_w_per_k(const AirPlant& plant, double flow) {
  return plant.air.density.si() * plant.air.specific_heat.si() * flow;
}

/// What the fans of `rack` draw when each tray gets the air it needs; published flow or that of the
/// network stands for a need that is not told.
std::vector<double> controlled_fan_w(const AirPlant& plant, const RackAir& rack) {
  const auto full = solve_rack_air(*plant.network).tray_m3_per_s;
  std::vector<double> needs;
  for (std::size_t i = 0; i < plant.trays.size(); ++i) {
    const TrayAirFacts& tray = plant.trays[i];
    needs.push_back(tray.needed_m3_per_s.value_or(tray.flow_m3_per_s.value_or(full[i])));
  }
  return solve_rack_air(with_speeds_for(rack, needs)).fan_power_w;
}

/// Flows of the network; leaked air comes back to the intakes of all. Of a tray with a lost fan the
/// others run faster.
void solve_network(const AirPlant& plant, const std::vector<double>& heat_w,
                   const std::vector<std::size_t>& fans_lost, AirState& state) {
  RackAir rack = *plant.network;
  for (const std::size_t tray : fans_lost) ++rack.trays[tray].fans.failed;
  const RackAirState solved = solve_rack_air(rack);
  const double flow =
      std::accumulate(solved.tray_m3_per_s.begin(), solved.tray_m3_per_s.end(), 0.0);
  const double heat = std::accumulate(heat_w.begin(), heat_w.end(), 0.0);
  const double share = flow > 0 ? std::max(0.0, solved.leak_m3_per_s) / flow : 0.0;
  const double intake = rack_air_temperatures(heat, flow, share, plant.inlet_c, plant.air).intake_c;
  std::fill(state.intake_c.begin(), state.intake_c.end(), intake);
  for (std::size_t i = 0; i < plant.trays.size(); ++i) {
    state.flow_m3_per_s[i] = std::max(0.0, solved.tray_m3_per_s[i]);
  }
  if (fans_lost.empty()) return;
  const auto before = controlled_fan_w(plant, *plant.network);
  const auto after = controlled_fan_w(plant, rack);
  for (std::size_t i = 0; i < before.size(); ++i) {
    state.more_fan_w[i] = std::max(0.0, after[i] - before[i]);
  }
  for (const std::size_t tray : fans_lost) {
    if (!plant.trays[tray].lost_fan_known) state.flow_m3_per_s[tray].reset();
  }
}

}  // namespace

AirState solve_air(const AirPlant& plant, const std::vector<double>& heat_w,
                   const std::vector<std::size_t>& fans_lost) {
  const std::size_t n = plant.trays.size();
  AirState state;
  state.flow_m3_per_s.resize(n);
  state.intake_c.assign(n, plant.inlet_c);
  state.more_fan_w.assign(n, 0.0);
  if (plant.network) {
    solve_network(plant, heat_w, fans_lost, state);
  } else {
    for (std::size_t i = 0; i < n; ++i) state.flow_m3_per_s[i] = plant.trays[i].flow_m3_per_s;
    for (const std::size_t tray : fans_lost) {
      const TrayAirFacts& facts = plant.trays[tray];
      state.flow_m3_per_s[tray].reset();
      if (facts.fans < 2 || !(facts.fan_w > 0)) continue;
      // The others hold the flow at n / (n - 1) of the speed, flaps shut: power to its exponent.
      const double count = facts.fans;
      state.more_fan_w[tray] =
          facts.fan_w * (std::pow(count / (count - 1), facts.fan_exponent - 1) - 1);
    }
  }
  for (std::size_t i = 0; i < n; ++i) {
    const double flow = state.flow_m3_per_s[i].value_or(0);
    state.outlet_c.push_back(heat_w[i] <= 0 ? state.intake_c[i]
                             : flow > 0
                                 ? state.intake_c[i] + heat_w[i] / capacity_w_per_k(plant, flow)
                                 : std::numeric_limits<double>::infinity());
  }
  return state;
}

}  // namespace rackwright::topology
