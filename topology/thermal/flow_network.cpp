#include "topology/thermal/flow_network.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>

#include <Eigen/SparseCholesky>

namespace rackwright::topology {

namespace {

constexpr int kMostIterations = 200;
constexpr double kFlowTolerance = 1e-10;  ///< change of a step over the largest flow
/// A branch without flow has no slope; it is treated as if it carried this share of the largest.
constexpr double kSlopeFloor = 1e-5;

}  // namespace

double FlowResistance::drop_pa(double flow) const {
  const double size = std::abs(flow);
  const double turbulent = exponent == 2 ? size * size : size > 0 ? std::pow(size, exponent) : 0.0;
  return linear_pa_s_per_m3 * flow + std::copysign(power_coefficient * turbulent, flow);
}

double FlowResistance::slope(double flow) const {
  const double size = std::abs(flow);
  const double turbulent =
      exponent == 2 ? 2 * size : exponent * (size > 0 ? std::pow(size, exponent - 1) : 0.0);
  return linear_pa_s_per_m3 + power_coefficient * turbulent;
}

FlowResistance FlowResistance::operator+(const FlowResistance& other) const {
  if (power_coefficient > 0 && other.power_coefficient > 0 && exponent != other.exponent) {
    throw std::invalid_argument("losses of different exponents do not add up to one law");
  }
  return {linear_pa_s_per_m3 + other.linear_pa_s_per_m3,
          power_coefficient + other.power_coefficient,
          power_coefficient > 0 ? exponent : other.exponent};
}

FlowResistance FlowResistance::operator*(double factor) const {
  return {linear_pa_s_per_m3 * factor, power_coefficient * factor, exponent};
}

FlowResistance orifice(double area_m2, double discharge, double density_kg_per_m3) {
  const double effective = discharge * area_m2;
  return {0, density_kg_per_m3 / (2 * effective * effective), 2};
}

int FlowNetwork::add_node(double inflow) {
  nodes_.push_back({inflow, false, 0});
  return nodes() - 1;
}

int FlowNetwork::add_fixed_node(double pressure_pa) {
  nodes_.push_back({0, true, pressure_pa});
  return nodes() - 1;
}

int FlowNetwork::add_branch(int from, int to, FlowResistance resistance) {
  return add_driven_branch(from, to, resistance, nullptr);
}

int FlowNetwork::add_driven_branch(int from, int to, FlowResistance resistance,
                                   std::shared_ptr<const PressureCurve> curve, double speed,
                                   int in_parallel) {
  branches_.push_back({from, to, resistance, std::move(curve), speed, in_parallel, true});
  return branches() - 1;
}

double FlowNetwork::Branch::head(double flow) const {
  const double lift = curve && machines > 0 ? curve->pressure_at_speed(flow / machines, speed) : 0;
  return resistance.drop_pa(flow) - lift;
}

double FlowNetwork::Branch::slope(double flow) const {
  const double lift =
      curve && machines > 0 ? curve->slope_at_speed(flow / machines, speed) / machines : 0;
  return resistance.slope(flow) - lift;
}

/// One solution of one network. Pressures of nodes that hang on closed valves only are NaN.
class FlowSolver {
 public:
  explicit FlowSolver(const FlowNetwork& network) : network_(network) {
    number_nodes();
    place_entries();
  }

  FlowNetwork::Solution run() {
    FlowNetwork::Solution result;
    flow_.assign(network_.branches_.size(), 0.0);
    start();
    for (result.iterations = 1; result.iterations <= kMostIterations; ++result.iterations) {
      step();
      double largest = 0, change = 0;
      for (std::size_t b = 0; b < flow_.size(); ++b) {
        largest = std::max(largest, std::abs(flow_[b]));
        change = std::max(change, std::abs(change_[b]));
      }
      // The first step only makes the flows sum to zero at the nodes.
      const double share = result.iterations == 1 ? 1.0 : searched();
      for (std::size_t b = 0; b < flow_.size(); ++b) flow_[b] += share * change_[b];
      if (result.iterations > 1 && change <= kFlowTolerance * largest + 1e-300) {
        result.converged = true;
        break;
      }
    }
    finish(result);
    return result;
  }

 private:
  using Matrix = Eigen::SparseMatrix<double>;

  /// Parts of the network joined by open branches; each needs one known pressure.
  void number_nodes() {
    const auto& nodes = network_.nodes_;
    std::vector<int> root(nodes.size());
    for (std::size_t i = 0; i < root.size(); ++i) root[i] = static_cast<int>(i);
    const auto find = [&](int i) {
      while (root[i] != i) i = root[i] = root[root[i]];
      return i;
    };
    std::vector<char> touched(nodes.size(), 0);
    for (const auto& branch : network_.branches_) {
      if (!branch.open) continue;
      touched[branch.from] = touched[branch.to] = 1;
      root[find(branch.from)] = find(branch.to);
    }
    std::vector<char> has_fixed(nodes.size(), 0);
    std::vector<double> inflow(nodes.size(), 0.0), gross(nodes.size(), 0.0);
    for (std::size_t i = 0; i < nodes.size(); ++i) {
      const int part = find(static_cast<int>(i));
      has_fixed[part] |= nodes[i].fixed;
      inflow[part] += nodes[i].inflow;
      gross[part] += std::abs(nodes[i].inflow);
    }
    unknown_.assign(nodes.size(), -1);
    pressure_.assign(nodes.size(), 0.0);
    for (std::size_t i = 0; i < nodes.size(); ++i) {
      pressure_[i] = nodes[i].pressure;
      if (nodes[i].fixed) continue;
      const int part = find(static_cast<int>(i));
      if (has_fixed[part]) {
        unknown_[i] = unknowns_++;
        continue;
      }
      if (std::abs(inflow[part]) > 1e-9 * gross[part]) {
        throw std::invalid_argument("a part of the network takes in more than it gives off");
      }
      has_fixed[part] = 1;  // its first node is pinned to 0 Pa
      if (!touched[i]) pressure_[i] = std::numeric_limits<double>::quiet_NaN();
    }
  }

  /// The pattern of the Laplacian and where the weight of each branch goes, found once.
  void place_entries() {
    std::vector<Eigen::Triplet<double>> entries;
    for (int i = 0; i < unknowns_; ++i) entries.emplace_back(i, i, 1.0);
    for (const auto& branch : network_.branches_) {
      const int a = unknown_[branch.from], b = unknown_[branch.to];
      if (!branch.open || a < 0 || b < 0 || a == b) continue;
      entries.emplace_back(std::max(a, b), std::min(a, b), 1.0);
    }
    matrix_.resize(unknowns_, unknowns_);
    matrix_.setFromTriplets(entries.begin(), entries.end());
    const auto at = [&](int row, int column) {
      const int* begin = matrix_.innerIndexPtr() + matrix_.outerIndexPtr()[column];
      const int* end = matrix_.innerIndexPtr() + matrix_.outerIndexPtr()[column + 1];
      return static_cast<int>(std::lower_bound(begin, end, row) - matrix_.innerIndexPtr());
    };
    for (const auto& branch : network_.branches_) {
      const int a = unknown_[branch.from], b = unknown_[branch.to];
      Place place;
      if (branch.open && a >= 0) place.from = at(a, a);
      if (branch.open && b >= 0) place.to = at(b, b);
      if (branch.open && a >= 0 && b >= 0 && a != b)
        place.cross = at(std::max(a, b), std::min(a, b));
      places_.push_back(place);
    }
    if (unknowns_ > 0) solver_.analyzePattern(matrix_);
    change_.assign(network_.branches_.size(), 0.0);
  }

  /// A scale of flow to start from: what the inflows bring, or what the machines blow.
  void start() {
    double scale = 0;
    for (const auto& node : network_.nodes_) scale = std::max(scale, std::abs(node.inflow));
    for (const auto& branch : network_.branches_) {
      if (branch.curve) scale = std::max(scale, branch.curve->last_flow() * branch.speed);
    }
    if (scale <= 0) {  // fixed pressures only: what the smallest loss lets through
      double highest = 0;
      for (const auto& node : network_.nodes_) highest = std::max(highest, std::abs(node.pressure));
      for (const auto& branch : network_.branches_) {
        const double k = branch.resistance.drop_pa(1);
        if (k > 0) scale = std::max(scale, std::pow(highest / k, 1 / branch.resistance.exponent));
      }
    }
    if (scale <= 0) scale = 1;
    for (std::size_t b = 0; b < flow_.size(); ++b) {
      if (network_.branches_[b].open) flow_[b] = scale / 10;
    }
  }

  /// Pressures from the linearised branches, then the flows they ask for.
  void step() {
    double largest = 0;
    for (const double flow : flow_) largest = std::max(largest, std::abs(flow));
    Eigen::VectorXd right = Eigen::VectorXd::Zero(unknowns_);
    for (std::size_t i = 0; i < unknown_.size(); ++i) {
      if (unknown_[i] >= 0) right[unknown_[i]] = network_.nodes_[i].inflow;
    }
    double* values = matrix_.valuePtr();
    std::fill(values, values + matrix_.nonZeros(), 0.0);
    weight_.resize(flow_.size());
    base_.resize(flow_.size());
    for (std::size_t b = 0; b < flow_.size(); ++b) {
      const auto& branch = network_.branches_[b];
      if (!branch.open) continue;
      const double floor = branch.slope(kSlopeFloor * largest);
      const double slope = std::max({branch.slope(flow_[b]), floor, 1e-12});
      weight_[b] = 1 / slope;
      base_[b] = flow_[b] - branch.head(flow_[b]) / slope;  // q = base + weight (p_from - p_to)
      const int from = unknown_[branch.from], to = unknown_[branch.to];
      const double known = weight_[b] * ((from < 0 ? pressure_[branch.from] : 0.0) -
                                         (to < 0 ? pressure_[branch.to] : 0.0));
      if (from >= 0) {
        values[places_[b].from] += weight_[b];
        right[from] -= base_[b] + known;
      }
      if (to >= 0) {
        values[places_[b].to] += weight_[b];
        right[to] += base_[b] + known;
      }
      if (places_[b].cross >= 0) values[places_[b].cross] -= weight_[b];
    }
    if (unknowns_ > 0) {
      solver_.factorize(matrix_);
      const Eigen::VectorXd solved = solver_.solve(right);
      for (std::size_t i = 0; i < unknown_.size(); ++i) {
        if (unknown_[i] >= 0) pressure_[i] = solved[unknown_[i]];
      }
    }
    for (std::size_t b = 0; b < flow_.size(); ++b) {
      const auto& branch = network_.branches_[b];
      change_[b] =
          branch.open
              ? base_[b] + weight_[b] * (pressure_[branch.from] - pressure_[branch.to]) - flow_[b]
              : 0;
    }
  }

  /// Slope of the energy along the step at `share` of it: sum of (loss - known pressures) times the
  /// change of flow. It only grows with the share.
  double energy_slope(double share) const {
    double sum = 0;
    for (std::size_t b = 0; b < flow_.size(); ++b) {
      const auto& branch = network_.branches_[b];
      if (!branch.open || change_[b] == 0) continue;
      const double drop = (unknown_[branch.from] < 0 ? pressure_[branch.from] : 0.0) -
                          (unknown_[branch.to] < 0 ? pressure_[branch.to] : 0.0);
      sum += (branch.head(flow_[b] + share * change_[b]) - drop) * change_[b];
    }
    return sum;
  }

  /// The share of the step to take: all of it, unless it overshoots the least energy by far.
  double searched() const {
    const double start = energy_slope(0);
    if (!(start < 0)) return 1;
    double low = 0, high = 1;
    if (energy_slope(1) <= 0.5 * std::abs(start)) return 1;
    for (int i = 0; i < 40; ++i) {
      const double middle = (low + high) / 2;
      const double slope = energy_slope(middle);
      if (std::abs(slope) <= 0.5 * std::abs(start)) return middle;
      (slope < 0 ? low : high) = middle;
    }
    return (low + high) / 2;
  }

  void finish(FlowNetwork::Solution& result) const {
    std::vector<double> balance(network_.nodes_.size(), 0.0);
    for (std::size_t b = 0; b < flow_.size(); ++b) {
      balance[network_.branches_[b].from] -= flow_[b];
      balance[network_.branches_[b].to] += flow_[b];
    }
    for (std::size_t i = 0; i < balance.size(); ++i) {
      if (network_.nodes_[i].fixed) continue;
      result.largest_imbalance_m3_per_s = std::max(
          result.largest_imbalance_m3_per_s, std::abs(balance[i] + network_.nodes_[i].inflow));
    }
    result.pressure_pa = pressure_;
    result.flow_m3_per_s = flow_;
    for (std::size_t b = 0; b < flow_.size(); ++b) {
      if (!network_.branches_[b].open) result.flow_m3_per_s[b] = 0;
    }
  }

  struct Place {
    int from = -1, to = -1, cross = -1;
  };
  const FlowNetwork& network_;
  int unknowns_ = 0;
  std::vector<int> unknown_;  ///< by node; -1: pressure known
  std::vector<double> pressure_, flow_, change_, weight_, base_;
  std::vector<Place> places_;
  Matrix matrix_;
  Eigen::SimplicialLDLT<Matrix, Eigen::Lower> solver_;
};

FlowNetwork::Solution FlowNetwork::solve() const {
  return FlowSolver(*this).run();
}

}  // namespace rackwright::topology
