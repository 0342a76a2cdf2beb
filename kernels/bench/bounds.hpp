#pragma once

#include <map>
#include <string>
#include <vector>

#include "kernels/bench/sampler.hpp"

namespace rackwright::kernels {

/// Rates that this device was seen to reach, in the same run and by the same sampler: a copy in
/// memory, and a large GEMM of each type, each at its 5th percentile of time.
struct MeasuredBounds {
  double bytes_per_s = 0;  ///< read and written; 0 = not measured
  std::map<workloads::DataType, double> flop_per_s;
};

/// The copy, and a GEMM of each type that `cases` multiply in. To be measured before them.
[[nodiscard]] std::vector<BenchCase> bound_cases(const std::vector<BenchCase>& cases,
                                                 const BenchDevice& device);
[[nodiscard]] MeasuredBounds bounds_of(const std::vector<BenchResult>& results);

/// max(bytes / copy rate, FLOP / GEMM rate) over the median, and which of them it is.
struct ShareOfBound {
  double share = 0;   ///< 0 = no bound known
  std::string bound;  ///< "copy", "GEMM"
};
[[nodiscard]] ShareOfBound share_of_bound(const BenchResult& result, const MeasuredBounds& bounds);

}  // namespace rackwright::kernels
