#include "topology/thermal/transient/thermal_network.hpp"

#include <cmath>
#include <stdexcept>

namespace rackwright::topology {

double Leakage::watts(double celsius) const {
  return reference_w * std::exp(slope_per_k * (celsius - reference_c));
}

double FilmLaw::conductance_w_per_k(double flow_w_per_k) const {
  if (!(flow_w_per_k > 0)) return 0;
  const double film = film_k_per_w * std::pow(flow_w_per_k / rated_w_per_k, -exponent);
  return 1 / (solid_k_per_w + film);
}

int ThermalNetwork::add_node(std::string name, double capacity_j_per_k) {
  if (!(capacity_j_per_k >= 0) || !std::isfinite(capacity_j_per_k)) {
    throw std::invalid_argument("heat capacity of " + name + " must be finite and not negative");
  }
  nodes_.push_back({std::move(name), capacity_j_per_k, false});
  leakage_.emplace_back();
  return size() - 1;
}

int ThermalNetwork::add_boundary(std::string name) {
  nodes_.push_back({std::move(name), 0, true});
  leakage_.emplace_back();
  return size() - 1;
}

int ThermalNetwork::add_flow(double w_per_k) {
  flows_.push_back(w_per_k);
  return static_cast<int>(flows_.size()) - 1;
}

void ThermalNetwork::check(int node) const {
  if (node < 0 || node >= size()) throw std::out_of_range("no such node of the thermal network");
}

void ThermalNetwork::conduct(int a, int b, double w_per_k) {
  check(a);
  check(b);
  if (!(w_per_k >= 0)) throw std::invalid_argument("a conductance is not negative");
  conductances_.push_back({a, b, w_per_k});
}

void ThermalNetwork::advect(int from, int to, int flow, double share) {
  check(from);
  check(to);
  if (nodes_[static_cast<std::size_t>(to)].fixed) {
    throw std::invalid_argument("a stream cannot warm a given temperature");
  }
  static_cast<void>(flows_.at(static_cast<std::size_t>(flow)));
  streams_.push_back({from, to, flow, share});
}

void ThermalNetwork::convect(int solid, int fluid, int flow, const FilmLaw& law, double share) {
  check(solid);
  check(fluid);
  static_cast<void>(flows_.at(static_cast<std::size_t>(flow)));
  films_.push_back({solid, fluid, flow, share, law});
}

void ThermalNetwork::set_leakage(int node, const Leakage& leakage) {
  check(node);
  leakage_[static_cast<std::size_t>(node)] = leakage;
}

const std::optional<Leakage>& ThermalNetwork::leakage(int node) const {
  return leakage_.at(static_cast<std::size_t>(node));
}

bool ThermalNetwork::leaks() const {
  for (const auto& leakage : leakage_) {
    if (leakage && leakage->reference_w > 0) return true;
  }
  return false;
}

ThermalInputs ThermalInputs::of(const ThermalNetwork& network, double celsius) {
  const auto n = static_cast<std::size_t>(network.size());
  return {std::vector<double>(n, 0.0), std::vector<double>(n, celsius), network.flows()};
}

}  // namespace rackwright::topology
