#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

namespace rackwright::kernels {

/// When a series of samples is long enough. The defaults are nvbench's criterion "stdrel"
/// (NVIDIA/nvbench, nvbench/stopping_criterion.cuh and detail/stdrel_criterion.cuh).
struct SamplingLimits {
  std::size_t least_samples = 10;
  std::size_t most_samples = 2000;
  double least_seconds = 0.5;         ///< sum of the samples
  double relative_deviation = 0.005;  ///< standard deviation over mean
  std::size_t noise_window = 64;      ///< estimates of the noise that must agree …
  std::size_t noise_every = 16;       ///< … looked at every so many samples …
  double noise_stability = 0.05;      ///< … to this share of the last one
  double wall_s = 15;
  double least_clock_share = 0.75;  ///< of the rated clock; a sample under it is discarded
  double first_wait_s = 0.05;       ///< after a discarded sample; grows by half each time
};

enum class StopReason { running, steady, noise_stable, most_samples, wall, all_discarded };
[[nodiscard]] std::string_view to_string(StopReason reason);

/// Decides after each kept sample whether more are needed.
class StoppingRule {
 public:
  explicit StoppingRule(const SamplingLimits& limits) : limits_(limits) {}
  void add(double seconds);
  /// `wall_s`: real time that went into the series, discarded samples included.
  [[nodiscard]] StopReason check(double wall_s) const;
  /// Standard deviation (n - 1) over mean; 0 under two samples.
  [[nodiscard]] double relative_deviation() const;

 private:
  [[nodiscard]] bool noise_is_stable() const;

  SamplingLimits limits_;
  std::size_t count_ = 0;
  double mean_ = 0, squares_ = 0, total_ = 0;
  std::vector<double> noise_;  ///< relative deviation after each sample from the second
};

}  // namespace rackwright::kernels
