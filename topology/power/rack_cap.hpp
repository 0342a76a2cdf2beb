#pragma once

#include <functional>
#include <vector>

#include "kernels/analytical/cap_response.hpp"
#include "topology/power/load_timeline.hpp"

namespace rackwright::topology {

/// What a rack does to the replicas it caps.
struct CappedReplay {
  double work_s = 0;     ///< of each replica, at full clocks
  double elapsed_s = 0;  ///< until the mean replica has done it
  double capped_s = 0;   ///< with clocks lowered
  double highest_w = 0;  ///< of the rack, mean over a step
  double over_j = 0;     ///< energy over the cap while the controller had not acted
  bool held = true;      ///< false: even idle GPUs exceed the cap
  [[nodiscard]] double slow_down() const { return work_s > 0 ? elapsed_s / work_s - 1 : 0.0; }
};

/// The rack that is capped: GPUs of a replica, other GPUs' watts, and rack input over the sum of
/// GPU power (monotone).
struct CappedRack {
  double gpus_per_replica = 0, rest_w = 0, gpu_idle_w = 0;
  std::function<double(double gpu_total_w)> input_w;
};

/// Closed loop of time → watts → clocks → time: replicas repeat the timeline of one GPU from their
/// phases; where the rack would draw more than `cap_w` over a step, every GPU keeps the same share
/// of its power over idle that holds the cap, and each job goes on at the speed that `response`
/// gives it. The controller acts on what the rack asked for `delay_s` ago, whole steps of it; until
/// then the rack draws what it asks for.
[[nodiscard]] CappedReplay replay_under_cap(const CyclicEnergy& gpu,
                                            const std::vector<double>& phases, double work_s,
                                            double step_s, const CappedRack& rack, double cap_w,
                                            const kernels::CapResponse& response,
                                            double delay_s = 0);

/// The lowest cap in [low_w, high_w] that lengthens the run by at most `slow_down`, to 0.1 %.
[[nodiscard]] double cap_for_slow_down(const std::function<double(double cap_w)>& slow_down_of,
                                       double slow_down, double low_w, double high_w);

}  // namespace rackwright::topology
