#pragma once

#include <optional>
#include <string>
#include <vector>

#include "topology/thermal/flow_network.hpp"
#include "topology/thermal/liquid.hpp"

namespace rackwright::topology {

/// Part of a loop's pressure drop by component; the manifold is outside the branches.
struct LoopComponent {
  std::string name;  ///< "cold plates", "quick disconnects"
  double share = 0;  ///< of the rack's drop
  bool manifold = false;
};

/// A tray on the manifolds.
struct TrayBranch {
  std::string slot;
  double height_m = 0;  ///< of its port over the foot of the manifolds
  double heat_w = 0;    ///< to the coolant, at the point the branch is sized for
};

/// Supply and return manifold with trays across, fed and drained at the foot (the far tray has the
/// longest way), as a flow network. The makers publish the drop of a whole rack over its flow, not
/// that of a tray: branches are sized so that at `sizing_flow` they carry flow in proportion to
/// their heat and the rack drops what the law says; the manifolds drop their share to the far tray.
class CoolantLoop {
 public:
  /// Throws std::invalid_argument without branches, heat or flow.
  CoolantLoop(std::vector<TrayBranch> trays, const DropLaw& rack_drop,
              std::vector<LoopComponent> components, double sizing_flow_lpm);

  struct State {
    bool converged = false;
    double flow_lpm = 0;
    double drop_kpa = 0;                  ///< rack inlet over outlet
    std::vector<double> branch_lpm;       ///< by tray
    std::vector<double> branch_drop_kpa;  ///< manifold to manifold
    double largest_imbalance_lpm = 0;
  };
  /// Flow `lpm` through the rack. `blocked[i]` multiplies the resistance of tray i (1: clean); 0
  /// shuts its valve. Empty: all clean and open.
  [[nodiscard]] State at_flow(double lpm, const std::vector<double>& blocked = {}) const;
  /// The flow that a drop of `kpa` drives: what a CDU that holds the pressure difference gives.
  [[nodiscard]] State at_drop(double kpa, const std::vector<double>& blocked = {}) const;

  /// Drop of one component of a tray's branch [kPa].
  [[nodiscard]] double component_drop_kpa(const State& state, std::size_t tray,
                                          const LoopComponent& component) const;
  [[nodiscard]] const std::vector<TrayBranch>& trays() const { return trays_; }
  [[nodiscard]] const std::vector<LoopComponent>& components() const { return components_; }
  [[nodiscard]] const FlowResistance& branch(std::size_t tray) const { return branches_[tray]; }
  /// Appends the loop to a network between two nodes; returns its tray branches.
  std::vector<int> append_to(FlowNetwork& network, int supply, int back,
                             const std::vector<double>& blocked = {}) const;

 private:
  [[nodiscard]] State read(const FlowNetwork& network, const std::vector<int>& branches, int supply,
                           int back, const FlowNetwork::Solution& solution) const;
  std::vector<TrayBranch> trays_;  ///< by height
  std::vector<LoopComponent> components_;
  double branch_share_ = 1;  ///< of the drop that is in the branches
  std::vector<FlowResistance> branches_;
  FlowResistance manifold_per_m_;
};

/// Temperature of the coolant that leaves each tray [degC]: supply + P / (rho cp q). Infinite where
/// a tray takes heat without flow.
[[nodiscard]] std::vector<double> tray_outlets_c(const CoolantLoop::State& state,
                                                 const std::vector<double>& heat_w, double supply_c,
                                                 double w_per_k_per_lpm);

/// The most a branch may lose of its flow before its coolant leaves warmer than `limit_c`: the rise
/// goes with 1 / q, so 1 - rise / allowed rise. Negative when it is over already.
[[nodiscard]] double blockage_margin(double supply_c, double outlet_c, double limit_c);

/// Flow out of a broken branch at `over_pressure_kpa` over the room, through `share` of its own
/// resistance: the most a leak can lose before its valve shuts [l/min].
[[nodiscard]] double leak_flow_lpm(const FlowResistance& branch, double share,
                                   double over_pressure_kpa);

}  // namespace rackwright::topology
