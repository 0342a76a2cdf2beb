#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <deque>

#include <fmt/format.h>

#include "common/csv_reader.hpp"
#include "common/input_error.hpp"
#include "common/statistics.hpp"
#include "common/timestamp.hpp"
#include "kernels/analytical/roofline.hpp"
#include "kernels/device_info.hpp"
#include "results/validation/serving_formats.hpp"

namespace rackwright::results {

namespace {

using kernels::parameter;

struct Sample {
  std::size_t line = 0;
  double time_s = 0;
  double watts = 0;
  double utilisation = 0;  ///< 0..1
};

/// The column whose name starts with `start`, spaces aside ("power.draw [W]").
std::size_t column_like(const CsvReader& csv, const std::filesystem::path& path,
                        std::initializer_list<std::string_view> starts) {
  for (std::size_t i = 0; i < csv.header().size(); ++i) {
    std::string_view name = csv.header()[i];
    while (name.starts_with(' ')) name.remove_prefix(1);
    for (const auto start : starts) {
      if (name.starts_with(start)) return i;
    }
  }
  throw InputError({path.string(), 1, std::string(*starts.begin()), "this column", "none like it"});
}

/// A number that may carry spaces and its unit (" 120.55 W").
double number_in(const CsvReader& csv, std::size_t column) {
  const std::string& text = csv.cell(column);
  const char* at = text.data();
  const char* const end = at + text.size();
  while (at < end && *at == ' ') ++at;
  double value = 0;
  if (std::from_chars(at, end, value).ec != std::errc{} || !(value >= 0)) {
    throw csv.error(csv.header()[column], "a number >= 0");
  }
  return value;
}

std::vector<Sample> read_timeline(const std::filesystem::path& path) {
  CsvReader csv(path, {.required = {"timestamp"}});
  const std::size_t power = column_like(csv, path, {"power_w", "power.draw"});
  const std::size_t busy = column_like(csv, path, {"gpu_util_pct", "utilization.gpu"});
  std::vector<Sample> samples;
  while (csv.next()) {
    const auto time = parse_timestamp(csv.cell("timestamp"));
    if (!time) throw csv.error("timestamp", "a time as 2024/04/03 11:08:14.958");
    samples.push_back({csv.line(), *time, number_in(csv, power), number_in(csv, busy) / 100});
  }
  return samples;
}

/// Power from the data sheet and how busy the GPU says it is:
/// P = idle + (s TDP - idle) min(1, g u), s the share of TDP that model work settles at.
struct DutyModel {
  double idle_w = 0;
  double plateau_w = 0;
  double gain = 1;
  [[nodiscard]] double watts(double utilisation) const {
    return idle_w + (plateau_w - idle_w) * std::min(1.0, gain * utilisation);
  }
};

/// Utilisation in steps, 0 and 1 by themselves: a GPU that waits in a collective reads 1 as well as
/// one that computes, and only the past of the job tells which.
constexpr std::size_t kStates = 8;
std::size_t state_of(double utilisation) {
  if (utilisation < 0.01) return 0;
  if (utilisation > 0.995) return kStates - 1;
  return 1 + std::min<std::size_t>(kStates - 3, static_cast<std::size_t>(utilisation * 6));
}

/// Samples of each state that are older than a delay, newest last; a forecast draws from them in
/// turn, so that it has their spread and not only their mean.
class StateMemory {
 public:
  void note(const Sample& sample) { waiting_.push_back(sample); }
  void age(double now_s) {
    constexpr double kDelay = 15;
    while (!waiting_.empty() && waiting_.front().time_s <= now_s - kDelay) {
      auto& state = states_[state_of(waiting_.front().utilisation)];
      state.push_back(waiting_.front().watts);
      if (state.size() > kKept) state.pop_front();
      waiting_.pop_front();
    }
  }
  /// Nothing while the state has not been seen for long enough.
  [[nodiscard]] const std::deque<double>* of(double utilisation) const {
    const auto& state = states_[state_of(utilisation)];
    return state.size() >= kFewest ? &state : nullptr;
  }
  /// The next of the remembered values, in a fixed stride that visits all of them.
  double draw(const std::deque<double>& state) {
    turn_ = (turn_ + 37) % state.size();
    return state[turn_];
  }

 private:
  static constexpr std::size_t kKept = 600;
  static constexpr std::size_t kFewest = 20;
  std::deque<Sample> waiting_;
  std::array<std::deque<double>, kStates> states_;
  std::size_t turn_ = 0;
};

void add_file(const std::filesystem::path& path, const DutyModel& duty, double half_width,
              double tdp_w, bool tracked, ValidationRows& rows) {
  constexpr double kConstantShare = 0.75;
  StateMemory memory;
  for (const Sample& sample : read_timeline(path)) {
    ValidationRow row;
    row.row = row_name(path, sample.line);
    row.group = path.stem().string() + (sample.utilisation < 0.01  ? " idle"
                                        : sample.utilisation > 0.8 ? " plateau"
                                                                   : " between");
    row.measured = sample.watts;
    row.unit = "W";
    row.baseline = kConstantShare * tdp_w;
    row.predicted = duty.watts(sample.utilisation);
    set_interval(row, half_width);
    memory.age(sample.time_s);
    if (tracked) {
      if (const auto* state = memory.of(sample.utilisation)) {
        row.predicted = memory.draw(*state);
        const std::vector<double> seen(state->begin(), state->end());
        const double margin = 0.02 * row.predicted;
        row.low = std::min(row.predicted, quantile(seen, 0.04) - margin);
        row.high = std::max(row.predicted, quantile(seen, 0.96) + margin);
      } else {
        row.excluded = "state of the GPU not seen before";
      }
      memory.note(sample);
    }
    rows.push_back(std::move(row));
  }
}

}  // namespace

ValidationRows validate_power_timeline(const ValidationRequest& request, const DataLocator& data,
                                       const ProgressCallback&) {
  const auto profile = serving_profile("power", data);
  const auto device = kernels::find_device(request.device, data);
  const auto* own = profile.find("duty_power", device.architecture);
  const auto& model = own != nullptr ? *own : model_of(profile, "duty_power");
  if (!device.tdp_w.value) {
    throw InputError({request.device, 0, "tdp_w", "a known TDP", "blank"});
  }
  const double tdp_w = *device.tdp_w.value;
  const DutyModel duty{parameter(model, "idle_share") * tdp_w,
                       parameter(model, "plateau_share") * tdp_w, parameter(model, "gain")};
  ValidationRows rows;
  for (const auto& path : request.paths) {
    add_file(path, duty, parameter(model, "half_width"), tdp_w, request.quantity != "data-sheet",
             rows);
  }
  return rows;
}

}  // namespace rackwright::results
