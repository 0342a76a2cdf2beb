#include "kernels/analytical/value_grid.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>

namespace rackwright::kernels {

ValueGrid::ValueGrid(std::vector<Axis> axes) : axes_(std::move(axes)) {
  if (axes_.empty() || axes_.size() > kMaxAxes) {
    throw std::invalid_argument("a grid has one to four axes");
  }
  std::size_t size = 1;
  for (std::size_t i = axes_.size(); i-- > 0;) {
    stride_[i] = size;
    size *= axes_[i].knots.size();
  }
  for (const Axis& axis : axes_) {
    std::vector<double> logs;
    std::vector<double> inverse;
    for (const double knot : axis.knots) {
      if (!(knot > 0) || (!logs.empty() && std::log(knot) <= logs.back())) {
        throw std::invalid_argument("knots of axis " + axis.name + " must be positive and ascend");
      }
      logs.push_back(std::log(knot));
      if (logs.size() > 1) inverse.push_back(1 / (logs.back() - logs[logs.size() - 2]));
    }
    if (logs.empty()) throw std::invalid_argument("axis " + axis.name + " has no knots");
    logs_.push_back(std::move(logs));
    inverse_.push_back(std::move(inverse));
  }
  values_.assign(size, 0.0F);
}

ValueGrid::ValueGrid(std::vector<Axis> axes, std::vector<float> values)
    : ValueGrid(std::move(axes)) {
  if (values.size() != values_.size()) {
    throw std::invalid_argument("a grid needs one value per knot");
  }
  values_ = std::move(values);
}

ValueGrid::Cell ValueGrid::locate(std::size_t axis, double coordinate) const {
  const std::vector<double>& logs = logs_[axis];
  const double x = std::log(static_cast<float>(coordinate));
  if (!(x > logs.front())) return {0, 0.0};
  if (x >= logs.back()) return {logs.size() - 1, 0.0};
  const auto above = std::upper_bound(logs.begin(), logs.end(), x);
  const auto index = static_cast<std::size_t>(above - logs.begin()) - 1;
  return {index, (x - logs[index]) * inverse_[axis][index]};
}

ValueGrid::Stencil ValueGrid::stencil(const std::array<double, kMaxAxes>& point) const {
  Stencil result;
  result.index[0] = 0;
  result.weight[0] = 1;
  result.size = 1;
  for (std::size_t axis = 0; axis < axes_.size(); ++axis) {
    const Cell cell = locate(axis, point[axis]);
    const auto step = static_cast<std::uint32_t>(stride_[axis]);
    const auto base = static_cast<std::uint32_t>(cell.index) * step;
    const std::size_t size = result.size;
    for (std::size_t i = 0; i < size; ++i) {
      result.index[i] += base;
      if (cell.fraction > 0) {
        result.index[result.size] = result.index[i] + step;
        result.weight[result.size] = result.weight[i] * cell.fraction;
        ++result.size;
        result.weight[i] *= 1 - cell.fraction;
      }
    }
  }
  result.outside = !inside(point);
  return result;
}

double ValueGrid::at(const std::array<double, kMaxAxes>& point) const {
  if (values_.empty()) return 0;
  std::array<std::size_t, kMaxCorners> index{};
  std::array<double, kMaxCorners> weight{};
  weight[0] = 1;
  std::size_t count = 1;
  for (std::size_t axis = 0; axis < axes_.size(); ++axis) {
    const Cell cell = locate(axis, point[axis]);
    const std::size_t size = count;
    for (std::size_t i = 0; i < size; ++i) {
      index[i] += cell.index * stride_[axis];
      if (cell.fraction > 0) {
        index[count] = index[i] + stride_[axis];
        weight[count] = weight[i] * cell.fraction;
        ++count;
        weight[i] *= 1 - cell.fraction;
      }
    }
  }
  double sum = 0;
  for (std::size_t i = 0; i < count; ++i) sum += weight[i] * values_[index[i]];
  return sum;
}

double ValueGrid::distance_outside(const std::array<double, kMaxAxes>& point) const {
  constexpr double kSlack = 1.005;  // sums over a step are not exact
  double farthest = 0;
  for (std::size_t axis = 0; axis < axes_.size(); ++axis) {
    const auto& knots = axes_[axis].knots;
    if (point[axis] * kSlack < knots.front()) {
      farthest = std::max(farthest, std::log2(knots.front() / point[axis]));
    } else if (point[axis] > knots.back() * kSlack) {
      farthest = std::max(farthest, std::log2(point[axis] / knots.back()));
    }
  }
  return farthest;
}

bool ValueGrid::inside(const std::array<double, kMaxAxes>& point) const {
  for (std::size_t axis = 0; axis < axes_.size(); ++axis) {
    const auto& knots = axes_[axis].knots;
    // Half a per cent of slack: sums over a step are not exact.
    if (point[axis] < knots.front() * 0.995 || point[axis] > knots.back() * 1.005) return false;
  }
  return true;
}

}  // namespace rackwright::kernels
