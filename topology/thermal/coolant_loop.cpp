#include "topology/thermal/coolant_loop.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <stdexcept>

namespace rackwright::topology {

namespace {

constexpr double kLpm = 1.0 / 60e3;  ///< m3/s
constexpr double kKpa = 1e3;

/// Pressure lost to the far tray of one manifold per unit of k: the flow of each stretch is what
/// the trays above it take.
double manifold_factor(const std::vector<TrayBranch>& trays, double flow, double total_heat) {
  double factor = 0, below = 0, from = 0;
  for (const TrayBranch& tray : trays) {
    const double q = flow * (1 - below / total_heat);
    factor += (tray.height_m - from) * q * q;
    from = tray.height_m;
    below += tray.heat_w;
  }
  return factor;
}

}  // namespace

CoolantLoop::CoolantLoop(std::vector<TrayBranch> trays, const DropLaw& rack_drop,
                         std::vector<LoopComponent> components, double sizing_flow_lpm)
    : trays_(std::move(trays)), components_(std::move(components)) {
  std::stable_sort(trays_.begin(), trays_.end(), [](const TrayBranch& a, const TrayBranch& b) {
    return a.height_m < b.height_m;
  });
  double heat = 0, share = 0, manifold = 0;
  for (const TrayBranch& tray : trays_) heat += tray.heat_w;
  for (const LoopComponent& component : components_) {
    share += component.share;
    if (component.manifold) manifold += component.share;
  }
  if (!(heat > 0) || !(sizing_flow_lpm > 0)) {
    throw std::invalid_argument("a coolant loop needs trays with heat, and flow");
  }
  for (LoopComponent& component : components_) component.share /= share;
  if (share > 0) manifold /= share;
  branch_share_ = 1 - manifold;
  const double flow = sizing_flow_lpm * kLpm;
  const double factor = manifold_factor(trays_, flow, heat);
  if (factor > 0) {  // half in supply, half in return
    const double drop = rack_drop.drop_kpa(sizing_flow_lpm) * kKpa;
    manifold_per_m_ = {0, manifold * drop / 2 / factor, 2};
  }
  // A branch with a part of the flow has the rack's coefficients over that part and its square.
  const double linear = rack_drop.linear_kpa_per_lpm * kKpa / kLpm;
  const double square = rack_drop.square_kpa_per_lpm2 * kKpa / (kLpm * kLpm);
  for (const TrayBranch& tray : trays_) {
    const double part = std::max(tray.heat_w / heat, 1e-6);
    branches_.push_back({branch_share_ * linear / part, branch_share_ * square / (part * part), 2});
  }
}

std::vector<int> CoolantLoop::append_to(FlowNetwork& network, int supply, int back,
                                        const std::vector<double>& blocked) const {
  std::vector<int> branches;
  int below_supply = supply, below_return = back;
  double from = 0;
  for (std::size_t i = 0; i < trays_.size(); ++i) {
    const double length = trays_[i].height_m - from;
    if (length > 0 && manifold_per_m_.power_coefficient > 0) {
      const int next_supply = network.add_node(), next_return = network.add_node();
      network.add_branch(below_supply, next_supply, manifold_per_m_ * length);
      network.add_branch(next_return, below_return, manifold_per_m_ * length);
      below_supply = next_supply;
      below_return = next_return;
      from = trays_[i].height_m;
    }
    const double factor = blocked.empty() ? 1.0 : blocked[i];
    branches.push_back(
        network.add_branch(below_supply, below_return, branches_[i] * std::max(factor, 1e-9)));
    network.set_open(branches.back(), factor > 0);
  }
  return branches;
}

CoolantLoop::State CoolantLoop::read(const FlowNetwork&, const std::vector<int>& branches,
                                     int supply, int back,
                                     const FlowNetwork::Solution& solution) const {
  State state;
  state.converged = solution.converged;
  state.drop_kpa = (solution.pressure_pa[supply] - solution.pressure_pa[back]) / kKpa;
  for (std::size_t i = 0; i < branches.size(); ++i) {
    const double flow = solution.flow_m3_per_s[branches[i]];
    state.branch_lpm.push_back(flow / kLpm);
    state.flow_lpm += flow / kLpm;
    state.branch_drop_kpa.push_back(branches_[i].drop_pa(flow) / kKpa);
  }
  state.largest_imbalance_lpm = solution.largest_imbalance_m3_per_s / kLpm;
  return state;
}

CoolantLoop::State CoolantLoop::at_flow(double lpm, const std::vector<double>& blocked) const {
  FlowNetwork network;
  const int back = network.add_fixed_node(0), supply = network.add_node(lpm * kLpm);
  const auto branches = append_to(network, supply, back, blocked);
  return read(network, branches, supply, back, network.solve());
}

CoolantLoop::State CoolantLoop::at_drop(double kpa, const std::vector<double>& blocked) const {
  FlowNetwork network;
  const int back = network.add_fixed_node(0), supply = network.add_fixed_node(kpa * kKpa);
  const auto branches = append_to(network, supply, back, blocked);
  return read(network, branches, supply, back, network.solve());
}

double CoolantLoop::component_drop_kpa(const State& state, std::size_t tray,
                                       const LoopComponent& component) const {
  if (component.manifold || branch_share_ <= 0) return 0;
  return state.branch_drop_kpa[tray] * component.share / branch_share_;
}

std::vector<double> tray_outlets_c(const CoolantLoop::State& state,
                                   const std::vector<double>& heat_w, double supply_c,
                                   double w_per_k_per_lpm) {
  std::vector<double> outlets;
  for (std::size_t i = 0; i < heat_w.size(); ++i) {
    const double capacity = state.branch_lpm[i] * w_per_k_per_lpm;
    if (heat_w[i] <= 0) {
      outlets.push_back(supply_c);
    } else {
      outlets.push_back(capacity > 0 ? supply_c + heat_w[i] / capacity
                                     : std::numeric_limits<double>::infinity());
    }
  }
  return outlets;
}

double blockage_margin(double supply_c, double outlet_c, double limit_c) {
  if (limit_c <= supply_c) return -1;
  return 1 - (outlet_c - supply_c) / (limit_c - supply_c);
}

double leak_flow_lpm(const FlowResistance& branch, double share, double over_pressure_kpa) {
  FlowNetwork network;
  const int inside = network.add_fixed_node(over_pressure_kpa * kKpa);
  const int room = network.add_fixed_node(0);
  network.add_branch(inside, room, branch * share);
  return network.solve().flow_m3_per_s[0] / kLpm;
}

}  // namespace rackwright::topology
