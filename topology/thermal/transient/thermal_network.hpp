#pragma once

#include <optional>
#include <string>
#include <vector>

namespace rackwright::topology {

/// Power that a node dissipates because it is warm: P = reference_w exp(slope (T - reference_c)).
/// `slope_per_k` of silicon is about 0.01 to 0.02.
struct Leakage {
  double reference_w = 0;
  double slope_per_k = 0;
  double reference_c = 0;
  [[nodiscard]] double watts(double celsius) const;
  [[nodiscard]] double watts_per_k(double celsius) const { return slope_per_k * watts(celsius); }
};

/// Resistance from a solid to a fluid that passes it: R(q) = solid + film (q / rated)^-exponent.
/// Without flow nothing passes.
struct FilmLaw {
  double solid_k_per_w = 0;
  double film_k_per_w = 0;   ///< at the rated flow
  double rated_w_per_k = 1;  ///< heat capacity rate at which `film_k_per_w` holds
  double exponent = 0.8;     ///< 0.5 to 0.8: laminar entrance to turbulent
  [[nodiscard]] double conductance_w_per_k(double flow_w_per_k) const;
};

/// Heat capacities joined by conductances and by streams. Temperatures in degC, heat capacity rates
/// of streams (m cp) in W/K. Node 0, 1, … in order of addition.
///   C dT_i/dt = P_i + P_leak,i(T_i) + sum_j G_ij (T_j - T_i) + sum_j w_ji (T_j - T_i)
/// A stream is one-sided: the node downstream takes over what the node upstream has.
class ThermalNetwork {
 public:
  struct Node {
    std::string name;
    double capacity_j_per_k = 0;  ///< 0: no mass, follows at once
    bool fixed = false;           ///< temperature given from outside
  };
  struct Conductance {
    int a = 0, b = 0;
    double w_per_k = 0;
  };
  struct Film {
    int solid = 0, fluid = 0, flow = 0;
    double share = 1;
    FilmLaw law;
  };
  struct Stream {
    int from = 0, to = 0, flow = 0;
    double share = 1;
  };

  /// Throws std::invalid_argument for a capacity below zero or not finite.
  int add_node(std::string name, double capacity_j_per_k);
  /// A node whose temperature is given: inlet air, supply, room.
  int add_boundary(std::string name);
  /// A stream whose rate can be changed while time runs; returns its index.
  int add_flow(double w_per_k);
  void conduct(int a, int b, double w_per_k);
  /// `share` of flow `flow` runs from node `from` into node `to`.
  void advect(int from, int to, int flow, double share = 1);
  /// Heat from `solid` to `fluid`; its resistance follows `share` of flow `flow`.
  void convect(int solid, int fluid, int flow, const FilmLaw& law, double share = 1);
  void set_leakage(int node, const Leakage& leakage);

  [[nodiscard]] int size() const { return static_cast<int>(nodes_.size()); }
  [[nodiscard]] const std::vector<Node>& nodes() const { return nodes_; }
  [[nodiscard]] const std::vector<Conductance>& conductances() const { return conductances_; }
  [[nodiscard]] const std::vector<Film>& films() const { return films_; }
  [[nodiscard]] const std::vector<Stream>& streams() const { return streams_; }
  [[nodiscard]] const std::vector<double>& flows() const { return flows_; }
  [[nodiscard]] const std::optional<Leakage>& leakage(int node) const;
  [[nodiscard]] bool leaks() const;

 private:
  void check(int node) const;
  std::vector<Node> nodes_;
  std::vector<std::optional<Leakage>> leakage_;
  std::vector<Conductance> conductances_;
  std::vector<Film> films_;
  std::vector<Stream> streams_;
  std::vector<double> flows_;
};

/// What acts on a network at one moment.
struct ThermalInputs {
  std::vector<double> source_w;    ///< by node
  std::vector<double> boundary_c;  ///< by node; read for boundaries
  std::vector<double> flow_w_per_k;
  /// No power, boundaries at `celsius`, the network's own flows.
  static ThermalInputs of(const ThermalNetwork& network, double celsius);
};

/// A steady state, or the reason that there is none.
struct SteadyTemperatures {
  std::vector<double> celsius;  ///< by node; empty when there is none
  /// Heat that warming adds over heat that warming carries away, at the solution: 1 is the edge.
  double loop_gain = 0;
  bool runaway = false;    ///< leakage outgrows the cooling: no steady state exists
  bool insulated = false;  ///< some node has no path to a given temperature
};

/// Newton's method from the state without leakage. The lower solution is found when one exists: the
/// residual is concave and its matrix stays one of positive inverse up to the fold, so the iterates
/// rise to it and never pass it. At the fold the loop gain is 1.
[[nodiscard]] SteadyTemperatures steady_temperatures(const ThermalNetwork& network,
                                                     const ThermalInputs& inputs);

}  // namespace rackwright::topology
