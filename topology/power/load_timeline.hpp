#pragma once

#include <vector>

#include "common/random.hpp"
#include "profiler/trace.hpp"

namespace rackwright::topology {

/// The energy of one GPU as a function of time, repeated cyclically: exact integrals over any
/// window.
class CyclicEnergy {
 public:
  /// Throws std::invalid_argument for a timeline without length.
  explicit CyclicEnergy(const profiler::PowerTimeline& timeline);
  [[nodiscard]] double period_s() const { return period_; }
  [[nodiscard]] double mean_w() const { return total_ / period_; }
  /// J over [start, start + length), any start, length >= 0.
  [[nodiscard]] double energy(double start_s, double length_s) const;

 private:
  [[nodiscard]] double up_to(double t) const;  ///< J over [0, t], 0 <= t <= period
  std::vector<double> t_;
  std::vector<double> w_;
  std::vector<double> joules_;  ///< up to t_[i]
  double period_ = 0, total_ = 0;
};

/// Replicas of a rack run the same traffic at independent phases: a uniform shift each, from
/// `random`.
[[nodiscard]] std::vector<double> replica_phases(int replicas, double period_s,
                                                 RandomSource random);

/// Means of the sum over phases, over consecutive windows of one period, W per GPU of a replica
/// (multiply by the replica's GPUs). The last, shorter window is kept as a mean over its own length
/// when it is at least half a window, else dropped.
[[nodiscard]] std::vector<double> superposed_means(const CyclicEnergy& energy,
                                                   const std::vector<double>& phases,
                                                   double window_s);

/// The largest change between consecutive windows over their length, W/s.
[[nodiscard]] double largest_ramp(const std::vector<double>& means, double window_s);

}  // namespace rackwright::topology
