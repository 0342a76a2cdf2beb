#include "kernels/bench/stopping.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace rackwright::kernels {

std::string_view to_string(StopReason reason) {
  switch (reason) {
    case StopReason::running:
      return "running";
    case StopReason::steady:
      return "steady";
    case StopReason::noise_stable:
      return "noise stable";
    case StopReason::entropy_level:
      return "entropy level";
    case StopReason::most_samples:
      return "enough samples";
    case StopReason::wall:
      return "time limit";
    case StopReason::all_discarded:
      return "all samples discarded";
  }
  return "";
}

void StoppingRule::add(double seconds) {
  ++count_;
  total_ += seconds;
  const double step = seconds - mean_;
  mean_ += step / static_cast<double>(count_);
  squares_ += step * (seconds - mean_);  // Welford 1962
  if (count_ > 1) noise_.push_back(relative_deviation());
  if (limits_.criterion == Criterion::entropy) count_value(seconds);
}

void StoppingRule::count_value(double seconds) {
  const auto bits = [](std::size_t n) {
    const auto times = static_cast<double>(n);
    return n == 0 ? 0 : times * std::log2(times);
  };
  std::size_t& seen = times_seen_[seconds];
  bits_ += bits(seen + 1) - bits(seen);
  ++seen;
  entropies_.push_back(entropy());
  if (entropies_.size() > limits_.entropy_window) entropies_.pop_front();
}

double StoppingRule::entropy() const {
  if (count_ == 0) return 0;
  const auto n = static_cast<double>(count_);
  return std::max(0.0, std::log2(n) - bits_ / n);
}

double StoppingRule::relative_deviation() const {
  if (count_ < 2 || !(mean_ > 0)) return 0;
  return std::sqrt(squares_ / static_cast<double>(count_ - 1)) / mean_;
}

/// The spread of the last estimates about the newest one.
bool StoppingRule::noise_is_stable() const {
  if (noise_.size() < limits_.noise_window || count_ % limits_.noise_every != 0) return false;
  const double now = noise_.back();
  double squares = 0;
  for (std::size_t i = noise_.size() - limits_.noise_window; i < noise_.size(); ++i) {
    squares += (noise_[i] - now) * (noise_[i] - now);
  }
  const double deviation = std::sqrt(squares / static_cast<double>(limits_.noise_window - 1));
  return deviation < limits_.noise_stability * now;
}

/// The least-squares line through the last entropies over the sample's number. R^2 of values that
/// are all alike, to their rounding, is 1.
bool StoppingRule::entropy_is_level() const {
  if (entropies_.size() < limits_.entropy_window || entropies_.size() < 2) return false;
  constexpr double kRounding = 1e-9;  // bits
  const auto n = static_cast<double>(entropies_.size());
  double mean = 0;
  for (const double one : entropies_) mean += one / n;
  double spread = 0, covariance = 0, variance = 0, x = -0.5 * (n - 1);
  for (const double one : entropies_) {
    spread += x * x;
    covariance += x * (one - mean);
    variance += (one - mean) * (one - mean);
    ++x;
  }
  const double slope = covariance / spread;
  const double degrees = std::atan(slope) * 180 / std::numbers::pi;
  const double fit = variance > n * kRounding * kRounding ? slope * covariance / variance : 1;
  return degrees <= limits_.entropy_degrees && fit >= limits_.entropy_fit;
}

StopReason StoppingRule::check(double wall_s) const {
  if (limits_.criterion == Criterion::entropy) {
    if (count_ >= limits_.least_samples && entropy_is_level()) return StopReason::entropy_level;
  } else if (count_ >= limits_.least_samples && total_ >= limits_.least_seconds) {
    if (relative_deviation() < limits_.relative_deviation) return StopReason::steady;
    if (noise_is_stable()) return StopReason::noise_stable;
  }
  if (count_ >= limits_.most_samples) return StopReason::most_samples;
  if (wall_s >= limits_.wall_s) return count_ == 0 ? StopReason::all_discarded : StopReason::wall;
  return StopReason::running;
}

}  // namespace rackwright::kernels
