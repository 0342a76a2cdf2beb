#include <algorithm>
#include <cmath>
#include <map>

#include "common/csv_reader.hpp"
#include "common/statistics.hpp"
#include "common/timestamp.hpp"
#include "results/validation/serving_formats.hpp"
#include "topology/thermal/temperature_fit.hpp"

namespace rackwright::results {

namespace {

/// A day: inlet air follows the weather and the room, not the hour.
constexpr double kHalfLife = 86400;
constexpr std::size_t kFewest = 48;

struct Reading {
  topology::ThermalSample sample;
  std::size_t line = 0;
};

std::map<std::string, std::vector<Reading>> read_history(const std::filesystem::path& path) {
  CsvReader csv(path, {.required = {"name", "timestamp", "powerave", "tempave"}});
  std::map<std::string, std::vector<Reading>> servers;
  while (csv.next()) {
    const auto time = parse_timestamp(csv.cell("timestamp"));
    if (!time) throw csv.error("timestamp", "a time as 2025-10-20 14:00:00.000");
    servers[csv.cell("name")].push_back(
        {{*time, csv.number("powerave", 0), csv.number("tempave")}, csv.line()});
  }
  for (auto& [name, readings] : servers) {
    std::stable_sort(readings.begin(), readings.end(), [](const Reading& a, const Reading& b) {
      return a.sample.time_s < b.sample.time_s;
    });
  }
  return servers;
}

std::vector<topology::ThermalSample> samples(const std::vector<Reading>& readings,
                                             std::size_t begin, std::size_t end) {
  std::vector<topology::ThermalSample> result;
  for (std::size_t i = begin; i < end; ++i) result.push_back(readings[i].sample);
  return result;
}

/// Predicted temperature of every reading from `line`, and of the tracked kind its offset.
std::vector<double> predict(const std::vector<Reading>& readings, const topology::ThermalLine& line,
                            bool tracked) {
  topology::TrackedOffset offset(kHalfLife);
  std::vector<double> result;
  for (const Reading& reading : readings) {
    const double steady = line.celsius(reading.sample.watts);
    result.push_back(steady + (tracked ? offset.now() : 0));
    offset.add(reading.sample.time_s, reading.sample.celsius - steady);
  }
  return result;
}

/// 90 % half-width in K, told from the first half alone: the line of its first half against its
/// second, so that drift between seasons is in it.
double expected_error(const std::vector<Reading>& readings, std::size_t half, bool tracked) {
  const auto line = topology::fit_thermal_line(samples(readings, 0, half / 2));
  const auto predicted = predict(readings, line, tracked);
  std::vector<double> errors;
  for (std::size_t i = half / 2; i < half; ++i) {
    errors.push_back(std::abs(predicted[i] - readings[i].sample.celsius));
  }
  return quantile(std::move(errors), 0.9);
}

void add_server(const std::filesystem::path& path, const std::string& name,
                const std::vector<Reading>& readings, bool tracked, ValidationRows& rows) {
  const std::size_t half = readings.size() / 2;
  const bool enough = readings.size() >= kFewest;
  const auto line = topology::fit_thermal_line(samples(readings, 0, half));
  const auto predicted = predict(readings, line, tracked);
  const double error = expected_error(readings, half, tracked);
  double mean = 0;
  for (std::size_t i = 0; i < half; ++i) mean += readings[i].sample.celsius;
  for (std::size_t i = 0; i < readings.size(); ++i) {
    ValidationRow row;
    row.row = row_name(path, readings[i].line);
    row.group = name;
    row.measured = readings[i].sample.celsius;
    row.predicted = predicted[i];
    row.unit = "degC";
    row.low = predicted[i] - error;
    row.high = predicted[i] + error;
    if (half > 0) row.baseline = mean / static_cast<double>(half);
    if (i < half) row.excluded = "first half, which the line is fitted on";
    if (!enough) row.excluded = "fewer than 48 readings of the server";
    rows.push_back(std::move(row));
  }
}

}  // namespace

ValidationRows validate_temperature(const ValidationRequest& request, const DataLocator&,
                                    const ProgressCallback&) {
  ValidationRows rows;
  for (const auto& path : request.paths) {
    for (const auto& [name, readings] : read_history(path)) {
      add_server(path, name, readings, request.quantity == "tracked", rows);
    }
  }
  return rows;
}

}  // namespace rackwright::results
