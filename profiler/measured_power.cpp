#include "profiler/measured_power.hpp"

#include <algorithm>
#include <cmath>
#include <map>

#include <fmt/format.h>

#include "profiler/nvml/power_statement.hpp"

namespace rackwright::profiler {

namespace {

struct Reading {
  double at_s = 0;
  double value = 0;
};
using Series = std::map<std::string, std::vector<Reading>>;

/// Whether power may be stated from a reading at `at_s`: a collected run is disturbed where it is
/// traced and idle where it is prepared.
bool is_for_power(const Recording& recording, double at_s) {
  const auto& windows = recording.windows;
  const auto holds = [&](const RecordedWindow& window) {
    return window.power && at_s >= window.start_s && at_s <= window.start_s + window.duration_s;
  };
  return windows.empty() || std::any_of(windows.begin(), windows.end(), holds);
}

/// Power and energy readings of each GPU by name and time.
std::map<int, Series> power_series(const Recording& recording) {
  constexpr std::string_view kNames[] = {"power_instant", "power_average", "module_power", "power",
                                         "energy"};
  std::map<int, Series> gpus;
  for (const CounterSample& sample : recording.counters) {
    if (sample.gpu < 0) continue;
    const std::string& name = recording.names[sample.name];
    if (std::find(std::begin(kNames), std::end(kNames), name) == std::end(kNames)) continue;
    const double at_s = sample.start_s + sample.duration_s;
    if (is_for_power(recording, at_s)) gpus[sample.gpu][name].push_back({at_s, sample.value});
  }
  for (auto& [gpu, series] : gpus) {
    for (auto& [name, readings] : series) {
      std::stable_sort(readings.begin(), readings.end(),
                       [](const Reading& a, const Reading& b) { return a.at_s < b.at_s; });
    }
  }
  return gpus;
}

/// A sensor's mean holds over the time before its reading.
PowerTimeline held(const std::vector<Reading>& readings) {
  PowerTimeline timeline;
  for (const Reading& reading : readings) {
    if (!timeline.t.empty() && !(reading.at_s > timeline.t.back())) continue;
    if (!timeline.t.empty()) timeline.w.push_back(reading.value);
    timeline.t.push_back(reading.at_s);
  }
  return timeline;
}

double peak_of(const PowerTimeline& timeline) {
  if (timeline.w.empty() || timeline.t.back() - timeline.t.front() < 1) return 0;
  auto means = windowed_means(timeline, 1.0);
  if (means.size() > 1) means.pop_back();  // the last one may be shorter
  return *std::max_element(means.begin(), means.end());
}

/// The readings of NVML as the statement wants them: one sample per time.
std::vector<nvml::GpuSample> samples_of(const Series& series) {
  std::map<std::int64_t, nvml::GpuSample> by_time;
  const auto take = [&](const char* name, nvml::Quantity quantity) {
    const auto found = series.find(name);
    if (found == series.end()) return;
    for (const Reading& reading : found->second) {
      const auto us = static_cast<std::int64_t>(std::llround(reading.at_s * 1e6));
      by_time[us].time_us = us;
      by_time[us][quantity] = reading.value;
    }
  };
  take("power_instant", nvml::Quantity::power_instant);
  take("energy", nvml::Quantity::energy);
  std::vector<nvml::GpuSample> samples;
  for (const auto& [us, sample] : by_time) samples.push_back(sample);
  return samples;
}

std::string sensor_text(const Recording& recording, int gpu) {
  const auto found = std::find_if(recording.gpus.begin(), recording.gpus.end(),
                                  [&](const RecordedGpu& g) { return g.gpu == gpu; });
  if (found == recording.gpus.end()) return "";
  std::string text = fmt::format(", read every {:.0f} ms", 1e3 * found->period_s);
  if (found->duty_cycle) {
    text += fmt::format("; a reading covers {:.0f} ms, {:.0f} % of the time",
                        1e3 * found->instant_window_s.value_or(0), 100 * *found->duty_cycle);
  } else {
    text += "; what a reading covers is not published for this part";
  }
  return text;
}

void take_statement(const nvml::PowerStatement& statement, const std::string& sensor,
                    MeasuredPower& power) {
  power.window_s = statement.window_s;
  if (!statement.usable()) {
    power.refusal = statement.reason;
    return;
  }
  power.mean_w = statement.counter_w.value_or(statement.sampled_w.value_or(0));
  power.quantity = statement.counter_w ? "energy" : "power_instant";
  if (statement.counter_w) {
    power.source = fmt::format("NVML energy counter over {:.1f} s (its step: ± {:.1f} %)",
                               statement.window_s, 100 * statement.counter_error);
    if (statement.sampled_w) {
      power.source += fmt::format(", power readings {:.1f} % apart", 100 * statement.disagreement);
    }
  } else {
    power.source = fmt::format("NVML power readings over {:.1f} s, one source", statement.window_s);
  }
  power.source += sensor;
}

/// Readings alone: a log, or a driver without the energy counter.
void take_readings(const std::string& name, const std::string& sensor, MeasuredPower& power) {
  const double least_s = nvml::WindowRules{}.least_s;
  power.quantity = name;
  if (power.readings.w.empty()) {
    power.refusal = "one reading only";
    return;
  }
  power.window_s = power.readings.t.back() - power.readings.t.front();
  if (power.window_s < least_s) {
    power.refusal =
        fmt::format("{:.1f} s of readings: at least {:.0f} s are needed", power.window_s, least_s);
    return;
  }
  power.mean_w = power.readings.integral() / power.window_s;
  power.source = fmt::format(
      "{} readings named {} over {:.1f} s, one source, each held over the "
      "time since the one before{}",
      power.readings.t.size(), name, power.window_s, sensor);
}

MeasuredPower power_of(const Recording& recording, int gpu, const Series& series) {
  MeasuredPower power;
  power.gpu = gpu;
  power.scope = "GPU";
  const std::string sensor = sensor_text(recording, gpu);
  const auto readings = [&](const char* name) {
    const auto found = series.find(name);
    if (found == series.end()) return false;
    power.readings = held(found->second);
    return true;
  };
  if (series.contains("energy") || series.contains("power_instant")) {
    if (!readings("power_instant")) readings("power_average");
    take_statement(nvml::power_statement(samples_of(series)), sensor, power);
  } else if (readings("power_average")) {
    take_readings("power_average", sensor, power);
  } else if (readings("power")) {
    take_readings("power", sensor, power);
  } else if (readings("module_power")) {
    power.scope = "module";
    take_readings("module_power", sensor, power);
  }
  power.peak_1s_w = peak_of(power.readings);
  return power;
}

}  // namespace

std::vector<MeasuredPower> measured_power(const Recording& recording) {
  std::vector<MeasuredPower> result;
  for (const auto& [gpu, series] : power_series(recording)) {
    result.push_back(power_of(recording, gpu, series));
  }
  return result;
}

}  // namespace rackwright::profiler
