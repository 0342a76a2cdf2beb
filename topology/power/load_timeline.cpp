#include "topology/power/load_timeline.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>

namespace rackwright::topology {

CyclicEnergy::CyclicEnergy(const profiler::PowerTimeline& timeline)
    : t_(timeline.t), w_(timeline.w) {
  if (w_.empty() || t_.size() != w_.size() + 1 || !(t_.back() > t_.front())) {
    throw std::invalid_argument("a power timeline needs at least one interval");
  }
  joules_.resize(t_.size(), 0.0);
  for (std::size_t i = 0; i < w_.size(); ++i) {
    joules_[i + 1] = joules_[i] + w_[i] * (t_[i + 1] - t_[i]);
  }
  period_ = t_.back() - t_.front();
  total_ = joules_.back();
}

double CyclicEnergy::up_to(double t) const {
  const double at = t_.front() + t;
  const auto next = std::upper_bound(t_.begin(), t_.end(), at);
  if (next == t_.begin()) return 0;
  const auto i = static_cast<std::size_t>(next - t_.begin()) - 1;
  if (i >= w_.size()) return total_;
  return joules_[i] + w_[i] * (at - t_[i]);
}

double CyclicEnergy::energy(double start_s, double length_s) const {
  const double start = start_s - std::floor(start_s / period_) * period_;
  const double end = start + length_s;
  const double turns = std::floor(end / period_);
  return turns * total_ + up_to(end - turns * period_) - up_to(start);
}

std::vector<double> replica_phases(int replicas, double period_s, RandomSource random) {
  std::vector<double> phases;
  for (int i = 0; i < replicas; ++i) phases.push_back(random.uniform() * period_s);
  return phases;
}

std::vector<double> superposed_means(const CyclicEnergy& energy, const std::vector<double>& phases,
                                     double window_s) {
  std::vector<double> means;
  const double period = energy.period_s();
  const double window = std::min(window_s, period);
  for (std::size_t i = 0;; ++i) {
    const double start = static_cast<double>(i) * window;
    const double length = std::min(window, period - start);
    if (length < window / 2) break;
    double joules = 0;
    for (const double phase : phases) joules += energy.energy(start + phase, length);
    means.push_back(joules / length);
  }
  return means;
}

double largest_ramp(const std::vector<double>& means, double window_s) {
  double largest = 0;
  for (std::size_t i = 1; i < means.size(); ++i) {
    largest = std::max(largest, std::abs(means[i] - means[i - 1]) / window_s);
  }
  return largest;
}

}  // namespace rackwright::topology
