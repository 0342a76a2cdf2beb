#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace rackwright::profiler::nvml {

/// How the power sensor of an architecture samples. Blank where nothing is published.
struct SensorFacts {
  std::string compute_capability, part, source;
  std::optional<double> instant_window_s;  ///< what one instantaneous reading covers
  std::optional<double> instant_period_s;  ///< how often it is renewed
  std::optional<double> average_window_s;
  /// Share of the time that the instantaneous reading sees.
  [[nodiscard]] std::optional<double> duty_cycle() const {
    if (!instant_window_s || !instant_period_s) return std::nullopt;
    return *instant_window_s / *instant_period_s;
  }
};

/// `profiler/nvml/sensors.json`. Throws InputError.
[[nodiscard]] std::vector<SensorFacts> read_sensor_facts(const std::filesystem::path& path);
/// The entry of a compute capability ("9.0"); null when none is known.
[[nodiscard]] const SensorFacts* find_sensor(const std::vector<SensorFacts>& sensors,
                                             const std::string& compute_capability);

}  // namespace rackwright::profiler::nvml
