#pragma once

#include <cstddef>
#include <functional>
#include <vector>

#include "common/units.hpp"
#include "kernels/bench/bench_device.hpp"

namespace rackwright::kernels {

/// A square wave of load, to see ramps, smoothing and transients of shelves and busbars: high for
/// `duty` of each period, then idle. All devices follow CLOCK_REALTIME from a common start, so that
/// nodes with synchronised clocks are in step without talking.
struct PowerWave {
  double frequency_hz = 1;  ///< 0.1 to 50
  double duty = 0.5;        ///< 0.1 to 0.9
  double seconds = 10;
  double start_s = 0;  ///< CLOCK_REALTIME
};

/// Throws InputError for a frequency, duty or length outside what a wave may have.
void check_wave(const PowerWave& wave);

/// Refuses a wave whose devices could together draw more than the site states. `peak_each`: the
/// highest draw of one device, its EDPp where that is known, else its TDP; not positive when it is
/// not known, which is refused too. Throws InputError naming the sum and the ceiling.
void check_ceiling(Power peak_each, int devices, Power ceiling);

/// One period's load, CLOCK_REALTIME.
struct Burst {
  double begin_s = 0, end_s = 0;
};
/// Whole periods that fit into the length; at least one. The last idle part ends the wave.
[[nodiscard]] std::vector<Burst> bursts_of(const PowerWave& wave);

/// The first whole second that is at least `lead_s` after `now_s`: what ranks that start within the
/// same second agree on.
[[nodiscard]] double next_start(double now_s, double lead_s);

/// CLOCK_REALTIME and sleep; tests have their own.
class WaveClock {
 public:
  virtual ~WaveClock() = default;
  [[nodiscard]] virtual double now();
  virtual void wait_until(double at_s);
};

struct WaveResult {
  std::size_t bursts = 0;
  double executions = 0;       ///< of the load
  double high_s = 0;           ///< under load
  double worst_late_s = 0;     ///< of the begin of a burst
  double worst_overrun_s = 0;  ///< of its end: the last execution runs on
  std::size_t missed = 0;      ///< bursts whose time had passed before they could begin
};

/// Runs `load` again and again in each burst and sleeps between them. `stop` is asked between
/// executions and ends the wave early.
[[nodiscard]] WaveResult run_wave(const std::vector<Burst>& bursts, BenchWork& load,
                                  WaveClock& clock, const std::function<bool()>& stop);

}  // namespace rackwright::kernels
