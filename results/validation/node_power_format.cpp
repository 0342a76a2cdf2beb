#include <algorithm>
#include <cmath>
#include <numeric>

#include "common/csv_reader.hpp"
#include "common/input_error.hpp"
#include "common/statistics.hpp"
#include "common/timestamp.hpp"
#include "kernels/analytical/roofline.hpp"
#include "results/validation/serving_formats.hpp"

namespace rackwright::results {

namespace {

using kernels::parameter;

struct WallLog {
  std::vector<double> seconds;  ///< length of each sample
  std::vector<double> watts;
};

WallLog read_wall_log(const std::filesystem::path& path) {
  CsvReader csv(path, {.required = {"time", "watts"}});
  WallLog log;
  double last = 0;
  while (csv.next()) {
    const auto time = parse_timestamp(csv.cell("time"));
    if (!time) throw csv.error("time", "a time as 07-17-2024 07:02:47.866");
    log.seconds.push_back(log.watts.empty() ? 1.0 : std::clamp(*time - last, 0.0, 60.0));
    log.watts.push_back(csv.number("watts", 0));
    last = *time;
  }
  if (log.watts.size() < 2) {
    throw InputError({path.string(), 0, "watts", "at least two samples", "fewer"});
  }
  return log;
}

/// What the log says: lowest minute, the level under load, how long the load lasted.
struct WallLevels {
  double idle_w = 0;
  double plateau_w = 0;
  double loaded_s = 0;
  double other_s = 0;
  double joules = 0;
};

WallLevels levels_of(const WallLog& log) {
  constexpr std::size_t kMinute = 60;
  WallLevels levels;
  const std::size_t window = std::min(kMinute, log.watts.size());
  double sum = std::accumulate(log.watts.begin(),
                               log.watts.begin() + static_cast<std::ptrdiff_t>(window), 0.0);
  double least = sum;
  for (std::size_t i = window; i < log.watts.size(); ++i) {
    sum += log.watts[i] - log.watts[i - window];
    least = std::min(least, sum);
  }
  levels.idle_w = least / static_cast<double>(window);
  const double middle = (levels.idle_w + quantile(log.watts, 0.99)) / 2;
  std::vector<double> loaded;
  for (std::size_t i = 0; i < log.watts.size(); ++i) {
    levels.joules += log.watts[i] * log.seconds[i];
    if (log.watts[i] >= middle) {
      loaded.push_back(log.watts[i]);
      levels.loaded_s += log.seconds[i];
    } else {
      levels.other_s += log.seconds[i];
    }
  }
  levels.plateau_w = quantile(std::move(loaded), 0.5);
  return levels;
}

/// "wall_power_llama2-70b-99_Offline" is of class "llama2-70b".
std::string class_of(const std::filesystem::path& path) {
  std::string name = path.stem().string();
  constexpr std::string_view kPrefix = "wall_power_";
  if (name.starts_with(kPrefix)) name.erase(0, kPrefix.size());
  if (const auto at = name.find('_'); at != std::string::npos) name.resize(at);
  for (const std::string_view suffix : {"-99.9", "-99", "-95"}) {
    if (name.ends_with(suffix)) name.resize(name.size() - suffix.size());
  }
  return name;
}

ValidationRow make_row(const std::filesystem::path& path, const char* what, double measured,
                       double predicted, const char* unit) {
  ValidationRow row;
  row.row = path.filename().string() + " " + what;
  row.group = what;
  row.measured = measured;
  row.predicted = predicted;
  row.unit = unit;
  return row;
}

void add_file(const std::filesystem::path& path, const kernels::DeviceProfile& profile, bool energy,
              ValidationRows& rows) {
  const auto* known = profile.find("node_power", class_of(path));
  const auto& idle_model = model_of(profile, "node_power");
  const auto& model = known != nullptr ? *known : idle_model;
  const WallLevels levels = levels_of(read_wall_log(path));
  const double idle = parameter(idle_model, "idle_w");
  const double rest = parameter(idle_model, "rest_w");
  const double plateau = parameter(model, "plateau_w");
  const double low = parameter(model, "plateau_low_w");
  const double high = parameter(model, "plateau_high_w");
  const double constant = parameter(idle_model, "constant_w");
  if (energy) {
    const double other = rest * levels.other_s;
    ValidationRow row =
        make_row(path, "energy", levels.joules, plateau * levels.loaded_s + other, "J");
    row.low = low * levels.loaded_s + idle * levels.other_s;
    row.high = high * levels.loaded_s + 1.1 * other;
    row.baseline = constant * (levels.loaded_s + levels.other_s);
    row.extrapolated = known == nullptr;
    rows.push_back(std::move(row));
    return;
  }
  ValidationRow row = make_row(path, "idle", levels.idle_w, idle, "W");
  set_interval(row, parameter(idle_model, "idle_half_width"));
  row.baseline = constant;
  rows.push_back(row);
  row = make_row(path, "plateau", levels.plateau_w, plateau, "W");
  row.low = low;
  row.high = high;
  row.baseline = constant;
  row.extrapolated = known == nullptr;
  rows.push_back(std::move(row));
}

}  // namespace

ValidationRows validate_node_power(const ValidationRequest& request, const DataLocator& data,
                                   const ProgressCallback&) {
  const auto profile = serving_profile("power", data);
  ValidationRows rows;
  for (const auto& path : request.paths) {
    add_file(path, profile, request.quantity == "energy", rows);
  }
  return rows;
}

}  // namespace rackwright::results
