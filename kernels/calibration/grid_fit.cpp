#include "kernels/calibration/grid_fit.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace rackwright::kernels {
namespace {

struct Edge {
  std::size_t a = 0, b = 0;
  double weight = 0;
};

std::vector<Edge> edges_of(const ValueGrid& grid, double stiffness) {
  std::vector<Edge> edges;
  for (std::size_t node = 0; node < grid.values().size(); ++node) {
    for (std::size_t axis = 0; axis < grid.axes().size(); ++axis) {
      const auto& knots = grid.axes()[axis].knots;
      const std::size_t i = node / grid.stride(axis) % knots.size();
      if (i + 1 == knots.size()) continue;
      edges.push_back(
          {node, node + grid.stride(axis), stiffness / std::log(knots[i + 1] / knots[i])});
    }
  }
  return edges;
}

double dot(const std::vector<double>& a, const std::vector<double>& b) {
  return std::inner_product(a.begin(), a.end(), b.begin(), 0.0);
}

/// Solves (J'J + L + ridge) v = J'r.
class NormalEquations {
 public:
  NormalEquations(std::vector<ValueGrid::Stencil> stencils, std::vector<Edge> edges,
                  std::size_t size)
      : stencils_(std::move(stencils)), edges_(std::move(edges)), size_(size) {}

  std::vector<double> right_side(std::span<const GridPoint> points) const {
    std::vector<double> b(size_, 0.0);
    for (std::size_t p = 0; p < points.size(); ++p) {
      const auto& s = stencils_[p];
      for (std::size_t i = 0; i < s.size; ++i) b[s.index[i]] += s.weight[i] * points[p].value;
    }
    return b;
  }

  std::vector<double> solve(const std::vector<double>& b) const {
    std::vector<double> x(size_, 0.0);
    std::vector<double> r = b;
    std::vector<double> d = r;
    double rr = dot(r, r);
    const double stop = 1e-16 * rr;
    for (int i = 0; i < 2000 && rr > stop; ++i) {
      const std::vector<double> ad = apply(d);
      const double alpha = rr / dot(d, ad);
      for (std::size_t k = 0; k < size_; ++k) {
        x[k] += alpha * d[k];
        r[k] -= alpha * ad[k];
      }
      const double next = dot(r, r);
      for (std::size_t k = 0; k < size_; ++k) d[k] = r[k] + next / rr * d[k];
      rr = next;
    }
    return x;
  }

 private:
  std::vector<double> apply(const std::vector<double>& v) const {
    constexpr double kRidge = 1e-6;
    std::vector<double> out(size_);
    for (std::size_t k = 0; k < size_; ++k) out[k] = kRidge * v[k];
    for (const auto& s : stencils_) {
      double sum = 0;
      for (std::size_t i = 0; i < s.size; ++i) sum += s.weight[i] * v[s.index[i]];
      for (std::size_t i = 0; i < s.size; ++i) out[s.index[i]] += s.weight[i] * sum;
    }
    for (const Edge& edge : edges_) {
      const double flow = edge.weight * (v[edge.a] - v[edge.b]);
      out[edge.a] += flow;
      out[edge.b] -= flow;
    }
    return out;
  }

  std::vector<ValueGrid::Stencil> stencils_;
  std::vector<Edge> edges_;
  std::size_t size_;
};

}  // namespace

ValueGrid fit_grid(const std::vector<ValueGrid::Axis>& axes, std::span<const GridPoint> points,
                   double stiffness) {
  ValueGrid grid(axes);
  std::vector<ValueGrid::Stencil> stencils;
  stencils.reserve(points.size());
  for (const GridPoint& point : points) stencils.push_back(grid.stencil(point.at));
  const NormalEquations equations(std::move(stencils), edges_of(grid, stiffness),
                                  grid.values().size());
  const std::vector<double> values = equations.solve(equations.right_side(points));
  std::transform(values.begin(), values.end(), grid.values().begin(),
                 [](double v) { return static_cast<float>(v); });
  return grid;
}

std::vector<double> knots_of(std::vector<double> values, double ratio) {
  std::sort(values.begin(), values.end());
  std::vector<double> knots;
  for (const double value : values) {
    if (knots.empty() || value >= knots.back() * ratio) knots.push_back(value);
  }
  return knots;
}

}  // namespace rackwright::kernels
