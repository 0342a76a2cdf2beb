#pragma once

#include "results/validation/served_prediction.hpp"

namespace rackwright::results {

/// What a table's rows are predicted with.
using PredictServed = ServedPrediction (*)(const ServedRow&, const profiler::EngineModel&);

/// One engine to be fitted.
struct EngineFit {
  std::string variant;  ///< "vllm"
  std::vector<const ServedRow*> rows;
  PredictServed predict = nullptr;
  std::vector<std::string> parameters;  ///< that are searched; the rest keep their start
  std::map<std::string, double> fixed;  ///< instead of the start
  double ttft_weight = 0.5;             ///< of the TTFT against the TPOT
  /// Which rows are left out together: by model where there are three or more, else by model and
  /// number of GPUs.
  std::string tables;
  std::string software;
};

/// Fits the parameters to the logarithm of TPOT and TTFT (soft L1, scale 0.1), then once more for
/// every group left out; the 90 % half-widths are those of the left-out rows.
[[nodiscard]] kernels::CalibratedModel fit_engine(const EngineFit& task);

/// Power of GPUs that serve at a held batch (`served_power` of power.json), by model left out.
[[nodiscard]] kernels::CalibratedModel fit_served_power(const std::vector<const ServedRow*>& rows,
                                                        const profiler::EngineModel& engine,
                                                        const std::string& tables);

}  // namespace rackwright::results
