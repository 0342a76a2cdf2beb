#pragma once

#include <vector>

namespace rackwright {

/// Arithmetic mean; 0 without values.
[[nodiscard]] double mean(const std::vector<double>& values);

/// Order statistic: the smallest value that at least `share` of all values do not exceed; 0 without
/// values.
[[nodiscard]] double quantile(std::vector<double> values, double share);

}  // namespace rackwright
