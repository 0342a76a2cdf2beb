#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "topology/thermal/transient/thermal_matrix.hpp"
#include "topology/thermal/transient/thermal_network.hpp"

namespace rackwright::topology {

/// Where the heat of a run went, J. stored = source + leakage - to_boundaries - carried.
struct HeatLedger {
  double source_j = 0;
  double leakage_j = 0;
  double stored_j = 0;         ///< sum C (T - T at the start)
  double to_boundaries_j = 0;  ///< through conductances
  double carried_j = 0;        ///< by streams, over what they had when they came in
  /// |source + leakage - stored - to_boundaries - carried| over the largest of them.
  [[nodiscard]] double closure() const;
};

/// A network in time, by SDIRK2: two stages with gamma = 1 - 1/sqrt(2), second order, L-stable and
/// stiffly accurate (Alexander, SIAM J. Numer. Anal. 14 (1977) 1006), so that nodes of any time
/// constant, even massless ones, neither limit the step nor ring.
///   (C + g h K) T1 = C T0 + g h (q + L(T1))
///   (C + g h K) T2 = C T0 + (1 - g) h f1 + g h (q + L(T2)),  f1 = C (T1 - T0) / (g h)
/// Sources, boundaries and flows are constant within a step: the caller ends steps on their edges.
/// Both stages share one factor, kept while step length and flows repeat. Leakage L is iterated at
/// each stage; a step that does not settle is halved, and one that never settles is a runaway.
class TransientSolver {
 public:
  /// Starts from `celsius` by node. `network` outlives the solver.
  TransientSolver(const ThermalNetwork& network, std::vector<double> celsius);

  void set_source(int node, double watts);
  void set_boundary(int node, double celsius);
  void set_flow(int flow, double w_per_k);

  /// One step of `seconds` > 0. False when leakage runs away within it: the state is then that of
  /// the last step that settled.
  bool step(double seconds);
  /// Whole steps of `most_s`, the last one shorter so that it ends at `seconds` from now.
  bool advance(double seconds, double most_s);

  [[nodiscard]] double time_s() const { return time_s_; }
  [[nodiscard]] const std::vector<double>& celsius() const { return celsius_; }
  [[nodiscard]] double celsius(int node) const { return celsius_[static_cast<std::size_t>(node)]; }
  [[nodiscard]] const HeatLedger& ledger() const { return ledger_; }
  [[nodiscard]] double source_w(int node) const {
    return source_w_[static_cast<std::size_t>(node)];
  }
  /// Factorisations so far: shows what a run cost.
  [[nodiscard]] int factorisations() const { return factorisations_; }

 private:
  struct Kept {
    double seconds;
    std::unique_ptr<ThermalMatrix::Factor> factor;
  };
  const ThermalMatrix::Factor& factor_of(double seconds);
  void renew_boundaries();
  void renew_flows();
  std::optional<std::vector<double>> stage(const ThermalMatrix::Factor& factor,
                                           const std::vector<double>& known,
                                           std::vector<double> guess, double weight);
  bool try_step(double seconds);
  bool halve(double seconds, int depth);
  void book(double seconds, const std::vector<double>& first, const std::vector<double>& second,
            double first_leakage_w, double second_leakage_w);

  const ThermalNetwork& network_;
  ThermalMatrix matrix_;
  std::vector<double> celsius_, source_w_, boundary_c_, flow_w_per_k_;
  std::vector<double> capacity_, state_;             ///< of the unknowns
  std::vector<double> boundary_w_;                   ///< b of the unknowns
  std::vector<double> stream_column_, wall_column_;  ///< heat taken per K of an unknown
  double stream_offset_w_ = 0, wall_offset_w_ = 0;
  std::vector<int> leaking_;  ///< unknowns
  double leakage_w_ = 0;      ///< of the stage solved last
  std::vector<Kept> kept_;
  bool flows_changed_ = true, boundaries_changed_ = true;
  double time_s_ = 0;
  HeatLedger ledger_;
  int factorisations_ = 0;
};

}  // namespace rackwright::topology
