#include "profiler/nvml/sensor_facts.hpp"

#include <algorithm>

#include "common/json_document.hpp"

namespace rackwright::profiler::nvml {

std::vector<SensorFacts> read_sensor_facts(const std::filesystem::path& path) {
  const JsonDocument document = JsonDocument::parse_file(path);
  ProblemList problems;
  ObjectReader root(document, problems);
  root.check_format_version(1);
  std::vector<SensorFacts> sensors;
  for (ObjectReader& entry : root.objects("sensors")) {
    SensorFacts& sensor = sensors.emplace_back();
    sensor.compute_capability = entry.text("compute_capability");
    sensor.part = entry.text("part");
    sensor.instant_window_s = entry.optional_number("instant_window_s", {.min = 1e-6});
    sensor.instant_period_s = entry.optional_number("instant_period_s", {.min = 1e-6});
    sensor.average_window_s = entry.optional_number("average_window_s", {.min = 1e-6});
    sensor.source = entry.text("source");
    entry.ignore({"status"});
    entry.finish();
  }
  root.finish();
  problems.throw_if_any();
  return sensors;
}

const SensorFacts* find_sensor(const std::vector<SensorFacts>& sensors,
                               const std::string& compute_capability) {
  const auto at = std::find_if(sensors.begin(), sensors.end(), [&](const SensorFacts& sensor) {
    return sensor.compute_capability == compute_capability;
  });
  return at == sensors.end() ? nullptr : &*at;
}

}  // namespace rackwright::profiler::nvml
