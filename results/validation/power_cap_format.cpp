#include <algorithm>
#include <map>
#include <tuple>

#include "common/csv_reader.hpp"
#include "kernels/analytical/cap_response.hpp"
#include "kernels/analytical/roofline.hpp"
#include "results/validation/serving_formats.hpp"

namespace rackwright::results {

namespace {

struct CapRun {
  std::size_t line = 0;
  std::string job;  ///< data set, network, batch, optimizer
  std::string network;
  double limit_w = 0;
  double epoch_s = 0;
  double watts = 0;
};

std::vector<CapRun> read_cap_runs(const std::filesystem::path& path) {
  CsvReader csv(path, {.required = {"dataset", "network", "batch_size", "optimizer", "power_limit",
                                    "time_per_epoch", "average_power"}});
  std::vector<CapRun> runs;
  while (csv.next()) {
    CapRun run;
    run.line = csv.line();
    run.network = csv.cell("dataset") + " " + csv.cell("network");
    run.job = run.network + " " + csv.cell("batch_size") + " " + csv.cell("optimizer");
    run.limit_w = csv.number("power_limit", 1);
    run.epoch_s = csv.number("time_per_epoch", 0);
    run.watts = csv.number("average_power", 0);
    runs.push_back(std::move(run));
  }
  return runs;
}

/// What is known of a job beforehand: its run at the highest limit (repeats averaged).
struct Uncapped {
  double limit_w = 0;
  double epoch_s = 0;
  double watts = 0;
  int count = 0;
  void add(const CapRun& run) {
    if (run.limit_w < limit_w) return;
    if (run.limit_w > limit_w) *this = Uncapped{run.limit_w, 0, 0, 0};
    epoch_s += run.epoch_s;
    watts += run.watts;
    ++count;
  }
  [[nodiscard]] double mean_watts() const { return std::min(limit_w, watts / count); }
  [[nodiscard]] double mean_epoch_s() const { return epoch_s / count; }
};

void add_file(const std::filesystem::path& path, const kernels::CalibratedModel& model, bool power,
              ValidationRows& rows) {
  const auto response = kernels::CapResponse::from(model);
  const std::vector<CapRun> runs = read_cap_runs(path);
  std::map<std::string, Uncapped> jobs;
  for (const CapRun& run : runs) jobs[run.job].add(run);
  double tdp_w = 0;
  double lightest_w = 1e300;
  for (const auto& [name, job] : jobs) {
    tdp_w = std::max(tdp_w, job.limit_w);
    lightest_w = std::min(lightest_w, job.mean_watts());
  }
  const double idle_w = kernels::parameter(model, "idle_of_lightest") * lightest_w;
  constexpr double kConstantShare = 0.75;
  for (const CapRun& run : runs) {
    const Uncapped& job = jobs.at(run.job);
    ValidationRow row;
    row.row = row_name(path, run.line);
    row.group = run.network;
    if (power) {
      row.measured = run.watts;
      row.predicted = kernels::CapResponse::watts(
          kernels::parameter(model, "held_share") * run.limit_w, job.mean_watts());
      row.unit = "W";
      row.baseline = kConstantShare * tdp_w;
      set_interval(row, kernels::parameter(model, "power_half_width"));
      row.high = std::min(row.high, std::max(run.limit_w, row.predicted));
    } else {
      row.measured = 100 * job.mean_epoch_s() / std::max(1e-12, run.epoch_s);
      row.predicted = 100 * response.speed(run.limit_w, job.mean_watts(), idle_w);
      row.unit = "% of uncapped speed";
      row.baseline = 100;
      // The deeper the cap, the more the card's own lowest states decide.
      const double depth = 1 - row.predicted / 100;
      const double half = 100 * (kernels::parameter(model, "speed_half_width") +
                                 kernels::parameter(model, "speed_half_width_deep") * depth);
      row.low = std::max(0.0, row.predicted - half);
      row.high = row.predicted + half;
    }
    if (run.limit_w == job.limit_w) row.excluded = "highest limit of its job, which is the input";
    rows.push_back(std::move(row));
  }
}

}  // namespace

ValidationRows validate_power_cap(const ValidationRequest& request, const DataLocator& data,
                                  const ProgressCallback&) {
  const auto profile = serving_profile("power", data);
  const auto& model = model_of(profile, "cap_response");
  ValidationRows rows;
  for (const auto& path : request.paths) {
    add_file(path, model, request.quantity == "power", rows);
  }
  return rows;
}

}  // namespace rackwright::results
