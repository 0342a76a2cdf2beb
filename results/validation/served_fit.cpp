#include "results/validation/served_fit.hpp"

#include <algorithm>
#include <cmath>
#include <set>

#include <fmt/format.h>

#include "common/statistics.hpp"
#include "kernels/calibration/nelder_mead.hpp"

namespace rackwright::results {

namespace {

using kernels::CalibratedModel;
using kernels::FitParameter;

/// Start and bounds of every parameter of an engine; searched in the logarithm.
const std::vector<FitParameter>& engine_parameters() {
  static const std::vector<FitParameter> all = {
      {"decode_factor", 1, 0.4, 2.5},
      // Narrow: one model with an untuned kernel must not set the time of all others.
      {"expert_factor", 1, 0.8, 1.3},
      {"per_step_s", 1e-3, 1e-5, 2e-2},
      {"per_sequence_s", 2e-5, 1e-7, 1e-3},
      {"launch_per_layer_s", 4e-4, 1e-5, 2e-3},
      {"prefill_launch_per_layer_s", 5e-4, 1e-5, 3e-3},
      {"launch_exponent", 4, 1, 8},
      {"prefill_factor", 1, 0.4, 3},
      {"prefill_growth", 0.2, 1e-3, 2},
      {"first_token_prompts", 1, 0.05, 20},
      {"first_token_root_prompts", 0.5, 0.01, 5},
      {"first_token_wave", 0.01, 1e-4, 1},
  };
  return all;
}

/// Values of the parameters that are neither searched nor fixed by the task.
double neutral(const std::string& name) {
  if (name == "decode_factor" || name == "expert_factor" || name == "prefill_factor" ||
      name == "first_token_prompts") {
    return 1;
  }
  return name == "launch_exponent" ? 4 : 0;
}

double soft_l1(double residual) {
  constexpr double kScale = 0.1;
  const double x = residual / kScale;
  return 2 * kScale * (std::sqrt(1 + x * x) - 1);
}

double log_error(double predicted, double measured) {
  return std::log(std::max(1e-9, predicted) / measured);
}

struct Errors {
  std::vector<double> tpot, ttft;
  std::vector<double> dense, experts;  ///< of TPOT, by kind of model
  void add(const Errors& other) {
    const auto append = [](std::vector<double>& to, const std::vector<double>& from) {
      to.insert(to.end(), from.begin(), from.end());
    };
    append(tpot, other.tpot);
    append(ttft, other.ttft);
    append(dense, other.dense);
    append(experts, other.experts);
  }
};

void collect(const ServedRow& row, const ServedPrediction& predicted, Errors& errors) {
  const auto relative = [](double p, double m) { return std::abs(p - m) / m; };
  if (row.tpot_s && *row.tpot_s > 0) {
    errors.tpot.push_back(relative(predicted.tpot_s, *row.tpot_s));
    (row.point.model.experts ? errors.experts : errors.dense).push_back(errors.tpot.back());
  }
  if (row.ttft_s && *row.ttft_s > 0) errors.ttft.push_back(relative(predicted.ttft_s, *row.ttft_s));
}

class EngineFitter {
 public:
  explicit EngineFitter(const EngineFit& task) : task_(task) {
    for (const FitParameter& parameter : engine_parameters()) {
      model_.parameters[parameter.name] = neutral(parameter.name);
      if (std::find(task.parameters.begin(), task.parameters.end(), parameter.name) !=
          task.parameters.end()) {
        searched_.push_back(parameter);
      }
    }
    for (const auto& [name, value] : task.fixed) model_.parameters[name] = value;
    for (const char* key : {"tpot_half_width", "tpot_half_width_experts", "ttft_half_width"}) {
      model_.parameters[key] = 0;
    }
  }

  CalibratedModel fit(const std::vector<const ServedRow*>& rows) {
    const auto cost = [&](const std::vector<double>& values) {
      const auto engine = profiler::EngineModel::from(with(values));
      double sum = 0;
      for (const ServedRow* row : rows) {
        const ServedPrediction predicted = task_.predict(*row, engine);
        if (row->tpot_s && *row->tpot_s > 0) {
          sum += soft_l1(log_error(predicted.tpot_s, *row->tpot_s));
        }
        if (row->ttft_s && *row->ttft_s > 0 && task_.ttft_weight > 0) {
          sum += task_.ttft_weight * soft_l1(log_error(predicted.ttft_s, *row->ttft_s));
        }
      }
      return sum / static_cast<double>(std::max<std::size_t>(1, rows.size()));
    };
    constexpr int kEvaluations = 1200;
    return with(kernels::minimise(searched_, cost, kEvaluations));
  }

  Errors errors(const std::vector<const ServedRow*>& rows, const CalibratedModel& model) const {
    Errors errors;
    const auto engine = profiler::EngineModel::from(model);
    for (const ServedRow* row : rows) collect(*row, task_.predict(*row, engine), errors);
    return errors;
  }

 private:
  CalibratedModel with(const std::vector<double>& values) const {
    CalibratedModel model = model_;
    for (std::size_t i = 0; i < searched_.size(); ++i) {
      model.parameters[searched_[i].name] = values[i];
    }
    return model;
  }

  const EngineFit& task_;
  std::vector<FitParameter> searched_;
  CalibratedModel model_;
};

/// What is left out together.
std::string group_of(const ServedRow& row, bool by_model) {
  return by_model ? row.model_id
                  : fmt::format("{} {} x{}", row.model_id, row.device_id, row.point.plan.gpus());
}

}  // namespace

CalibratedModel fit_engine(const EngineFit& task) {
  EngineFitter fitter(task);
  CalibratedModel result = fitter.fit(task.rows);
  std::set<std::string> models;
  for (const ServedRow* row : task.rows) models.insert(row->model_id);
  const bool by_model = models.size() > 2;
  std::set<std::string> groups;
  for (const ServedRow* row : task.rows) groups.insert(group_of(*row, by_model));
  Errors held_out;
  for (const std::string& group : groups) {
    std::vector<const ServedRow*> kept;
    std::vector<const ServedRow*> left;
    for (const ServedRow* row : task.rows) {
      (group_of(*row, by_model) == group ? left : kept).push_back(row);
    }
    const Errors errors = fitter.errors(left, kept.empty() ? result : fitter.fit(kept));
    held_out.add(errors);
  }
  result.operation = "engine";
  result.variant = task.variant;
  result.provenance = {task.tables, task.software, "measured"};
  result.quality.rows = task.rows.size();
  result.quality.fit_mean = mean(fitter.errors(task.rows, result).tpot);
  result.quality.held_out_mean = mean(held_out.tpot);
  result.quality.held_out_median = quantile(held_out.tpot, 0.5);
  result.quality.held_out_p90 = quantile(held_out.tpot, 0.9);
  result.quality.held_out_group =
      by_model ? "a model; error of TPOT" : "a model on a number of GPUs; error of TPOT";
  result.parameters["tpot_half_width"] =
      quantile(held_out.dense.empty() ? held_out.tpot : held_out.dense, 0.9);
  result.parameters["tpot_half_width_experts"] =
      quantile(held_out.experts.empty() ? held_out.tpot : held_out.experts, 0.9);
  result.parameters["ttft_half_width"] = quantile(held_out.ttft, 0.9);
  result.parameters["ttft_held_out_median"] = quantile(held_out.ttft, 0.5);
  return result;
}

CalibratedModel fit_served_power(const std::vector<const ServedRow*>& rows,
                                 const profiler::EngineModel& engine, const std::string& tables) {
  const std::vector<FitParameter> searched = {{"base", 0.4, 0.01, 0.9},
                                              {"prefill", 0.2, 1e-3, 1},
                                              {"flop", 0.6, 0.01, 2},
                                              {"flop_exponent", 0.3, 0.05, 1.5},
                                              {"per_doubling_of_gpus", 0.04, 1e-4, 0.2}};
  const auto with = [&](const std::vector<double>& values) {
    CalibratedModel model;
    for (std::size_t i = 0; i < searched.size(); ++i) {
      model.parameters[searched[i].name] = values[i];
    }
    model.parameters["cap_share"] = 0.985;
    return model;
  };
  const auto fit = [&](const std::vector<const ServedRow*>& some) {
    return with(kernels::minimise(
        searched,
        [&](const std::vector<double>& values) {
          const CalibratedModel model = with(values);
          double sum = 0;
          for (const ServedRow* row : some) {
            sum += soft_l1(log_error(predict_held_batch(*row, engine, model).watts, *row->watts));
          }
          return sum;
        },
        3000));
  };
  std::vector<double> power;
  std::vector<double> energy;
  const auto score = [&](const ServedRow& row, const CalibratedModel& model) {
    const ServedPrediction predicted = predict_held_batch(row, engine, model);
    power.push_back(std::abs(predicted.watts / *row.watts - 1));
    const double joules = predicted.watts * row.point.plan.gpus() * predicted.tpot_s / row.batch;
    energy.push_back(std::abs(joules / row.joules_per_token.value_or(joules) - 1));
  };
  std::set<std::string> models;
  for (const ServedRow* row : rows) models.insert(row->model_id);
  CalibratedModel result = fit(rows);
  for (const ServedRow* row : rows) score(*row, result);
  result.quality.fit_mean = mean(power);
  power.clear();
  energy.clear();
  for (const std::string& left_out : models) {
    std::vector<const ServedRow*> kept;
    for (const ServedRow* row : rows) {
      if (row->model_id != left_out) kept.push_back(row);
    }
    const CalibratedModel model = kept.empty() ? result : fit(kept);
    for (const ServedRow* row : rows) {
      if (row->model_id == left_out) score(*row, model);
    }
  }
  result.operation = "served_power";
  result.provenance = {tables, "vLLM at steady load, energy counter", "measured"};
  result.quality.rows = rows.size();
  result.quality.held_out_mean = mean(power);
  result.quality.held_out_median = quantile(power, 0.5);
  result.quality.held_out_p90 = quantile(power, 0.9);
  result.quality.held_out_group = "a model";
  result.parameters["power_half_width"] = quantile(power, 0.9);
  result.parameters["energy_half_width"] = quantile(energy, 0.9);
  return result;
}

}  // namespace rackwright::results
