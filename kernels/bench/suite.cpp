#include "kernels/bench/suite.hpp"

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "workloads/operator_graph.hpp"

namespace rackwright::kernels {

using namespace workloads;

namespace {

struct ShapeText {
  std::string operator()(const GemmShape& shape) const {
    return fmt::format("{}/m:{:.0f}/n:{:.0f}/k:{:.0f}", to_string(shape.type), shape.m, shape.n,
                       shape.k);
  }
  std::string operator()(const AttentionShape& shape) const {
    std::string text = fmt::format("heads:{}/kv:{}/dim:{}/{}", shape.heads, shape.kv_heads,
                                   shape.head_dim, tokens(shape));
    if (shape.window > 0) text += fmt::format("/window:{}", shape.window);
    return text;
  }
  std::string operator()(const LatentAttentionShape& shape) const {
    return fmt::format("heads:{}/latent:{}/{}", shape.heads, shape.latent, tokens(shape));
  }
  std::string operator()(const ExpertShape& shape) const {
    return fmt::format("{}/rows:{:.0f}/experts:{:.0f}/hidden:{}/width:{}", to_string(shape.type),
                       shape.rank_tokens, shape.touched_experts, shape.hidden, shape.intermediate);
  }
  std::string operator()(const ElementwiseShape& shape) const {
    return fmt::format("bytes:{:.0f}", shape.bytes_read + shape.bytes_written);
  }
  std::string operator()(const CollectiveShape&) const { return ""; }
  std::string operator()(const HostShape&) const { return ""; }

 private:
  template <class Shape>
  static std::string tokens(const Shape& shape) {
    return fmt::format("batch:{:.0f}/q:{:.0f}/kv:{:.0f}", shape.sequences,
                       shape.query_tokens / shape.sequences, shape.kv_tokens / shape.sequences);
  }
};

bool is_kernel(const Operator& op) {
  return !std::holds_alternative<CollectiveShape>(op.shape) &&
         !std::holds_alternative<HostShape>(op.shape);
}

StepShape decode_step(const ModelConfig& model, const BenchSteps& sizes) {
  StepShape step;
  const int clip = model.attention_clip();
  step.decode_sequences = static_cast<std::uint32_t>(sizes.decode_sequences);
  step.decode_longest = static_cast<std::uint32_t>(sizes.context);
  step.decode_context = double{1} * sizes.decode_sequences * sizes.context;
  step.decode_context_clipped = double{1} * sizes.decode_sequences *
                                (clip > 0 ? std::min(clip, sizes.context) : sizes.context);
  return step;
}

StepShape prefill_step(const ModelConfig& model, const BenchSteps& sizes) {
  StepShape step;
  const double tokens = sizes.prefill_tokens;
  const double clip =
      model.attention_clip() > 0 ? std::min<double>(model.attention_clip(), tokens) : tokens;
  step.prefill_sequences = step.prefill_finished = 1;
  step.prefill_tokens = static_cast<std::uint32_t>(sizes.prefill_tokens);
  step.prefill_context = tokens;
  step.prefill_pairs = tokens * (tokens + 1) / 2;
  step.prefill_pairs_clipped = clip * (clip + 1) / 2 + (tokens - clip) * clip;
  return step;
}

/// Those of `cases` whose operator has one of `names`; all when there are none.
void append(std::vector<BenchCase>& to, std::vector<BenchCase> cases,
            std::initializer_list<std::string_view> names) {
  for (BenchCase& one : cases) {
    const bool wanted =
        names.size() == 0 || std::find(names.begin(), names.end(), one.op.name) != names.end();
    if (wanted) to.push_back(std::move(one));
  }
}

}  // namespace

std::vector<BenchCase> step_cases(const std::string& model_name, const ModelConfig& model,
                                  const ServingPlan& plan, const BenchSteps& steps) {
  const Lowering lowering(model, plan);
  std::vector<BenchCase> cases;
  std::set<std::string> seen;
  const auto add = [&](const char* phase, const StepShape& shape) {
    OperatorGraph graph;
    lowering.lower(shape, graph);
    for (Operator& op : graph.operators) {
      if (!is_kernel(op)) continue;
      op.repeat = 1;
      std::string name =
          fmt::format("{}/{}/{}/{}", model_name, phase, op.name, std::visit(ShapeText{}, op.shape));
      if (seen.insert(name).second) cases.push_back({std::move(name), op});
    }
  };
  add("decode", decode_step(model, steps));
  add("prefill", prefill_step(model, steps));
  return cases;
}

std::vector<BenchCase> default_suite(const BenchSteps& steps, const DataLocator& data) {
  const auto of = [&](const std::string& id, const ServingPlan& plan) {
    const ModelConfig model = read_model_config(data.find(id, "workloads/models"));
    return step_cases(id, model, resolved(plan, model), steps);
  };
  ServingPlan alone;
  ServingPlan experts;
  experts.tp = 1;
  experts.ep = 1;
  ServingPlan latent;
  latent.tp = 8;
  latent.weights = DataType::fp8_block;
  std::vector<BenchCase> cases;
  append(cases, of("llama-3.1-8b", alone), {});
  append(cases, of("deepseek-v3", latent), {"attention_decode"});
  append(cases, of("qwen3-30b-a3b", experts), {"experts"});
  return cases;
}

}  // namespace rackwright::kernels
