#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace rackwright::kernels {

/// A series of times in the figures that are reported; all but `n` in the unit of the values.
struct SampleSummary {
  std::size_t n = 0;
  double median = 0;  ///< mean of the two middle values when n is even
  double mad = 0;     ///< median absolute deviation from the median, not scaled
  double mean = 0;
  double deviation = 0;             ///< standard deviation, n - 1
  double p5 = 0, p95 = 0, p99 = 0;  ///< order statistics
  double low = 0, high = 0;         ///< 95 % interval of the median
};

/// The interval is the percentile bootstrap (Efron 1979) of 2,000 resamples; the same values and
/// seed give the same interval. Zeros without values.
[[nodiscard]] SampleSummary summarise(std::vector<double> values, std::uint64_t seed = 1);

}  // namespace rackwright::kernels
