#include "kernels/calibration/nelder_mead.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>

namespace rackwright::kernels {
namespace {

using Logarithms = std::vector<double>;

struct Vertex {
  Logarithms x;
  double cost = 0;
};

class Simplex {
 public:
  Simplex(const std::vector<FitParameter>& parameters,
          const std::function<double(const std::vector<double>&)>& cost)
      : parameters_(parameters), cost_(cost) {}

  Logarithms search(const Logarithms& start, double size, int evaluations) {
    left_ = evaluations;
    vertices_.clear();
    vertices_.push_back(at(start));
    for (std::size_t i = 0; i < start.size(); ++i) {
      Logarithms x = start;
      // Step inwards when the start sits on its upper bound.
      x[i] += x[i] + size > std::log(parameters_[i].high) ? -size : size;
      vertices_.push_back(at(x));
    }
    while (left_ > 0 && !converged()) step();
    sort();
    return vertices_.front().x;
  }

 private:
  Vertex at(Logarithms x) {
    std::vector<double> values(x.size());
    for (std::size_t i = 0; i < x.size(); ++i) {
      x[i] = std::clamp(x[i], std::log(parameters_[i].low), std::log(parameters_[i].high));
      values[i] = std::exp(x[i]);
    }
    --left_;
    const double cost = cost_(values);
    return {std::move(x), cost};
  }

  void sort() {
    std::stable_sort(vertices_.begin(), vertices_.end(),
                     [](const Vertex& a, const Vertex& b) { return a.cost < b.cost; });
  }

  bool converged() {
    sort();
    return vertices_.back().cost - vertices_.front().cost <=
           1e-7 * (std::abs(vertices_.front().cost) + 1e-12);
  }

  Vertex along(const Logarithms& centre, double factor) {
    Logarithms x(centre.size());
    for (std::size_t i = 0; i < x.size(); ++i) {
      x[i] = centre[i] + factor * (vertices_.back().x[i] - centre[i]);
    }
    return at(std::move(x));
  }

  void step() {
    Logarithms centre(vertices_.front().x.size(), 0.0);
    for (std::size_t v = 0; v + 1 < vertices_.size(); ++v) {
      for (std::size_t i = 0; i < centre.size(); ++i) centre[i] += vertices_[v].x[i];
    }
    for (double& c : centre) c /= static_cast<double>(vertices_.size() - 1);
    Vertex reflected = along(centre, -1);
    if (reflected.cost < vertices_.front().cost) {
      Vertex expanded = along(centre, -2);
      vertices_.back() = expanded.cost < reflected.cost ? expanded : reflected;
    } else if (reflected.cost < vertices_[vertices_.size() - 2].cost) {
      vertices_.back() = reflected;
    } else if (Vertex contracted = along(centre, 0.5); contracted.cost < vertices_.back().cost) {
      vertices_.back() = contracted;
    } else {
      shrink();
    }
  }

  void shrink() {
    for (std::size_t v = 1; v < vertices_.size(); ++v) {
      Logarithms x = vertices_[v].x;
      for (std::size_t i = 0; i < x.size(); ++i) {
        x[i] = 0.5 * (x[i] + vertices_.front().x[i]);
      }
      vertices_[v] = at(std::move(x));
    }
  }

  const std::vector<FitParameter>& parameters_;
  const std::function<double(const std::vector<double>&)>& cost_;
  std::vector<Vertex> vertices_;
  int left_ = 0;
};

}  // namespace

std::vector<double> minimise(const std::vector<FitParameter>& parameters,
                             const std::function<double(const std::vector<double>&)>& cost,
                             int evaluations) {
  Logarithms x;
  for (const FitParameter& parameter : parameters) x.push_back(std::log(parameter.start));
  if (!x.empty()) {
    Simplex simplex(parameters, cost);
    constexpr double kFirst = 0.5;
    constexpr double kRestart = 0.2;
    x = simplex.search(x, kFirst, evaluations * 2 / 3);
    x = simplex.search(x, kRestart, evaluations / 3);
  }
  for (double& value : x) value = std::exp(value);
  return x;
}

}  // namespace rackwright::kernels
