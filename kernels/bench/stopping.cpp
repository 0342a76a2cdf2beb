#include "kernels/bench/stopping.hpp"

#include <cmath>

namespace rackwright::kernels {

std::string_view to_string(StopReason reason) {
  switch (reason) {
    case StopReason::running:
      return "running";
    case StopReason::steady:
      return "steady";
    case StopReason::noise_stable:
      return "noise stable";
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

StopReason StoppingRule::check(double wall_s) const {
  if (count_ >= limits_.least_samples && total_ >= limits_.least_seconds) {
    if (relative_deviation() < limits_.relative_deviation) return StopReason::steady;
    if (noise_is_stable()) return StopReason::noise_stable;
  }
  if (count_ >= limits_.most_samples) return StopReason::most_samples;
  if (wall_s >= limits_.wall_s) return count_ == 0 ? StopReason::all_discarded : StopReason::wall;
  return StopReason::running;
}

}  // namespace rackwright::kernels
