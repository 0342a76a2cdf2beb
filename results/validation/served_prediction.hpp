#pragma once

#include "results/validation/served_tables.hpp"

namespace rackwright::results {

struct ServedPrediction {
  double tpot_s = 0;
  double ttft_s = 0;
  double watts = 0;  ///< of one GPU; 0 where not asked for
};

/// The engine of that name; "vllm-2023 b200" without an entry is "vllm-2023", any other "default".
[[nodiscard]] profiler::EngineModel engine_of(const kernels::DeviceProfile& engines,
                                              const std::string& name);

/// Closed loop of `aicfg-e2e`. Disaggregated: decode workers at their batch, undisturbed; prefill
/// workers as a queue of their own. Zeros for a row without costs.
[[nodiscard]] ServedPrediction predict_served(const ServedRow& row,
                                              const profiler::EngineModel& engine);
/// `splitwise`: one prefill of the whole batch, then decode steps of the whole batch.
[[nodiscard]] ServedPrediction predict_apart(const ServedRow& row,
                                             const profiler::EngineModel& engine);
/// `ml-energy`: the number of running sequences is held. Power of one GPU as a share of TDP:
/// c0 + c1 u + c2 F^x - c3 log2(GPUs), u the share of the time spent in prefill, F the FLOP per
/// second over the peak; at most `cap_share`.
[[nodiscard]] ServedPrediction predict_held_batch(const ServedRow& row,
                                                  const profiler::EngineModel& engine,
                                                  const kernels::CalibratedModel& power);

/// `vllm-replay` with engine overheads of `engines` (variant "vllm-replay").
[[nodiscard]] ValidationRows replay_recorded(const ValidationRequest& request,
                                             const kernels::DeviceProfile& engines,
                                             const DataLocator& data,
                                             const ProgressCallback& progress);

}  // namespace rackwright::results
