#include "results/validation/served_calibration.hpp"

#include <algorithm>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "common/input_error.hpp"
#include "results/validation/served_fit.hpp"

namespace rackwright::results {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kRowsOfParameter = 3;

const std::vector<std::string> kGraphEngine = {"decode_factor",
                                               "expert_factor",
                                               "per_step_s",
                                               "per_sequence_s",
                                               "prefill_factor",
                                               "first_token_prompts",
                                               "first_token_root_prompts",
                                               "first_token_wave"};
const std::vector<std::string> kHost = {"per_step_s", "per_sequence_s", "first_token_prompts",
                                        "first_token_wave"};
const std::vector<std::string> kEagerEngine = {"per_sequence_s", "launch_per_layer_s",
                                               "prefill_launch_per_layer_s", "prefill_factor",
                                               "prefill_growth"};
const std::vector<std::string> kOnlineEngine = {"decode_factor", "expert_factor", "per_step_s",
                                                "per_sequence_s"};

struct ServingTable {
  std::string_view format;
  std::vector<ServedRow> (*read)(const fs::path&, ServedCatalog&);
};
constexpr ServingTable kTables[] = {
    {"aicfg-e2e", read_aicfg_served}, {"splitwise", read_splitwise}, {"ml-energy", read_ml_energy}};

/// Rows of `engine` ("": of all) that can be predicted and are to be fitted.
std::vector<const ServedRow*> rows_of(const std::vector<ServedRow>& rows, const std::string& engine,
                                      const std::string& device) {
  std::vector<const ServedRow*> result;
  for (const ServedRow& row : rows) {
    if (row.priced && row.excluded.empty() && (engine.empty() || row.engine == engine) &&
        (device.empty() || row.device_id == device) && row.costs.cached_sequences >= 1) {
      result.push_back(&row);
    }
  }
  return result;
}

/// An engine measured on two or three models says little of what a model left out would do; it is
/// not taken to be worse than all engines together with a model left out.
void limit_by(const kernels::CalibratedModel& pooled, kernels::CalibratedModel& engine) {
  for (const char* key : {"tpot_half_width", "tpot_half_width_experts", "ttft_half_width"}) {
    engine.parameters.at(key) = std::min(engine.parameters.at(key), pooled.parameters.at(key));
  }
}

/// At a held batch; the power of the GPUs does not matter to the time.
ServedPrediction predict_online(const ServedRow& row, const profiler::EngineModel& engine) {
  static const kernels::CalibratedModel no_power = [] {
    kernels::CalibratedModel model;
    for (const char* key : {"base", "prefill", "flop", "per_doubling_of_gpus"}) {
      model.parameters[key] = 0;
    }
    model.parameters["flop_exponent"] = model.parameters["cap_share"] = 1;
    return model;
  }();
  return predict_held_batch(row, engine, no_power);
}

class ServingFit {
 public:
  ServingFit(std::vector<ServedRow> rows, std::string file, std::string device, std::string tables)
      : rows_(std::move(rows)),
        file_(std::move(file)),
        device_(std::move(device)),
        tables_(std::move(tables)) {
    for (const ServedRow* row : rows_of(rows_, "", device_)) engines_.insert(row->engine);
  }

  kernels::DeviceProfile graph_engines() {
    const EngineFit task = of(predict_served, kGraphEngine);
    add_pooled(task, "default");
    for (const std::string& engine : engines_) {
      if (add_engine(task, engine)) limit_by(profile_.models.front(), profile_.models.back());
    }
    // Kernels as the backend says and host time alone: what `review` replays with. Its values stand
    // as the "host" model in kernels/devices/profiles/default.json.
    add_pooled(of(predict_served, kHost), "host");
    limit_by(profile_.models.front(), profile_.models.back());
    return std::move(profile_);
  }

  kernels::DeviceProfile eager_engines() {
    EngineFit task = of(predict_apart, kEagerEngine);
    task.ttft_weight = 1;
    add_pooled(task, "vllm-2023");
    for (const std::string& engine : engines_) add_engine(task, engine);
    return std::move(profile_);
  }

  kernels::DeviceProfile online_engine() {
    EngineFit task = of(predict_online, kOnlineEngine);
    task.ttft_weight = 0;
    add_pooled(task, "vllm-online");
    profile_.models.push_back(fit_served_power(
        rows_of(rows_, "", device_), profiler::EngineModel::from(profile_.models.back()), tables_));
    return std::move(profile_);
  }

 private:
  [[nodiscard]] EngineFit of(PredictServed predict, std::vector<std::string> parameters) const {
    EngineFit task;
    task.predict = predict;
    task.parameters = std::move(parameters);
    task.tables = tables_;
    return task;
  }

  void add_pooled(EngineFit task, const std::string& variant) {
    task.variant = variant;
    task.rows = rows_of(rows_, "", device_);
    task.software = fmt::format("{}", fmt::join(engines_, ", "));
    const std::size_t needed = kRowsOfParameter * task.parameters.size();
    if (task.rows.size() < needed) {
      throw InputError(InputProblem{file_, 1, "rows",
                                    fmt::format("at least {} rows that can be fitted", needed),
                                    fmt::format("{} of {}{}", task.rows.size(), rows_.size(),
                                                device_.empty() ? "" : " on " + device_)});
    }
    profile_.models.push_back(fit_engine(task));
  }

  bool add_engine(EngineFit task, const std::string& engine) {
    task.variant = task.software = engine;
    task.rows = rows_of(rows_, engine, device_);
    if (task.rows.size() < kRowsOfParameter * task.parameters.size()) return false;
    profile_.models.push_back(fit_engine(task));
    return true;
  }

  std::vector<ServedRow> rows_;
  std::string file_, device_, tables_;
  std::set<std::string> engines_;
  kernels::DeviceProfile profile_{"engines", {}};
};

}  // namespace

const std::vector<std::string>& serving_calibration_formats() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> result;
    for (const ServingTable& table : kTables) result.emplace_back(table.format);
    return result;
  }();
  return names;
}

kernels::DeviceProfile calibrate_serving(std::string_view format,
                                         const std::vector<fs::path>& files,
                                         const std::string& device, const std::string& tables,
                                         const DataLocator& data) {
  const auto* table = std::find_if(std::begin(kTables), std::end(kTables),
                                   [&](const ServingTable& t) { return t.format == format; });
  ServedCatalog catalog(data);
  std::vector<ServedRow> rows;
  for (const fs::path& file : files) {
    std::vector<ServedRow> more = table->read(file, catalog);
    std::move(more.begin(), more.end(), std::back_inserter(rows));
  }
  ServingFit fit(std::move(rows), files.front().string(), device, tables);
  if (format == "aicfg-e2e") return fit.graph_engines();
  return format == "splitwise" ? fit.eager_engines() : fit.online_engine();
}

}  // namespace rackwright::results
