#include <algorithm>
#include <cmath>

#include "topology/thermal/transient/thermal_matrix.hpp"
#include "topology/thermal/transient/thermal_network.hpp"

namespace rackwright::topology {

namespace {

/// Largest factor by which warming feeds itself: spectral radius of K^-1 dL/dT, by power iteration
/// (both factors are non-negative).
double loop_gain_of(const ThermalMatrix::Factor& conductance, const std::vector<double>& slope) {
  constexpr int kMost = 200;
  constexpr double kAgreed = 1e-10;
  if (std::none_of(slope.begin(), slope.end(), [](double s) { return s > 0; })) return 0;
  std::vector<double> x(slope.size(), 1.0);
  double gain = 0;
  for (int i = 0; i < kMost; ++i) {
    double largest = 0;
    for (std::size_t k = 0; k < x.size(); ++k) x[k] *= slope[k];
    conductance.solve(x);
    for (const double v : x) largest = std::max(largest, std::abs(v));
    if (!(largest > 0)) return 0;
    for (double& v : x) v /= largest;
    if (std::abs(largest - gain) <= kAgreed * largest) return largest;
    gain = largest;
  }
  return gain;
}

/// Puts the unknowns and the given temperatures into one list by node.
std::vector<double> by_node(const ThermalNetwork& network, const ThermalMatrix& matrix,
                            const std::vector<double>& free, const ThermalInputs& inputs) {
  std::vector<double> result = inputs.boundary_c;
  result.resize(static_cast<std::size_t>(network.size()));
  for (std::size_t i = 0; i < free.size(); ++i) {
    result[static_cast<std::size_t>(matrix.free_nodes()[i])] = free[i];
  }
  return result;
}

}  // namespace

SteadyTemperatures steady_temperatures(const ThermalNetwork& network, const ThermalInputs& inputs) {
  constexpr int kMost = 100;
  constexpr double kSettled = 1e-10;  // K
  SteadyTemperatures result;
  ThermalMatrix matrix(network);
  matrix.set_flows(inputs.flow_w_per_k);
  const std::size_t n = matrix.free();
  const auto conductance = matrix.factorise(1, std::vector<double>(n, 0.0));
  if (!conductance) {
    result.insulated = true;
    return result;
  }
  std::vector<double> heat = matrix.boundary_heat(inputs.boundary_c);
  for (std::size_t i = 0; i < n; ++i) {
    heat[i] += inputs.source_w[static_cast<std::size_t>(matrix.free_nodes()[i])];
  }
  std::vector<double> t = heat;
  conductance->solve(t);
  for (int iterate = 0; iterate < kMost; ++iterate) {
    std::vector<double> residual = heat, slope(n, 0.0), minus(n, 0.0);
    const auto taken = matrix.times(t);
    for (std::size_t i = 0; i < n; ++i) {
      residual[i] -= taken[i];
      const auto& leakage = network.leakage(matrix.free_nodes()[i]);
      if (!leakage) continue;
      residual[i] += leakage->watts(t[i]);
      slope[i] = leakage->watts_per_k(t[i]);
      minus[i] = -slope[i];
    }
    const auto tangent = matrix.factorise(1, minus);
    if (tangent) tangent->solve(residual);
    double change = 0;
    bool falls = !tangent;
    for (const double d : residual) {
      change = std::max(change, std::abs(d));
      falls = falls || !std::isfinite(d) || d < -1e-6;
    }
    if (falls) {
      result.runaway = true;
      return result;
    }
    for (std::size_t i = 0; i < n; ++i) t[i] += residual[i];
    if (change <= kSettled * (1 + std::abs(t.empty() ? 0.0 : t.front()))) {
      result.loop_gain = loop_gain_of(*conductance, slope);
      result.celsius = by_node(network, matrix, t, inputs);
      return result;
    }
  }
  result.runaway = true;
  return result;
}

}  // namespace rackwright::topology
