#pragma once

#include <memory>
#include <vector>

#include "topology/thermal/pressure_curve.hpp"

namespace rackwright::topology {

/// Loss of a branch: p_from - p_to = k1 q + k2 q |q|^(n-1). Laminar parts have k1, turbulent ones
/// k2 with n = 2; a fitted power law has its own n. Losses in series with one n add.
struct FlowResistance {
  double linear_pa_s_per_m3 = 0;  ///< k1
  double power_coefficient = 0;   ///< k2 [Pa (s/m3)^n]
  double exponent = 2;            ///< n, at least 1

  [[nodiscard]] double drop_pa(double flow) const;
  [[nodiscard]] double slope(double flow) const;
  [[nodiscard]] FlowResistance operator+(const FlowResistance& other) const;
  [[nodiscard]] FlowResistance operator*(double factor) const;
};

/// An opening as a resistance: dp = rho / 2 (q / (Cd A))^2. Cd 0.6 to 0.65 for a sharp edge.
[[nodiscard]] FlowResistance orifice(double area_m2, double discharge, double density_kg_per_m3);

/// A network of nodes with pressures and branches with flows, for air and liquids alike.
/// A branch obeys p_from - p_to + s^2 H(q/s) = k1 q + k2 q|q|^(n-1) with a fan or pump curve H.
/// Every part of the network needs a node of fixed pressure (room air, an expansion vessel); one
/// without it gets its first node pinned to 0 Pa and must take in what it gives off.
class FlowNetwork {
 public:
  /// `inflow` enters the node from outside [m3/s].
  int add_node(double inflow = 0);
  int add_fixed_node(double pressure_pa);
  int add_branch(int from, int to, FlowResistance resistance);
  /// A branch that a fan or pump drives from `from` to `to`. `in_parallel` machines are alike.
  int add_driven_branch(int from, int to, FlowResistance resistance,
                        std::shared_ptr<const PressureCurve> curve, double speed = 1,
                        int in_parallel = 1);

  /// A closed valve: no flow at any pressure.
  void set_open(int branch, bool open) { branches_[branch].open = open; }
  void set_speed(int branch, double speed) { branches_[branch].speed = speed; }
  void set_running(int branch, int machines) { branches_[branch].machines = machines; }
  void set_resistance(int branch, FlowResistance resistance) {
    branches_[branch].resistance = resistance;
  }
  void set_inflow(int node, double inflow) { nodes_[node].inflow = inflow; }

  [[nodiscard]] int nodes() const { return static_cast<int>(nodes_.size()); }
  [[nodiscard]] int branches() const { return static_cast<int>(branches_.size()); }
  [[nodiscard]] int from(int branch) const { return branches_[branch].from; }
  [[nodiscard]] int to(int branch) const { return branches_[branch].to; }

  struct Solution {
    bool converged = false;
    int iterations = 0;
    std::vector<double> pressure_pa;    ///< by node
    std::vector<double> flow_m3_per_s;  ///< by branch, positive from `from` to `to`
    double largest_imbalance_m3_per_s = 0;
  };
  /// Newton on the node pressures. Each step solves the weighted Laplacian with weights dq/d(dp) at
  /// the present flows (symmetric, positive definite), so that flows sum to zero at every node from
  /// the first step on; what is left is the loss of the branches. The flows minimise a convex
  /// energy (the content of Cherry and Millar), along which each step is searched, so it converges
  /// from any start (Todini and Pilati 1988 without the search). Throws std::invalid_argument when
  /// a part without a fixed node does not balance.
  [[nodiscard]] Solution solve() const;

 private:
  friend class FlowSolver;
  struct Node {
    double inflow = 0;
    bool fixed = false;
    double pressure = 0;
  };
  struct Branch {
    int from = 0, to = 0;
    FlowResistance resistance;
    std::shared_ptr<const PressureCurve> curve;
    double speed = 1;
    int machines = 1;
    bool open = true;
    /// Loss less lift at a flow, and its slope.
    [[nodiscard]] double head(double flow) const;
    [[nodiscard]] double slope(double flow) const;
  };
  std::vector<Node> nodes_;
  std::vector<Branch> branches_;
};

}  // namespace rackwright::topology
