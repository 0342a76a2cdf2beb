#include <algorithm>
#include <cmath>
#include <limits>

#include <fmt/format.h>

#include "kernels/analytical/roofline.hpp"
#include "results/validation/served_prediction.hpp"

namespace rackwright::results {

namespace {

using profiler::EngineModel;

ValidationRow new_row(const ServedRow& served, const char* what, std::optional<double> measured,
                      const char* unit) {
  ValidationRow row;
  row.row = served.name + " " + what;
  row.group = served.group + " " + what;
  row.measured = measured.value_or(0);
  row.unit = unit;
  row.excluded = served.excluded;
  if (row.excluded.empty() && !measured) row.excluded = "blank";
  row.extrapolated = served.costs.extrapolated;
  return row;
}

/// Bytes and FLOP at 80 % of their rates: the rule of thumb.
constexpr double kThumb = 0.8;

double thumb_step_s(const profiler::StepCost& cost, const kernels::DeviceInfo& device,
                    workloads::DataType type) {
  const auto memory = device.memory_bytes_per_s.value;
  const auto compute = device.compute_flops(type);
  if (!memory || !compute) return std::numeric_limits<double>::quiet_NaN();
  return std::max(cost.memory_bytes / *memory, cost.flops / *compute) / kThumb;
}

double half_width(double engine, const profiler::ServingCosts& costs) {
  return costs.extrapolated ? std::hypot(engine, costs.relative_error) : engine;
}

class Predictor {
 public:
  Predictor(const ValidationRequest& request, const DataLocator& data)
      : catalog_(data),
        engines_(serving_profile("engines", data)),
        power_(serving_profile("power", data)),
        quantity_(request.quantity) {}

  ServedCatalog& catalog() { return catalog_; }

  void add(const ServedRow& served, const ServedPrediction& predicted, const EngineModel& engine,
           const char* first, const char* each, ValidationRows& rows) {
    const bool both = quantity_ == "time";
    if (both || quantity_ == each) {
      ValidationRow row = new_row(served, each, served.tpot_s, "s");
      if (served.priced) {
        row.predicted = predicted.tpot_s;
        row.baseline = thumb(served, served.costs.decode[0]);
        set_interval(row, half_width(served.point.model.experts ? engine.tpot_half_width_experts
                                                                : engine.tpot_half_width,
                                     served.costs));
      }
      rows.push_back(std::move(row));
    }
    if (both || quantity_ == first) {
      ValidationRow row = new_row(served, first, served.ttft_s, "s");
      if (served.priced) {
        row.predicted = predicted.ttft_s;
        row.baseline = thumb(served, served.costs.prefill);
        row.low = row.predicted / (1 + engine.ttft_half_width);
        row.high = row.predicted * (1 + engine.ttft_half_width);
      }
      rows.push_back(std::move(row));
    }
  }
  void add_power(const ServedRow& served, ValidationRows& rows) {
    const bool energy = quantity_ == "energy";
    ValidationRow row =
        new_row(served, energy ? "energy" : "power",
                energy ? served.joules_per_token : served.watts, energy ? "J/token" : "W/GPU");
    if (served.priced) {
      const auto& model = model_of(power_, "served_power");
      const ServedPrediction predicted =
          predict_held_batch(served, engine_of(engines_, served.engine), model);
      const double gpus = served.point.plan.gpus();
      const double thumb_w = 0.75 * served.tdp_w;
      row.predicted =
          energy ? predicted.watts * gpus * predicted.tpot_s / served.batch : predicted.watts;
      row.baseline = energy ? thumb_w * gpus * predicted.tpot_s / served.batch : thumb_w;
      set_interval(row, half_width(kernels::parameter(
                                       model, energy ? "energy_half_width" : "power_half_width"),
                                   served.costs));
      if (!energy) row.high = std::min(row.high, served.tdp_w);
    }
    rows.push_back(std::move(row));
  }
  [[nodiscard]] EngineModel engine(const ServedRow& served) const {
    return engine_of(engines_, served.engine);
  }

 private:
  double thumb(const ServedRow& served, const profiler::StepCost& cost) {
    const auto type = served.point.plan.weights;
    return thumb_step_s(cost, catalog_.backend(served.device_id, type).device_info(), type);
  }

  ServedCatalog catalog_;
  kernels::DeviceProfile engines_;
  kernels::DeviceProfile power_;
  std::string quantity_;
};

}  // namespace

ValidationRows validate_served_models(const ValidationRequest& request, const DataLocator& data,
                                      const ProgressCallback&) {
  Predictor predictor(request, data);
  ValidationRows rows;
  for (const auto& path : request.paths) {
    for (const ServedRow& row : read_aicfg_served(path, predictor.catalog())) {
      const auto engine = predictor.engine(row);
      predictor.add(row, predict_served(row, engine), engine, "ttft", "tpot", rows);
    }
  }
  return rows;
}

ValidationRows validate_splitwise(const ValidationRequest& request, const DataLocator& data,
                                  const ProgressCallback&) {
  Predictor predictor(request, data);
  ValidationRows rows;
  for (const auto& path : request.paths) {
    for (const ServedRow& row : read_splitwise(path, predictor.catalog())) {
      const auto engine = predictor.engine(row);
      predictor.add(row, predict_apart(row, engine), engine, "prefill", "decode", rows);
    }
  }
  return rows;
}

ValidationRows validate_ml_energy(const ValidationRequest& request, const DataLocator& data,
                                  const ProgressCallback&) {
  Predictor predictor(request, data);
  ValidationRows rows;
  for (const auto& path : request.paths) {
    for (const ServedRow& row : read_ml_energy(path, predictor.catalog())) {
      predictor.add_power(row, rows);
    }
  }
  return rows;
}

}  // namespace rackwright::results
