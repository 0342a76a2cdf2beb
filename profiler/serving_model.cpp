#include "profiler/serving_model.hpp"

#include <algorithm>
#include <cmath>

#include "kernels/analytical/roofline.hpp"
#include "workloads/operator_graph.hpp"

namespace rackwright::profiler {

namespace {

using kernels::parameter;
using workloads::OperatorClass;

double clipped_pairs(double tokens, double clip) {
  return tokens <= clip ? tokens * (tokens + 1) / 2
                        : clip * (clip + 1) / 2 + clip * (tokens - clip);
}

workloads::StepShape decode_shape(double batch, double context, double clip) {
  workloads::StepShape shape;
  shape.decode_sequences = static_cast<std::uint32_t>(std::lround(std::max(1.0, batch)));
  shape.decode_context = shape.decode_sequences * context;
  shape.decode_context_clipped = shape.decode_sequences * std::min(context, clip);
  shape.decode_longest = static_cast<std::uint32_t>(context);
  return shape;
}

workloads::StepShape prefill_shape(double prompts, double tokens, double clip) {
  workloads::StepShape shape;
  shape.prefill_sequences = static_cast<std::uint32_t>(std::lround(std::max(1.0, prompts)));
  shape.prefill_tokens = static_cast<std::uint32_t>(std::lround(std::max(1.0, prompts * tokens)));
  shape.prefill_pairs = prompts * tokens * (tokens + 1) / 2;
  shape.prefill_pairs_clipped = prompts * clipped_pairs(tokens, clip);
  shape.prefill_context = prompts * tokens;
  shape.prefill_finished = shape.prefill_sequences;
  return shape;
}

/// Prices shapes of one replica and sums up what is not host time.
class ShapePricer {
 public:
  ShapePricer(const ServingPoint& point, const kernels::AnalyticalBackend& backend)
      : lowering_(point.model, point.plan), backend_(backend), rank_(point.rank) {}

  StepCost price(const workloads::StepShape& shape) {
    lowering_.lower(shape, graph_);
    backend_.predict(graph_, rank_, timing_);
    StepCost cost;
    double error = 0;
    extrapolated_ = false;
    for (std::size_t i = 0; i < graph_.operators.size(); ++i) {
      const workloads::Operator& op = graph_.operators[i];
      if (op.op_class == OperatorClass::host) continue;
      const kernels::OperatorTiming& timing = timing_.operators[i];
      cost.seconds += timing.seconds;
      cost.joules += timing.joules;
      if (op.op_class == OperatorClass::moe) cost.expert_s += timing.seconds;
      const workloads::OperatorWork work = workloads::work_of(op);
      cost.flops += work.flops * op.repeat;
      cost.memory_bytes += work.memory_bytes * op.repeat;
      error += timing.seconds * timing.relative_error;
      if (timing.extrapolated && timing.seconds > 0.1 * timing_.seconds) extrapolated_ = true;
    }
    relative_error_ = cost.seconds > 0 ? error / cost.seconds : 0;
    return cost;
  }
  [[nodiscard]] double relative_error() const { return relative_error_; }
  [[nodiscard]] bool extrapolated() const { return extrapolated_; }
  [[nodiscard]] const workloads::ServingPlan& plan() const { return lowering_.plan(); }

 private:
  workloads::Lowering lowering_;
  const kernels::AnalyticalBackend& backend_;
  kernels::RankContext rank_;
  workloads::OperatorGraph graph_;
  kernels::StepTiming timing_;
  double relative_error_ = 0;
  bool extrapolated_ = false;
};

double joined(double a, double b, double exponent) {
  if (a <= 0) return b;
  if (b <= 0) return a;
  const double larger = std::max(a, b);
  return larger * std::pow(1 + std::pow(std::min(a, b) / larger, exponent), 1 / exponent);
}

}  // namespace

StepCost ServingCosts::decode_at(double at) const {
  std::size_t i = 0;  // batches descend
  while (i + 2 < kBatches && at < batch[i + 1]) ++i;
  const double high = batch[i];
  const double low = batch[i + 1];
  const double share = high > low ? std::clamp((at - low) / (high - low), 0.0, 1.0) : 1.0;
  const auto mix = [share](double a, double b) { return b + share * (a - b); };
  const StepCost& a = decode[i];
  const StepCost& b = decode[i + 1];
  return {mix(a.seconds, b.seconds), mix(a.expert_s, b.expert_s), mix(a.joules, b.joules),
          mix(a.flops, b.flops), mix(a.memory_bytes, b.memory_bytes)};
}

ServingCosts serving_costs(const ServingPoint& point, const kernels::AnalyticalBackend& backend) {
  ShapePricer pricer(point, backend);
  ServingCosts costs;
  const double clip = point.model.attention_clip() > 0 ? point.model.attention_clip() : 1e300;
  const double context = point.prompt_tokens + point.output_tokens / 2;
  const auto memory = workloads::memory_use(point.model, pricer.plan(), point.gpu_memory_bytes);
  costs.cached_sequences = std::max(0.0, memory.kv_tokens / std::max(1.0, context));
  const double largest = std::max(1.0, std::min<double>(point.concurrency, point.plan.max_batch));
  for (std::size_t i = 0; i < ServingCosts::kBatches; ++i) {
    costs.batch[i] = std::max(1.0, largest / static_cast<double>(1U << i));
    costs.decode[i] = pricer.price(decode_shape(costs.batch[i], context, clip));
    if (i == 0) {
      costs.relative_error = pricer.relative_error();
      costs.extrapolated = pricer.extrapolated();
    }
  }
  costs.prefill_tokens = point.prompts_together * point.prompt_tokens;
  if (point.prompt_tokens > 0) {
    costs.prefill = pricer.price(prefill_shape(point.prompts_together, point.prompt_tokens, clip));
  }
  costs.layers = point.model.layer_count();
  return costs;
}

EngineModel EngineModel::from(const kernels::CalibratedModel& model) {
  EngineModel engine;
  engine.decode_factor = parameter(model, "decode_factor");
  engine.expert_factor = parameter(model, "expert_factor");
  engine.per_step_s = parameter(model, "per_step_s");
  engine.per_sequence_s = parameter(model, "per_sequence_s");
  engine.launch_per_layer_s = parameter(model, "launch_per_layer_s");
  engine.prefill_launch_per_layer_s = parameter(model, "prefill_launch_per_layer_s");
  engine.launch_exponent = parameter(model, "launch_exponent");
  engine.prefill_factor = parameter(model, "prefill_factor");
  engine.prefill_growth = parameter(model, "prefill_growth");
  engine.first_token_prompts = parameter(model, "first_token_prompts");
  engine.first_token_root_prompts = parameter(model, "first_token_root_prompts");
  engine.first_token_wave = parameter(model, "first_token_wave");
  engine.tpot_half_width = parameter(model, "tpot_half_width");
  engine.tpot_half_width_experts = parameter(model, "tpot_half_width_experts");
  engine.ttft_half_width = parameter(model, "ttft_half_width");
  return engine;
}

double EngineModel::decode_step_s(const StepCost& cost, double batch, double layers) const {
  const double gpu = decode_factor * (cost.seconds - cost.expert_s) + expert_factor * cost.expert_s;
  return joined(gpu, launch_per_layer_s * layers, launch_exponent) + per_step_s +
         per_sequence_s * batch;
}

double EngineModel::prefill_s(const StepCost& cost, double tokens, double layers) const {
  constexpr double kGrowsFrom = 2048;
  const double experts = decode_factor > 0 ? expert_factor / decode_factor : 1;
  const double gpu = prefill_factor * (1 + prefill_growth * std::log2(1 + tokens / kGrowsFrom)) *
                     (cost.seconds - cost.expert_s + std::min(1.5, experts) * cost.expert_s);
  return joined(gpu, prefill_launch_per_layer_s * layers, launch_exponent);
}

ServingEstimate estimate_serving(const ServingPoint& point, const ServingCosts& costs,
                                 const EngineModel& engine) {
  constexpr int kRounds = 60;
  ServingEstimate result;
  const double slots =
      std::max(1.0, std::min<double>(costs.cached_sequences, point.plan.max_batch));
  const double running = std::max(1.0, std::min(point.concurrency, slots));
  const double steps = std::max(1.0, point.output_tokens - 1);
  const double prefill =
      point.prompt_tokens > 0
          ? engine.prefill_s(costs.prefill, costs.prefill_tokens, costs.layers) / point.plan.dp
          : 0;
  // One prompt runs on one attention rank; all ranks together take dp of them at a time.
  const double alone = prefill * point.plan.dp;
  double decoding = running;
  double step = 0;
  for (int round = 0; round < kRounds; ++round) {
    step = engine.decode_step_s(costs.decode_at(decoding), decoding, costs.layers);
    const double waits = engine.first_token_prompts +
                         engine.first_token_root_prompts * std::sqrt(running) +
                         engine.first_token_wave * running;
    result.ttft_s = std::max(alone, std::min(waits * alone, running * prefill)) + step;
    result.tpot_s = step + std::max(0.0, running * prefill - result.ttft_s) / steps;
    const double turn = result.ttft_s + steps * result.tpot_s;
    const double next = std::clamp(running * steps * result.tpot_s / turn, 1.0, running);
    decoding = (decoding + next) / 2;
  }
  const double turn = result.ttft_s + steps * result.tpot_s;
  result.running = decoding;
  result.decode_step_s = step;
  result.prefill_s = alone;
  result.queue_s = std::max(0.0, point.concurrency / running - 1) * turn;
  result.ttft_s += result.queue_s;
  result.requests_per_s = running / turn;
  result.output_tokens_per_s = result.requests_per_s * point.output_tokens;
  const StepCost cost = costs.decode_at(decoding);
  const double joules = costs.prefill.joules / point.plan.dp + steps * cost.joules / decoding;
  result.joules_per_output_token = joules * point.plan.gpus() / point.output_tokens;
  result.busy_share =
      std::min(1.0, (costs.prefill.seconds / point.plan.dp + steps * cost.seconds / decoding) *
                        result.requests_per_s);
  return result;
}

}  // namespace rackwright::profiler
