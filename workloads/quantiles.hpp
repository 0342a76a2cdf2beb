#pragma once

#include <string_view>
#include <utility>
#include <vector>

#include "common/json_document.hpp"

namespace rackwright::workloads {

/// A distribution given by some of its quantiles, straight in between. Probabilities rise from 0 to
/// 1, values never fall.
class Quantiles {
 public:
  Quantiles() = default;
  explicit Quantiles(std::vector<std::pair<double, double>> points) : points_(std::move(points)) {}

  /// Reads `{"quantiles": [[0, 3], [0.5, 120], [1, 900]]}` under `key`; values are at least `min`.
  static Quantiles read(ObjectReader& parent, std::string_view key, double min);

  /// The value that a share `probability` of the distribution stays under.
  [[nodiscard]] double at(double probability) const;
  /// Exact mean of the piecewise straight quantile function (trapezoids).
  [[nodiscard]] double mean() const;
  [[nodiscard]] const std::vector<std::pair<double, double>>& points() const { return points_; }

 private:
  std::vector<std::pair<double, double>> points_;
};

}  // namespace rackwright::workloads
