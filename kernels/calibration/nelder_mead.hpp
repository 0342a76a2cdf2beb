#pragma once

#include <functional>
#include <string>
#include <vector>

namespace rackwright::kernels {

/// A positive parameter, searched in its logarithm between two bounds.
struct FitParameter {
  std::string name;
  double start = 1;
  double low = 0;
  double high = 1;
};

/// Minimum of `cost` from the starts, by the downhill simplex of Nelder and Mead (1965) with one
/// restart at the optimum. Deterministic.
[[nodiscard]] std::vector<double> minimise(
    const std::vector<FitParameter>& parameters,
    const std::function<double(const std::vector<double>&)>& cost, int evaluations);

}  // namespace rackwright::kernels
