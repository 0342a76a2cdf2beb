#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "topology/thermal/transient/thermal_network.hpp"

namespace rackwright::topology {

/// The linear part of a network at given flows: heat balance of the free nodes
///   r = K T_free - b,  b from the given temperatures.
class ThermalMatrix {
 public:
  explicit ThermalMatrix(const ThermalNetwork& network);
  ~ThermalMatrix();
  ThermalMatrix(const ThermalMatrix&) = delete;
  ThermalMatrix& operator=(const ThermalMatrix&) = delete;

  /// Rates of the streams; films follow. The pattern never changes, so neither does the ordering.
  void set_flows(const std::vector<double>& w_per_k);
  /// b of the free nodes, W, from the temperatures of the boundaries.
  [[nodiscard]] std::vector<double> boundary_heat(const std::vector<double>& boundary_c) const;

  [[nodiscard]] std::size_t free() const { return free_nodes_.size(); }
  /// Node of each unknown.
  [[nodiscard]] const std::vector<int>& free_nodes() const { return free_nodes_; }
  /// Unknown of each node; -1 for boundaries.
  [[nodiscard]] const std::vector<int>& unknowns() const { return unknowns_; }

  /// K + diagonal, factorised. Row-dominant by construction, so it needs no pivoting.
  class Factor {
   public:
    virtual ~Factor() = default;
    /// x = (scale K + diagonal)^-1 x, in place.
    virtual void solve(std::vector<double>& x) const = 0;
  };
  /// Factor of scale K + diag(`diagonal`). Nothing when singular: a node without mass and without a
  /// path to a given temperature.
  [[nodiscard]] std::unique_ptr<Factor> factorise(double scale,
                                                  const std::vector<double>& diagonal) const;
  /// K x.
  [[nodiscard]] std::vector<double> times(const std::vector<double>& x) const;

 private:
  struct Entries;
  void add_link(int node, int other, double w_per_k);
  const ThermalNetwork& network_;
  std::vector<int> free_nodes_, unknowns_;
  std::unique_ptr<Entries> entries_;
};

}  // namespace rackwright::topology
