#pragma once

#include <string>
#include <vector>

#include "profiler/recording.hpp"
#include "profiler/trace.hpp"

namespace rackwright::profiler {

/// What may be said of the power of one GPU in a recording.
struct MeasuredPower {
  int gpu = 0;
  std::string quantity;  ///< counter it rests on: "energy", "power_instant", "power", …
  std::string scope;     ///< "GPU" or "module" (CPU, GPU and memory of a superchip): never mixed
  double mean_w = 0;
  double peak_1s_w = 0;  ///< highest mean over 1 s of the readings
  double window_s = 0;   ///< that the mean covers
  std::string source;    ///< what was read, over which window, how two sources agree
  std::string refusal;   ///< why there is no statement; "" when there is one
  PowerTimeline readings;
};

/// One entry per GPU with power or energy counters. With NVML's counters the rules of
/// `nvml::power_statement` hold; a power log alone has its readings only, each held over the time
/// since the one before, and needs the same least window of 5 s. Of a collected run only the
/// windows for power are taken.
[[nodiscard]] std::vector<MeasuredPower> measured_power(const Recording& recording);

}  // namespace rackwright::profiler
