#include "topology/power/rack_cap.hpp"

#include <algorithm>
#include <cmath>
#include <deque>

namespace rackwright::topology {

namespace {

/// Share of every GPU's power over idle that keeps the rack at `cap_w`; 1 when nothing is cut, 0
/// when nothing is left to cut.
double kept_share(const std::vector<double>& watts, const CappedRack& rack, double cap_w) {
  const auto input = [&](double share) {
    double sum = rack.rest_w;
    for (const double w : watts) {
      const double idle = std::min(w, rack.gpu_idle_w);
      sum += (idle + share * (w - idle)) * rack.gpus_per_replica;
    }
    return rack.input_w(sum);
  };
  if (input(1) <= cap_w) return 1;
  if (input(0) > cap_w) return 0;
  double low = 0, high = 1;
  for (int i = 0; i < 40; ++i) {
    const double middle = (low + high) / 2;
    (input(middle) <= cap_w ? low : high) = middle;
  }
  return low;
}

}  // namespace

CappedReplay replay_under_cap(const CyclicEnergy& gpu, const std::vector<double>& phases,
                              double work_s, double step_s, const CappedRack& rack, double cap_w,
                              const kernels::CapResponse& response, double delay_s) {
  CappedReplay result;
  result.work_s = work_s;
  std::vector<double> done(phases.size(), 0.0), watts(phases.size(), 0.0);
  const double all = work_s * static_cast<double>(phases.size());
  constexpr double kLongest = 20;  // times the work: a cap under idle never ends
  double sum = 0;
  std::deque<double> shares(static_cast<std::size_t>(std::lround(delay_s / step_s)), 1.0);
  while (sum < all * (1 - 1e-12) && result.elapsed_s < kLongest * work_s) {
    double total = rack.rest_w;
    for (std::size_t i = 0; i < phases.size(); ++i) {
      watts[i] = gpu.energy(phases[i] + done[i], step_s) / step_s;
    }
    shares.push_back(kept_share(watts, rack, cap_w));
    const double share = shares.front();
    shares.pop_front();
    if (share <= 0) result.held = false;
    double moved = 0;
    for (std::size_t i = 0; i < phases.size(); ++i) {
      const double idle = std::min(watts[i], rack.gpu_idle_w);
      const double drawn = idle + share * (watts[i] - idle);
      const double speed = share < 1 ? response.speed(drawn, watts[i], idle) : 1.0;
      total += drawn * rack.gpus_per_replica;
      done[i] += speed * step_s;
      moved += speed * step_s;
    }
    // The last step ends where the work does.
    const double part = moved > 0 ? std::min(1.0, (all - sum) / moved) : 1.0;
    sum += moved * part;
    result.elapsed_s += step_s * part;
    if (share < 1) result.capped_s += step_s * part;
    const double input = rack.input_w(total);
    result.highest_w = std::max(result.highest_w, input);
    if (delay_s > 0) result.over_j += std::max(0.0, input - cap_w) * step_s * part;
  }
  return result;
}

double cap_for_slow_down(const std::function<double(double cap_w)>& slow_down_of, double slow_down,
                         double low_w, double high_w) {
  constexpr double kTolerance = 1e-3;
  while (high_w - low_w > kTolerance * high_w) {
    const double middle = (low_w + high_w) / 2;
    (slow_down_of(middle) <= slow_down ? high_w : low_w) = middle;
  }
  return high_w;
}

}  // namespace rackwright::topology
