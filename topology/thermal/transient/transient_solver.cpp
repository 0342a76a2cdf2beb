#include "topology/thermal/transient/transient_solver.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>

namespace rackwright::topology {

namespace {

const double kGamma = 1 - 1 / std::sqrt(2.0);
constexpr double kSettledK = 1e-8;  // largest change of a leaking node between iterates
constexpr int kMostIterates = 30;
constexpr int kMostHalvings = 16;
constexpr std::size_t kKeptFactors = 8;
constexpr double kLargestExponent = 60;  // of leakage: beyond it nothing physical is left

}  // namespace

double HeatLedger::closure() const {
  const double largest = std::max({std::abs(source_j), std::abs(leakage_j), std::abs(stored_j),
                                   std::abs(to_boundaries_j), std::abs(carried_j), 1e-300});
  return std::abs(source_j + leakage_j - stored_j - to_boundaries_j - carried_j) / largest;
}

TransientSolver::TransientSolver(const ThermalNetwork& network, std::vector<double> celsius)
    : network_(network), matrix_(network), celsius_(std::move(celsius)) {
  const auto n = static_cast<std::size_t>(network.size());
  if (celsius_.size() != n) throw std::invalid_argument("one temperature per node is needed");
  source_w_.assign(n, 0.0);
  boundary_c_ = celsius_;
  flow_w_per_k_ = network.flows();
  for (std::size_t i = 0; i < matrix_.free(); ++i) {
    const int node = matrix_.free_nodes()[i];
    capacity_.push_back(network.nodes()[static_cast<std::size_t>(node)].capacity_j_per_k);
    state_.push_back(celsius_[static_cast<std::size_t>(node)]);
    if (network.leakage(node)) leaking_.push_back(static_cast<int>(i));
  }
}

void TransientSolver::set_source(int node, double watts) {
  source_w_.at(static_cast<std::size_t>(node)) = watts;
}

void TransientSolver::set_boundary(int node, double celsius) {
  const auto at = static_cast<std::size_t>(node);
  if (!network_.nodes().at(at).fixed) throw std::invalid_argument("not a boundary of the network");
  if (boundary_c_[at] == celsius) return;
  boundary_c_[at] = celsius_[at] = celsius;
  boundaries_changed_ = true;
}

void TransientSolver::set_flow(int flow, double w_per_k) {
  double& now = flow_w_per_k_.at(static_cast<std::size_t>(flow));
  if (now == w_per_k) return;
  now = w_per_k;
  flows_changed_ = true;
}

void TransientSolver::renew_flows() {
  matrix_.set_flows(flow_w_per_k_);
  kept_.clear();
  stream_column_.assign(matrix_.free(), 0.0);
  wall_column_.assign(matrix_.free(), 0.0);
  const auto& unknowns = matrix_.unknowns();
  const auto add = [&](std::vector<double>& column, int node, double w_per_k) {
    const int i = unknowns[static_cast<std::size_t>(node)];
    if (i >= 0) column[static_cast<std::size_t>(i)] += w_per_k;
  };
  const auto fixed = [&](int node) { return unknowns[static_cast<std::size_t>(node)] < 0; };
  for (const auto& stream : network_.streams()) {
    const double w = stream.share * flow_w_per_k_[static_cast<std::size_t>(stream.flow)];
    add(stream_column_, stream.to, w);
    add(stream_column_, stream.from, -w);
  }
  for (const auto& link : network_.conductances()) {
    if (fixed(link.a) == fixed(link.b)) continue;
    add(wall_column_, fixed(link.a) ? link.b : link.a, link.w_per_k);
  }
  for (const auto& film : network_.films()) {
    if (fixed(film.solid) == fixed(film.fluid)) continue;
    const double flow = film.share * flow_w_per_k_[static_cast<std::size_t>(film.flow)];
    add(wall_column_, fixed(film.solid) ? film.fluid : film.solid,
        film.law.conductance_w_per_k(flow));
  }
  flows_changed_ = false;
  boundaries_changed_ = true;
}

void TransientSolver::renew_boundaries() {
  boundary_w_ = matrix_.boundary_heat(boundary_c_);
  stream_offset_w_ = 0;
  for (const auto& stream : network_.streams()) {
    if (!network_.nodes()[static_cast<std::size_t>(stream.from)].fixed) continue;
    stream_offset_w_ += stream.share * flow_w_per_k_[static_cast<std::size_t>(stream.flow)] *
                        boundary_c_[static_cast<std::size_t>(stream.from)];
  }
  double all = 0;
  for (const double w : boundary_w_) all += w;
  wall_offset_w_ = all - stream_offset_w_;
  boundaries_changed_ = false;
}

const ThermalMatrix::Factor& TransientSolver::factor_of(double seconds) {
  const auto found = std::find_if(kept_.begin(), kept_.end(),
                                  [&](const Kept& kept) { return kept.seconds == seconds; });
  if (found != kept_.end()) return *found->factor;
  auto factor = matrix_.factorise(kGamma * seconds, capacity_);
  if (!factor) throw std::invalid_argument("a node without mass has no path to carry its heat");
  ++factorisations_;
  if (kept_.size() == kKeptFactors) kept_.erase(kept_.begin());
  kept_.push_back({seconds, std::move(factor)});
  return *kept_.back().factor;
}

/// Solves (C + g h K) T = known + weight L(T); nothing when the leakage does not settle.
std::optional<std::vector<double>> TransientSolver::stage(const ThermalMatrix::Factor& factor,
                                                          const std::vector<double>& known,
                                                          std::vector<double> guess,
                                                          double weight) {
  for (int iterate = 0; iterate < kMostIterates; ++iterate) {
    std::vector<double> next = known;
    leakage_w_ = 0;
    for (const int i : leaking_) {
      const auto at = static_cast<std::size_t>(i);
      const Leakage& leakage = *network_.leakage(matrix_.free_nodes()[at]);
      const double exponent = leakage.slope_per_k * (guess[at] - leakage.reference_c);
      if (!(exponent < kLargestExponent)) return std::nullopt;
      const double watts = leakage.watts(guess[at]);
      next[at] += weight * watts;
      leakage_w_ += watts;
    }
    factor.solve(next);
    double change = 0;
    for (const int i : leaking_) {
      const auto at = static_cast<std::size_t>(i);
      change = std::max(change, std::abs(next[at] - guess[at]));
    }
    guess.swap(next);
    if (change <= kSettledK) return guess;
  }
  return std::nullopt;
}

bool TransientSolver::try_step(double seconds) {
  const ThermalMatrix::Factor& factor = factor_of(seconds);
  const std::size_t n = state_.size();
  const double weight = kGamma * seconds;
  std::vector<double> known(n), given(n);
  for (std::size_t i = 0; i < n; ++i) {
    const int node = matrix_.free_nodes()[i];
    given[i] = weight * (boundary_w_[i] + source_w_[static_cast<std::size_t>(node)]);
    known[i] = capacity_[i] * state_[i] + given[i];
  }
  const auto first = stage(factor, known, state_, weight);
  if (!first) return false;
  const double first_leakage = leakage_w_;
  const double ratio = (1 - kGamma) / kGamma;
  std::vector<double> guess(n);
  for (std::size_t i = 0; i < n; ++i) {
    const double gain = (*first)[i] - state_[i];
    known[i] = capacity_[i] * (state_[i] + ratio * gain) + given[i];
    guess[i] = (*first)[i] + ratio * gain;
  }
  auto second = stage(factor, known, std::move(guess), weight);
  if (!second) return false;
  book(seconds, *first, *second, first_leakage, leakage_w_);
  state_ = std::move(*second);
  for (std::size_t i = 0; i < n; ++i) {
    celsius_[static_cast<std::size_t>(matrix_.free_nodes()[i])] = state_[i];
  }
  time_s_ += seconds;
  return true;
}

/// Integrals with the weights of the scheme itself, so that the balance holds to rounding.
void TransientSolver::book(double seconds, const std::vector<double>& first,
                           const std::vector<double>& second, double first_leakage_w,
                           double second_leakage_w) {
  double sources = 0, stored = 0, wall = 0, stream = 0;
  for (std::size_t i = 0; i < state_.size(); ++i) {
    const double mean = (1 - kGamma) * first[i] + kGamma * second[i];
    sources += source_w_[static_cast<std::size_t>(matrix_.free_nodes()[i])];
    stored += capacity_[i] * (second[i] - state_[i]);
    wall += wall_column_[i] * mean;
    stream += stream_column_[i] * mean;
  }
  ledger_.source_j += seconds * sources;
  ledger_.leakage_j += seconds * ((1 - kGamma) * first_leakage_w + kGamma * second_leakage_w);
  ledger_.stored_j += stored;
  ledger_.to_boundaries_j += seconds * (wall - wall_offset_w_);
  ledger_.carried_j += seconds * (stream - stream_offset_w_);
}

bool TransientSolver::halve(double seconds, int depth) {
  if (try_step(seconds)) return true;
  if (depth == 0) return false;
  return halve(seconds / 2, depth - 1) && halve(seconds / 2, depth - 1);
}

bool TransientSolver::step(double seconds) {
  if (!(seconds > 0)) throw std::invalid_argument("a step takes time");
  if (flows_changed_) renew_flows();
  if (boundaries_changed_) renew_boundaries();
  return halve(seconds, leaking_.empty() ? 0 : kMostHalvings);
}

bool TransientSolver::advance(double seconds, double most_s) {
  const double end = time_s_ + seconds;
  const auto whole = static_cast<long>(seconds / most_s + 1e-9);
  for (long i = 0; i < whole; ++i) {
    if (!step(most_s)) return false;
  }
  const double rest = end - time_s_;
  if (rest > 1e-9 * most_s && !step(rest)) return false;
  return true;
}

}  // namespace rackwright::topology
