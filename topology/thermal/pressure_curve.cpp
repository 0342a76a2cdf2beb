#include "topology/thermal/pressure_curve.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>

namespace rackwright::topology {

namespace {

/// How much steeper a curve is backwards than at its mean: a driven-back rotor is a wall.
constexpr double kReverseSteepness = 10;
constexpr double kHighestSpeed = 8;

/// Slope at an end of the curve: one-sided, never past the secant's sign or three times it.
double end_slope(double h0, double h1, double d0, double d1) {
  const double slope = ((2 * h0 + h1) * d0 - h0 * d1) / (h0 + h1);
  if (slope * d0 <= 0) return 0;
  return std::abs(slope) > 3 * std::abs(d0) ? 3 * d0 : slope;
}

}  // namespace

PressureCurve::PressureCurve(std::vector<CurvePoint> points) : points_(std::move(points)) {
  std::sort(points_.begin(), points_.end(), [](const CurvePoint& a, const CurvePoint& b) {
    return a.flow_m3_per_s < b.flow_m3_per_s;
  });
  if (points_.size() < 2) throw std::invalid_argument("a curve needs two points");
  if (points_.front().flow_m3_per_s < 0) throw std::invalid_argument("a curve starts at flow 0");
  std::vector<double> width, secant;
  for (std::size_t i = 1; i < points_.size(); ++i) {
    const double h = points_[i].flow_m3_per_s - points_[i - 1].flow_m3_per_s;
    const double d = points_[i].pressure_pa - points_[i - 1].pressure_pa;
    if (!(h > 0)) throw std::invalid_argument("two points of a curve have one flow");
    if (d > 0) throw std::invalid_argument("the pressure of a curve rises with flow");
    width.push_back(h);
    secant.push_back(d / h);
  }
  const std::size_t n = points_.size();
  slopes_.assign(n, secant.front());
  if (n > 2) {
    slopes_[0] = end_slope(width[0], width[1], secant[0], secant[1]);
    slopes_[n - 1] = end_slope(width[n - 2], width[n - 3], secant[n - 2], secant[n - 3]);
    for (std::size_t i = 1; i + 1 < n; ++i) {
      if (secant[i - 1] * secant[i] <= 0) {
        slopes_[i] = 0;
        continue;
      }
      const double a = 2 * width[i] + width[i - 1], b = width[i] + 2 * width[i - 1];
      slopes_[i] = (a + b) / (a / secant[i - 1] + b / secant[i]);
    }
  }
  reverse_slope_ = kReverseSteepness * (points_.back().pressure_pa - points_.front().pressure_pa) /
                   (points_.back().flow_m3_per_s - points_.front().flow_m3_per_s);
}

double PressureCurve::pressure(double flow) const {
  const CurvePoint &first = points_.front(), &last = points_.back();
  if (flow < first.flow_m3_per_s) {
    const double slope = flow < 0 ? reverse_slope_ : slopes_.front();
    const double at_zero = first.pressure_pa - slopes_.front() * first.flow_m3_per_s;
    return flow < 0 ? at_zero + slope * flow
                    : first.pressure_pa + slope * (flow - first.flow_m3_per_s);
  }
  if (flow >= last.flow_m3_per_s) {
    return last.pressure_pa + std::min(slopes_.back(), 0.0) * (flow - last.flow_m3_per_s);
  }
  std::size_t i = 1;
  while (points_[i].flow_m3_per_s <= flow) ++i;
  const CurvePoint &a = points_[i - 1], &b = points_[i];
  const double h = b.flow_m3_per_s - a.flow_m3_per_s;
  const double t = (flow - a.flow_m3_per_s) / h;
  const double u = 1 - t;
  return a.pressure_pa * (1 + 2 * t) * u * u + slopes_[i - 1] * h * t * u * u +
         b.pressure_pa * t * t * (3 - 2 * t) - slopes_[i] * h * t * t * u;
}

double PressureCurve::slope(double flow) const {
  const CurvePoint &first = points_.front(), &last = points_.back();
  if (flow < 0) return reverse_slope_;
  if (flow < first.flow_m3_per_s) return slopes_.front();
  if (flow >= last.flow_m3_per_s) return std::min(slopes_.back(), 0.0);
  std::size_t i = 1;
  while (points_[i].flow_m3_per_s <= flow) ++i;
  const CurvePoint &a = points_[i - 1], &b = points_[i];
  const double h = b.flow_m3_per_s - a.flow_m3_per_s;
  const double t = (flow - a.flow_m3_per_s) / h;
  const double secant = (b.pressure_pa - a.pressure_pa) / h;
  return 6 * t * (1 - t) * secant + slopes_[i - 1] * (1 - t) * (1 - 3 * t) +
         slopes_[i] * t * (3 * t - 2);
}

double PressureCurve::pressure_at_speed(double flow, double speed) const {
  return speed > 0 ? speed * speed * pressure(flow / speed) : 0;
}

double PressureCurve::slope_at_speed(double flow, double speed) const {
  return speed > 0 ? speed * slope(flow / speed) : 0;
}

double PressureCurve::speed_for(double flow, double asked) const {
  double low = 1e-6, high = kHighestSpeed;
  for (int i = 0; i < 100; ++i) {
    const double middle = (low + high) / 2;
    (pressure_at_speed(flow, middle) < asked ? low : high) = middle;
  }
  return high;
}

double FanPower::at(double flow, double speed) const {
  if (!(speed > 0)) return 0;
  if (over_flow.empty()) return full_w * std::pow(speed, exponent);
  const double q = flow / speed;
  const auto after = std::find_if(over_flow.begin(), over_flow.end(),
                                  [q](const auto& point) { return point.first >= q; });
  double full = over_flow.back().second;
  if (after == over_flow.begin()) {
    full = after->second;
  } else if (after != over_flow.end()) {
    const auto before = after - 1;
    full = std::lerp(before->second, after->second,
                     (q - before->first) / (after->first - before->first));
  }
  return full * speed * speed * speed;
}

}  // namespace rackwright::topology
