#pragma once

#include <cstddef>
#include <deque>
#include <map>
#include <string_view>
#include <vector>

namespace rackwright::kernels {

/// The two criteria of nvbench, under its names: `stdrel`, the deviation is small or known, and
/// `entropy`, new samples bring no new values.
enum class Criterion { stdrel, entropy };

/// When a series of samples is long enough. The defaults are nvbench's (NVIDIA/nvbench,
/// nvbench/stopping_criterion.cuh, detail/stdrel_criterion.cuh and detail/entropy_criterion.cuh).
struct SamplingLimits {
  Criterion criterion = Criterion::stdrel;
  std::size_t least_samples = 10;
  std::size_t most_samples = 2000;
  double least_seconds = 0.5;         ///< sum of the samples
  double relative_deviation = 0.005;  ///< standard deviation over mean
  std::size_t noise_window = 64;      ///< estimates of the noise that must agree …
  std::size_t noise_every = 16;       ///< … looked at every so many samples …
  double noise_stability = 0.05;      ///< … to this share of the last one
  std::size_t entropy_window = 299;   ///< values of the entropy that a line is laid through …
  double entropy_degrees = 0.048;     ///< … which rises by at most this angle, bits over samples …
  double entropy_fit = 0.36;          ///< … and explains this share of their variance (R^2)
  double wall_s = 15;
  double least_clock_share = 0.75;  ///< of the rated clock; a sample under it is discarded
  double first_wait_s = 0.05;       ///< after a discarded sample; grows by half each time
};

enum class StopReason {
  running,
  steady,
  noise_stable,
  entropy_level,
  most_samples,
  wall,
  all_discarded
};
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
  /// Shannon entropy of the samples, bits: equal times are one value.
  [[nodiscard]] double entropy() const;

 private:
  [[nodiscard]] bool noise_is_stable() const;
  [[nodiscard]] bool entropy_is_level() const;
  void count_value(double seconds);

  SamplingLimits limits_;
  std::size_t count_ = 0;
  double mean_ = 0, squares_ = 0, total_ = 0;
  std::vector<double> noise_;  ///< relative deviation after each sample from the second
  std::map<double, std::size_t> times_seen_;
  double bits_ = 0;               ///< sum of n log2 n over the values seen n times
  std::deque<double> entropies_;  ///< after each of the last samples
};

}  // namespace rackwright::kernels
