#include "topology/power/converter.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <stdexcept>

namespace rackwright::topology {

Power ConverterLoss::loss(Power output) const {
  const double p = output.si();
  return Power::from_si(a0_w + a1 * p + a2_per_w * p * p);
}

Power ConverterLoss::output(Power input) const {
  const double linear = 1 + a1;
  const double rest = input.si() - a0_w;
  if (rest <= 0) return {};
  if (a2_per_w <= 0) return Power::from_si(rest / linear);
  const double root = std::sqrt(linear * linear + 4 * a2_per_w * rest);
  return Power::from_si((root - linear) / (2 * a2_per_w));
}

double ConverterLoss::efficiency(Power output) const {
  return output / input(output);
}

ConverterLoss converter_from_peak(double peak_efficiency, Power rating, int units,
                                  const ConverterPrior& prior) {
  if (!(peak_efficiency > 0 && peak_efficiency <= 1)) {
    throw std::invalid_argument("a peak efficiency lies in (0, 1]");
  }
  const double at_peak = prior.peak_load * rating.si() * units;
  const double loss = at_peak * (1 / peak_efficiency - 1);
  ConverterLoss result;
  result.a1 = prior.linear_share * loss / at_peak;
  result.a0_w = (1 - prior.linear_share) * loss / 2;
  result.a2_per_w = result.a0_w / (at_peak * at_peak);
  return result;
}

namespace {

/// Loss over rating at load x: c0 + c1 x + c2 x^2.
using Shape = std::array<double, 3>;

double loss_at(const Shape& c, double x) {
  return c[0] + c[1] * x + c[2] * x * x;
}

double loss_of(const EfficiencyPoint& p) {
  return p.load * (1 / p.efficiency - 1);
}

/// Least squares over the terms in `mask`, weighted by 1 / loss; nothing when singular or negative.
std::optional<Shape> least_squares(const std::vector<EfficiencyPoint>& points, unsigned mask) {
  std::array<std::array<double, 4>, 3> m{};
  for (const EfficiencyPoint& p : points) {
    const double weight = 1 / std::max(loss_of(p), 1e-12);
    const Shape row{weight, weight * p.load, weight * p.load * p.load};
    for (std::size_t i = 0; i < 3; ++i) {
      for (std::size_t j = 0; j < 3; ++j) m[i][j] += row[i] * row[j];
      m[i][3] += row[i] * loss_of(p) * weight;
    }
  }
  for (std::size_t i = 0; i < 3; ++i) {
    if (mask >> i & 1U) continue;
    m[i] = {};
    for (std::size_t j = 0; j < 3; ++j) m[j][i] = 0;
    m[i][i] = 1;
  }
  for (std::size_t i = 0; i < 3; ++i) {
    if (!(std::abs(m[i][i]) > 1e-12)) return std::nullopt;
    for (std::size_t j = 0; j < 3; ++j) {
      if (j == i) continue;
      const double factor = m[j][i] / m[i][i];
      for (std::size_t k = i; k < 4; ++k) m[j][k] -= factor * m[i][k];
    }
  }
  Shape result{};
  for (std::size_t i = 0; i < 3; ++i) {
    result[i] = m[i][3] / m[i][i];
    if (result[i] < 0) return std::nullopt;
  }
  return result;
}

double squared_error(const std::vector<EfficiencyPoint>& points, const Shape& c) {
  double sum = 0;
  for (const EfficiencyPoint& p : points) {
    const double error = loss_at(c, p.load) / std::max(loss_of(p), 1e-12) - 1;
    sum += error * error;
  }
  return sum;
}

/// Three coefficients: the best of all subsets of terms that come out non-negative.
Shape non_negative(const std::vector<EfficiencyPoint>& points) {
  Shape best{};
  double least = squared_error(points, best);
  for (unsigned mask = 1; mask < 8; ++mask) {
    const auto shape = least_squares(points, mask);
    if (!shape || squared_error(points, *shape) >= least) continue;
    least = squared_error(points, *shape);
    best = *shape;
  }
  return best;
}

/// The prior's shape for a loss at its peak of one: idle and resistive parts equal there.
Shape prior_shape(const ConverterPrior& prior) {
  const double peak = prior.peak_load;
  const double idle = (1 - prior.linear_share) / 2;
  return {idle, prior.linear_share / peak, idle / (peak * peak)};
}

Shape shape_of(const std::vector<EfficiencyPoint>& points, const ConverterPrior& prior) {
  if (points.size() >= 3) return non_negative(points);
  const Shape basis = prior_shape(prior);
  if (points.size() == 1) {
    const double scale = loss_of(points[0]) / loss_at(basis, points[0].load);
    return {basis[0] * scale, basis[1] * scale, basis[2] * scale};
  }
  // Two points: the idle part as the prior scaled to their mean has it, the rest through both.
  const double mean_loss = (loss_of(points[0]) + loss_of(points[1])) / 2;
  const double scale =
      mean_loss / ((loss_at(basis, points[0].load) + loss_at(basis, points[1].load)) / 2);
  const double idle = basis[0] * scale;
  const double x0 = points[0].load, x1 = points[1].load;
  const double y0 = (loss_of(points[0]) - idle) / x0, y1 = (loss_of(points[1]) - idle) / x1;
  const double bend = x0 != x1 ? (y1 - y0) / (x1 - x0) : -1;
  const Shape through{idle, y0 - bend * x0, bend};
  if (bend >= 0 && through[1] >= 0) return through;
  return non_negative(points);
}

}  // namespace

ConverterFit fit_converter(const std::vector<EfficiencyPoint>& points, Power rating,
                           const ConverterPrior& prior) {
  if (points.empty()) throw std::invalid_argument("a loss curve needs a published point");
  for (const EfficiencyPoint& p : points) {
    if (!(p.load > 0) || !(p.efficiency > 0 && p.efficiency <= 1)) {
      throw std::invalid_argument("a point has a positive load and an efficiency in (0, 1]");
    }
  }
  const Shape shape = shape_of(points, prior);
  ConverterFit fit;
  const double watts = rating.si();
  fit.loss = {shape[0] * watts, shape[1], shape[2] / watts};
  fit.assumed = points.size() < 3;
  for (const EfficiencyPoint& p : points) {
    const double efficiency = p.load / (p.load + loss_at(shape, p.load));
    fit.largest_error = std::max(fit.largest_error, std::abs(efficiency - p.efficiency));
  }
  return fit;
}

}  // namespace rackwright::topology
