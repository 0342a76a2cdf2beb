#include "kernels/bench/sample_summary.hpp"

#include <algorithm>
#include <cmath>

#include "common/random.hpp"
#include "common/statistics.hpp"

namespace rackwright::kernels {

namespace {

constexpr int kResamples = 2000;
/// Longer series are resampled by this many: the interval is then that of a shorter series, wider.
constexpr std::size_t kMostDrawn = 2000;

double median_of(std::vector<double>& values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  if (values.size() % 2 == 1) return *middle;
  return 0.5 * (*middle + *std::max_element(values.begin(), middle));
}

}  // namespace

SampleSummary summarise(std::vector<double> values, std::uint64_t seed) {
  SampleSummary summary;
  summary.n = values.size();
  if (values.empty()) return summary;
  std::sort(values.begin(), values.end());
  summary.mean = mean(values);
  summary.p5 = quantile(values, 0.05);
  summary.p95 = quantile(values, 0.95);
  summary.p99 = quantile(values, 0.99);
  std::vector<double> work = values;
  summary.median = median_of(work);
  double squares = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    work[i] = std::abs(values[i] - summary.median);
    squares += (values[i] - summary.mean) * (values[i] - summary.mean);
  }
  summary.mad = median_of(work);
  if (summary.n > 1) summary.deviation = std::sqrt(squares / static_cast<double>(summary.n - 1));

  RandomSource random(seed);
  work.resize(std::min(values.size(), kMostDrawn));
  std::vector<double> medians;
  for (int resample = 0; resample < kResamples; ++resample) {
    for (double& value : work) value = values[random.below(values.size())];
    medians.push_back(median_of(work));
  }
  summary.low = quantile(medians, 0.025);
  summary.high = quantile(medians, 0.975);
  return summary;
}

}  // namespace rackwright::kernels
