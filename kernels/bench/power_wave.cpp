#include "kernels/bench/power_wave.hpp"

#include <algorithm>
#include <cmath>
#include <ctime>

#include <fmt/format.h>

#include "common/input_error.hpp"
#include "common/quantity_text.hpp"

namespace rackwright::kernels {

namespace {

void require(bool holds, const char* field, const char* expected, double found) {
  if (holds) return;
  throw InputError(InputProblem{"", 0, field, expected, fmt::format("{:g}", found)});
}

}  // namespace

void check_wave(const PowerWave& wave) {
  require(wave.frequency_hz >= 0.1 && wave.frequency_hz <= 50, "--frequency", "0.1 Hz to 50 Hz",
          wave.frequency_hz);
  require(wave.duty >= 0.1 && wave.duty <= 0.9, "--duty", "10 % to 90 %, as a share 0.1 to 0.9",
          wave.duty);
  require(wave.seconds * wave.frequency_hz >= 1, "--seconds", "one period at least", wave.seconds);
}

void check_ceiling(Power peak_each, int devices, Power ceiling) {
  if (!(peak_each.si() > 0)) {
    throw InputError(InputProblem{
        "", 0, "--peak-power",
        "the highest draw of one device: neither its TDP nor its EDPp is known here", "nothing"});
  }
  const Power all = devices * peak_each;
  if (all <= ceiling) return;
  throw InputError(InputProblem{
      "", 0, "--power-ceiling",
      fmt::format("at least {} for {} x {}: refused", to_text(all), devices, to_text(peak_each)),
      to_text(ceiling)});
}

std::vector<Burst> bursts_of(const PowerWave& wave) {
  // A length of whole periods must not lose one to rounding.
  const auto count = static_cast<std::size_t>(
      std::max(1.0, std::floor(wave.seconds * wave.frequency_hz * (1 + 1e-12))));
  std::vector<Burst> bursts;
  for (std::size_t i = 0; i < count; ++i) {
    const double period = static_cast<double>(i);
    bursts.push_back({wave.start_s + period / wave.frequency_hz,
                      wave.start_s + (period + wave.duty) / wave.frequency_hz});
  }
  return bursts;
}

double next_start(double now_s, double lead_s) {
  return std::ceil(now_s + lead_s);
}

double WaveClock::now() {
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

void WaveClock::wait_until(double at_s) {
  timespec until{};
  until.tv_sec = static_cast<time_t>(std::floor(at_s));
  until.tv_nsec = std::min(999999999L, std::lround(1e9 * (at_s - std::floor(at_s))));
  ::clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &until, nullptr);
}

WaveResult run_wave(const std::vector<Burst>& bursts, BenchWork& load, WaveClock& clock,
                    const std::function<bool()>& stop) {
  constexpr double kLongestSleep = 0.2;  // so that `stop` is heard
  WaveResult result;
  for (const Burst& burst : bursts) {
    while (!stop() && clock.now() < burst.begin_s) {
      clock.wait_until(std::min(burst.begin_s, clock.now() + kLongestSleep));
    }
    if (stop()) break;
    const double begin = clock.now();
    if (begin >= burst.end_s) {
      ++result.missed;
      continue;
    }
    double now = begin;
    while (now < burst.end_s && !stop()) {
      (void)load.run();
      ++result.executions;
      now = clock.now();
    }
    ++result.bursts;
    result.high_s += now - begin;
    result.worst_late_s = std::max(result.worst_late_s, begin - burst.begin_s);
    result.worst_overrun_s = std::max(result.worst_overrun_s, now - burst.end_s);
  }
  return result;
}

}  // namespace rackwright::kernels
