#include "topology/thermal/transient/thermal_matrix.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <utility>

#include <Eigen/OrderingMethods>
#include <Eigen/SparseCore>

namespace rackwright::topology {

namespace {

using SparseMatrix = Eigen::SparseMatrix<double, Eigen::ColMajor, int>;
using Permutation = Eigen::PermutationMatrix<Eigen::Dynamic, Eigen::Dynamic, int>;

/// LU of a row-dominant matrix in a given elimination order, without pivoting: dominance bounds the
/// growth of every pivot (Golub and Van Loan, Matrix Computations, 4.1.1). Rows of L and U are kept
/// compressed; left-looking by rows (IKJ).
class DominantLu final : public ThermalMatrix::Factor {
 public:
  DominantLu(const SparseMatrix& by_column, std::vector<int> order)
      : order_(std::move(order)), pivots_(order_.size()), work_(order_.size()) {
    const Eigen::SparseMatrix<double, Eigen::RowMajor, int> matrix(by_column);
    std::vector<int> place(order_.size());
    for (std::size_t i = 0; i < order_.size(); ++i) {
      place[static_cast<std::size_t>(order_[i])] = static_cast<int>(i);
    }
    const int n = static_cast<int>(order_.size());
    std::vector<int> mark(order_.size(), -1);
    std::vector<int> pattern;
    lower_start_.push_back(0);
    upper_start_.push_back(0);
    for (int row = 0; row < n && regular_; ++row) {
      pattern.clear();
      for (Eigen::SparseMatrix<double, Eigen::RowMajor, int>::InnerIterator it(
               matrix, order_[static_cast<std::size_t>(row)]);
           it; ++it) {
        const int column = place[static_cast<std::size_t>(it.col())];
        mark[static_cast<std::size_t>(column)] = row;
        work_[static_cast<std::size_t>(column)] = it.value();
        if (column == row) diagonal_ = it.value();
        pattern.push_back(column);
      }
      eliminate(row, mark, pattern);
    }
  }

  [[nodiscard]] bool regular() const { return regular_; }

  void solve(std::vector<double>& x) const override {
    const std::size_t n = order_.size();
    for (std::size_t i = 0; i < n; ++i) {
      double sum = x[static_cast<std::size_t>(order_[i])];
      for (std::size_t k = lower_start_[i]; k < lower_start_[i + 1]; ++k) {
        sum -= lower_[k].value * work_[static_cast<std::size_t>(lower_[k].column)];
      }
      work_[i] = sum;
    }
    for (std::size_t i = n; i-- > 0;) {
      double sum = work_[i];
      for (std::size_t k = upper_start_[i]; k < upper_start_[i + 1]; ++k) {
        sum -= upper_[k].value * work_[static_cast<std::size_t>(upper_[k].column)];
      }
      work_[i] = sum * pivots_[i];
    }
    for (std::size_t i = 0; i < n; ++i) x[static_cast<std::size_t>(order_[i])] = work_[i];
  }

 private:
  struct Entry {
    int column;
    double value;
  };

  /// Row `row` of L and U from its scattered entries and the rows above.
  void eliminate(int row, std::vector<int>& mark, std::vector<int>& pattern) {
    // Columns below `row` in ascending order; fill adds more of them on the way.
    std::make_heap(pattern.begin(), pattern.end(), std::greater<>());
    std::vector<Entry> upper;
    bool has_pivot = false;
    double pivot = 0;
    while (!pattern.empty()) {
      std::pop_heap(pattern.begin(), pattern.end(), std::greater<>());
      const int column = pattern.back();
      pattern.pop_back();
      const auto c = static_cast<std::size_t>(column);
      if (column > row) {
        upper.push_back({column, work_[c]});
        continue;
      }
      if (column == row) {
        pivot = work_[c];
        has_pivot = true;
        continue;
      }
      const double factor = work_[c] * pivots_[c];
      lower_.push_back({column, factor});
      for (std::size_t k = upper_start_[c]; k < upper_start_[c + 1]; ++k) {
        const auto filled = static_cast<std::size_t>(upper_[k].column);
        if (mark[filled] != row) {
          mark[filled] = row;
          work_[filled] = 0;
          pattern.push_back(upper_[k].column);
          std::push_heap(pattern.begin(), pattern.end(), std::greater<>());
        }
        work_[filled] -= factor * upper_[k].value;
      }
    }
    upper_.insert(upper_.end(), upper.begin(), upper.end());
    lower_start_.push_back(lower_.size());
    upper_start_.push_back(upper_.size());
    constexpr double kLeastPivot = 1e-11;  // of the diagonal; what is left of less is rounding
    regular_ = has_pivot && std::isfinite(pivot) && pivot > kLeastPivot * diagonal_;
    pivots_[static_cast<std::size_t>(row)] = regular_ ? 1 / pivot : 0;
  }

  std::vector<int> order_;
  std::vector<double> pivots_;  ///< their reciprocals
  mutable std::vector<double> work_;
  std::vector<Entry> lower_, upper_;
  std::vector<std::size_t> lower_start_, upper_start_;
  double diagonal_ = 0;
  bool regular_ = true;
};

}  // namespace

struct ThermalMatrix::Entries {
  SparseMatrix matrix;
  std::vector<Eigen::Triplet<double, int>> triplets;
  std::vector<double> given;  ///< W/K between unknown and boundary: parallel to `to_boundary`
  std::vector<std::pair<int, int>> to_boundary;
  std::vector<int> order;
};

ThermalMatrix::ThermalMatrix(const ThermalNetwork& network)
    : network_(network), entries_(std::make_unique<Entries>()) {
  unknowns_.assign(static_cast<std::size_t>(network.size()), -1);
  for (int node = 0; node < network.size(); ++node) {
    if (network.nodes()[static_cast<std::size_t>(node)].fixed) continue;
    unknowns_[static_cast<std::size_t>(node)] = static_cast<int>(free_nodes_.size());
    free_nodes_.push_back(node);
  }
  set_flows(network.flows());
  // Fill-reducing order of the pattern of K + K^T, found once.
  Permutation permutation;
  if (free() > 0) Eigen::AMDOrdering<int>()(entries_->matrix, permutation);
  entries_->order.resize(free());
  for (std::size_t i = 0; i < free(); ++i) {
    entries_->order[i] = permutation.indices()(static_cast<Eigen::Index>(i));
  }
}

ThermalMatrix::~ThermalMatrix() = default;

/// Heat from `other` into `node`: w (T_other - T_node).
void ThermalMatrix::add_link(int node, int other, double w_per_k) {
  const int row = unknowns_[static_cast<std::size_t>(node)];
  if (row < 0 || node == other) return;
  entries_->triplets.emplace_back(row, row, w_per_k);
  const int column = unknowns_[static_cast<std::size_t>(other)];
  if (column >= 0) {
    entries_->triplets.emplace_back(row, column, -w_per_k);
  } else {
    entries_->to_boundary.emplace_back(row, other);
    entries_->given.push_back(w_per_k);
  }
}

void ThermalMatrix::set_flows(const std::vector<double>& w_per_k) {
  entries_->triplets.clear();
  entries_->to_boundary.clear();
  entries_->given.clear();
  for (std::size_t i = 0; i < free(); ++i) {
    entries_->triplets.emplace_back(static_cast<int>(i), static_cast<int>(i), 0.0);
  }
  const auto rate = [&](int flow) { return w_per_k.at(static_cast<std::size_t>(flow)); };
  for (const auto& link : network_.conductances()) {
    add_link(link.a, link.b, link.w_per_k);
    add_link(link.b, link.a, link.w_per_k);
  }
  for (const auto& film : network_.films()) {
    const double w = film.law.conductance_w_per_k(film.share * rate(film.flow));
    add_link(film.solid, film.fluid, w);
    add_link(film.fluid, film.solid, w);
  }
  for (const auto& stream : network_.streams()) {
    add_link(stream.to, stream.from, stream.share * rate(stream.flow));
  }
  const auto n = static_cast<Eigen::Index>(free());
  entries_->matrix.resize(n, n);
  entries_->matrix.setFromTriplets(entries_->triplets.begin(), entries_->triplets.end());
}

std::vector<double> ThermalMatrix::boundary_heat(const std::vector<double>& boundary_c) const {
  std::vector<double> heat(free(), 0.0);
  for (std::size_t k = 0; k < entries_->given.size(); ++k) {
    const auto [row, node] = entries_->to_boundary[k];
    heat[static_cast<std::size_t>(row)] +=
        entries_->given[k] * boundary_c.at(static_cast<std::size_t>(node));
  }
  return heat;
}

std::unique_ptr<ThermalMatrix::Factor> ThermalMatrix::factorise(
    double scale, const std::vector<double>& diagonal) const {
  SparseMatrix matrix = scale * entries_->matrix;
  for (std::size_t i = 0; i < free(); ++i) {
    matrix.coeffRef(static_cast<int>(i), static_cast<int>(i)) += diagonal[i];
  }
  auto factor = std::make_unique<DominantLu>(matrix, entries_->order);
  if (!factor->regular()) return nullptr;
  return factor;
}

std::vector<double> ThermalMatrix::times(const std::vector<double>& x) const {
  std::vector<double> result(free(), 0.0);
  Eigen::Map<const Eigen::VectorXd> in(x.data(), static_cast<Eigen::Index>(x.size()));
  Eigen::Map<Eigen::VectorXd> out(result.data(), static_cast<Eigen::Index>(result.size()));
  out = entries_->matrix * in;
  return result;
}

}  // namespace rackwright::topology
