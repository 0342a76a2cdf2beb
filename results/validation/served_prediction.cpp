#include "results/validation/served_prediction.hpp"

#include <algorithm>
#include <cmath>

#include "kernels/analytical/roofline.hpp"

namespace rackwright::results {

profiler::EngineModel engine_of(const kernels::DeviceProfile& engines, const std::string& name) {
  const std::string family = name.substr(0, name.find(' '));
  for (const std::string& variant : {name, family}) {
    if (const auto* model = engines.find("engine", variant)) {
      return profiler::EngineModel::from(*model);
    }
  }
  return profiler::EngineModel::from(model_of(engines, "engine", "default"));
}

ServedPrediction predict_served(const ServedRow& row, const profiler::EngineModel& engine) {
  if (!row.priced) return {};
  if (!row.disaggregated) {
    const auto estimate = profiler::estimate_serving(row.point, row.costs, engine);
    return {estimate.tpot_s, estimate.ttft_s, 0};
  }
  ServedPrediction result;
  const double batch = row.point.concurrency;
  result.tpot_s =
      engine.decode_step_s(row.costs.decode_at(batch), batch / row.point.plan.dp, row.costs.layers);
  const double prompt =
      engine.prefill_s(row.costs.prefill, row.costs.prefill_tokens, row.costs.layers);
  // Of the prompts at a worker one waits for half of the others on average; then the first token.
  result.ttft_s = prompt * (1 + (row.prefill_batch - 1) / 2) + result.tpot_s;
  return result;
}

ServedPrediction predict_apart(const ServedRow& row, const profiler::EngineModel& engine) {
  if (!row.priced) return {};
  const double batch = row.point.concurrency;
  return {engine.decode_step_s(row.costs.decode[0], batch, row.costs.layers),
          engine.prefill_s(row.costs.prefill, row.costs.prefill_tokens, row.costs.layers), 0};
}

ServedPrediction predict_held_batch(const ServedRow& row, const profiler::EngineModel& engine,
                                    const kernels::CalibratedModel& power) {
  using kernels::parameter;
  if (!row.priced) return {};
  ServedPrediction result;
  const profiler::StepCost& step = row.costs.decode[0];
  const double prefill =
      engine.prefill_s(row.costs.prefill, row.costs.prefill_tokens, row.costs.layers) /
      row.point.plan.dp;
  const double prefills_per_step = row.batch / row.point.output_tokens;
  result.tpot_s =
      engine.decode_step_s(step, row.batch, row.costs.layers) + prefills_per_step * prefill;
  result.ttft_s = prefill;
  const double prefill_share = std::min(1.0, prefills_per_step * prefill / result.tpot_s);
  // A step's FLOP are of one attention rank already; prompts fall on the ranks in turn.
  const double flops = step.flops + prefills_per_step * row.costs.prefill.flops / row.point.plan.dp;
  const double flop_share = std::min(1.0, flops / result.tpot_s / row.peak_flops);
  const double share =
      parameter(power, "base") + parameter(power, "prefill") * prefill_share +
      parameter(power, "flop") * std::pow(flop_share, parameter(power, "flop_exponent")) -
      parameter(power, "per_doubling_of_gpus") * std::log2(row.point.plan.gpus());
  result.watts = row.tdp_w * std::clamp(share, row.idle_w / std::max(1.0, row.tdp_w),
                                        parameter(power, "cap_share"));
  return result;
}

}  // namespace rackwright::results
