#include "workloads/serving_plan.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

namespace rackwright::workloads {
namespace {

constexpr NumberRange kParallel{.min = 1, .max = 65536};

/// `tp: 8` or `tp: [4, 8]`.
std::vector<int> read_degrees(ObjectReader& reader, std::string_view key, NumberRange range,
                              int fallback) {
  if (!reader.has(key)) {
    reader.ignore({key});
    return {fallback};
  }
  std::vector<int> result;
  if (reader.raw(key).is_array()) {
    for (const double value : reader.numbers(key, range)) {
      if (value != std::floor(value)) {
        reader.problem(key, "whole numbers", fmt::format("{}", value));
      }
      result.push_back(static_cast<int>(value));
    }
    if (result.empty()) reader.problem(key, "a number or a list of at least one", "none");
  } else {
    result.push_back(static_cast<int>(reader.integer(key, range)));
  }
  return result;
}

DataType read_type(ObjectReader& reader, std::string_view key, DataType fallback) {
  const std::string word = reader.text_or(key, std::string(to_string(fallback)));
  try {
    return parse_data_type(word, key);
  } catch (const InputError& error) {
    reader.problem(key, error.problems().front().expected, error.problems().front().found);
    return fallback;
  }
}

SpeculativeDraft read_draft(ObjectReader reader) {
  SpeculativeDraft draft;
  draft.draft_tokens = static_cast<int>(reader.integer("draft_tokens", {.min = 1, .max = 64}));
  draft.acceptance = reader.number("acceptance", {.min = 0, .max = 1});
  draft.draft_cost = reader.number_or("draft_cost", 0, {.min = 0, .max = 10});
  reader.finish();
  return draft;
}

AllReduceKind read_all_reduce(ObjectReader& reader) {
  std::string word = reader.choice_or("all_reduce", "engine",
                                      {"engine", "nccl", "nccl-symmetric", "nccl_symmetric"});
  if (word == "nccl") return AllReduceKind::nccl;
  return word == "engine" ? AllReduceKind::engine : AllReduceKind::nccl_symmetric;
}

ServingPlan read_common(ObjectReader& reader) {
  ServingPlan plan;
  plan.pp = static_cast<int>(reader.integer_or("pp", 1, kParallel));
  plan.cp = static_cast<int>(reader.integer_or("cp", 1, kParallel));
  plan.weights = read_type(reader, "weights", DataType::bf16);
  plan.kv = read_type(reader, "kv", DataType::bf16);
  plan.max_batch = static_cast<int>(reader.integer_or("max_batch", 256, {.min = 1, .max = 1e6}));
  plan.kv_block = static_cast<int>(reader.integer_or("kv_block", 64, {.min = 1, .max = 65536}));
  plan.prefix_cache = reader.boolean_or("prefix_cache", false);
  plan.all_reduce = read_all_reduce(reader);
  plan.expert_skew = reader.number_or("expert_skew", 0, {.min = 0, .max = 4});
  if (reader.has("speculative")) {
    plan.speculative = read_draft(reader.object("speculative"));
  } else {
    reader.ignore({"speculative"});
  }
  return plan;
}

double ceil_div(double a, double b) {
  return std::ceil(a / b);
}

}  // namespace

std::string_view to_string(AllReduceKind kind) {
  switch (kind) {
    case AllReduceKind::engine:
      return "engine";
    case AllReduceKind::nccl:
      return "nccl";
    case AllReduceKind::nccl_symmetric:
      return "nccl-symmetric";
  }
  return "unknown";
}

std::string ServingPlan::label() const {
  std::string text = fmt::format("TP{}", tp);
  if (pp > 1) text += fmt::format(" PP{}", pp);
  if (dp > 1) text += fmt::format(" DP{}", dp);
  if (ep > 1) text += fmt::format(" EP{}", ep);
  if (cp > 1) text += fmt::format(" CP{}", cp);
  return text;
}

std::vector<ServingPlan> read_serving_plans(ObjectReader& reader) {
  const auto tensor = read_degrees(reader, "tp", kParallel, 1);
  const auto data = read_degrees(reader, "dp", kParallel, 1);
  const auto expert = read_degrees(reader, "ep", {.min = 0, .max = 65536}, 0);
  const auto chunks = read_degrees(reader, "prefill_chunk", {.min = 1, .max = 1e7}, 8192);
  const ServingPlan common = read_common(reader);
  reader.finish();
  std::vector<ServingPlan> plans;
  for (const int tp : tensor) {
    for (const int dp : data) {
      for (const int ep : expert) {
        if (ep != 0 && (tp * dp) % ep != 0) continue;
        for (const int chunk : chunks) {
          plans.push_back(common);
          plans.back().tp = tp;
          plans.back().dp = dp;
          plans.back().ep = ep;
          plans.back().prefill_chunk = chunk;
        }
      }
    }
  }
  if (plans.empty() && !tensor.empty() && !data.empty() && !expert.empty()) {
    reader.problem("ep", fmt::format("a divisor of tp x dp ({})", tensor.front() * data.front()),
                   fmt::format("{}", expert.front()));
  }
  return plans;
}

ServingPlan resolved(ServingPlan plan, const ModelConfig& model) {
  if (plan.ep != 0) return plan;
  plan.ep = 1;
  if (!model.experts) return plan;
  for (int ep = 1; ep <= std::min(plan.tp * plan.dp, model.experts->routed); ++ep) {
    if ((plan.tp * plan.dp) % ep == 0) plan.ep = ep;
  }
  return plan;
}

std::string plan_problem(const ModelConfig& model, const ServingPlan& asked) {
  const ServingPlan plan = resolved(asked, model);
  if (std::min({plan.tp, plan.pp, plan.dp, plan.ep, plan.cp}) < 1) {
    return "tp, pp, dp, ep and cp are at least 1";
  }
  if (model.attention.heads % plan.tp != 0) {
    return fmt::format("{} attention heads cannot be divided by tp {}", model.attention.heads,
                       plan.tp);
  }
  const int kv_heads = model.attention.kv_heads;
  if (!model.attention.latent && kv_heads % plan.tp != 0 && plan.tp % kv_heads != 0) {
    return fmt::format("{} KV heads neither divide nor are divided by tp {}", kv_heads, plan.tp);
  }
  if (plan.pp > model.layer_count()) {
    return fmt::format("pp {} exceeds the {} layers", plan.pp, model.layer_count());
  }
  if ((plan.tp * plan.dp) % plan.ep != 0) {
    return fmt::format("ep {} does not divide tp x dp = {}", plan.ep, plan.tp * plan.dp);
  }
  if (plan.ep == 1) return "";
  if (!model.experts) return fmt::format("ep {} on a dense model", plan.ep);
  if (plan.ep > model.experts->routed) {
    return fmt::format("ep {} exceeds the {} routed experts", plan.ep, model.experts->routed);
  }
  return "";
}

namespace {

double weights_of_fullest_gpu(const ModelConfig& model, const ServingPlan& plan) {
  const double linear = bytes_per_element(linear_type(model, plan.weights));
  const double expert = bytes_per_element(expert_type(model, plan.weights));
  const AttentionConfig& attention = model.attention;
  double bytes = 0;
  for (const LayerGroup& group : model.layers) {
    const LayerParameters layer = layer_parameters(model, group);
    double split = layer.attention_split / plan.tp;
    if (!attention.latent && plan.tp > attention.kv_heads) {
      // K and V projections of one head stay whole on each GPU.
      const double head = 2.0 * model.hidden * attention.head_dim;
      split += head * (1.0 - static_cast<double>(attention.kv_heads) / plan.tp);
    }
    double layer_bytes = linear * (split + layer.attention_replicated + layer.dense_mlp / plan.tp) +
                         2 * (layer.router + layer.other);
    if (group.moe) {
      const double local = ceil_div(model.experts->routed, plan.ep);
      const double expert_tp = static_cast<double>(plan.tp * plan.dp) / plan.ep;
      layer_bytes += local * (expert * layer.expert + 2 * layer.expert_other) / expert_tp;
      layer_bytes += linear * layer.shared / (plan.dp > 1 ? 1 : plan.tp);
    }
    bytes += ceil_div(group.count, plan.pp) * layer_bytes;
  }
  const ParameterCount count = count_parameters(model);
  const double tables = plan.pp > 1 && !model.tied_embeddings ? 0.5 : 1.0;
  return bytes + 2 * (count.embedding * tables + count.vision) / plan.tp + 2.0 * model.hidden;
}

double activation_bytes(const ModelConfig& model, const ServingPlan& plan) {
  const double tokens = ceil_div(plan.prefill_chunk, plan.dp * plan.cp);
  const AttentionConfig& attention = model.attention;
  const double heads = static_cast<double>(attention.heads) / plan.tp;
  const double kv_heads = ceil_div(attention.kv_heads, plan.tp);
  double widest = (2 * heads + 2 * kv_heads) * attention.head_dim;
  if (attention.latent) {
    widest = heads * (2.0 * attention.head_dim + 2.0 * attention.latent->v_head_dim);
  }
  for (const LayerGroup& group : model.layers) {
    widest = std::max(widest, 3.0 * group.dense_intermediate / plan.tp);
  }
  if (model.experts) {
    const ExpertConfig& experts = *model.experts;
    const double expert_tp = static_cast<double>(plan.tp * plan.dp) / plan.ep;
    const double copies = static_cast<double>(experts.top_k) * plan.dp / plan.ep;
    widest =
        std::max(widest, copies * (3.0 * experts.intermediate / expert_tp + 2.0 * model.hidden));
  }
  const double logits = ceil_div(plan.max_batch, plan.dp) * 6.0 * model.vocabulary / plan.tp;
  return tokens * 2 * (4.0 * model.hidden + widest) + logits;
}

void fill_cache(const ModelConfig& model, const ServingPlan& plan, MemoryUse& use) {
  const int kv_heads = static_cast<int>(ceil_div(model.attention.kv_heads, plan.tp));
  const double layer = kv_bytes_per_token_layer(model, plan.kv, kv_heads);
  double full = 0;
  double windowed = 0;
  double set_aside = 0;
  for (const LayerGroup& group : model.layers) {
    const double bytes = ceil_div(group.count, plan.pp) * layer;
    if (group.window == 0) {
      full += bytes;
    } else {
      windowed += bytes;
      set_aside += bytes * group.window * ceil_div(plan.max_batch, plan.dp) / plan.cp;
    }
  }
  const double ranks = static_cast<double>(plan.dp) * plan.cp;
  const double available = std::max(use.kv_available, 0.0);
  use.kv_per_token = full + windowed;
  use.kv_tokens = available / use.kv_per_token * ranks;
  if (full == 0 || windowed == 0 || set_aside >= available) return;
  const double with_windows = (available - set_aside) / full * ranks;
  if (with_windows > use.kv_tokens) {
    use.kv_tokens = with_windows;
    use.kv_per_token = full;
    use.activations += set_aside;
    use.kv_available -= set_aside;
  }
}

}  // namespace

MemoryUse memory_use(const ModelConfig& model, const ServingPlan& asked, double gpu_memory_bytes) {
  const ServingPlan plan = resolved(asked, model);
  MemoryUse use;
  use.weights = weights_of_fullest_gpu(model, plan);
  use.activations = activation_bytes(model, plan);
  use.reserve = 0.1 * gpu_memory_bytes;
  use.kv_available = gpu_memory_bytes - use.reserve - use.weights - use.activations;
  fill_cache(model, plan, use);
  return use;
}

namespace {

/// Bytes short on each GPU for one request of `tokens`; <= 0 when it fits.
double shortfall(const ServingPlan& plan, const MemoryUse& use, double tokens) {
  return tokens / plan.cp * use.kv_per_token - use.kv_available;
}

/// The smallest plan of this kind that fits: the same plan with larger tp, powers of two.
std::string fitting_plan(const ModelConfig& model, const ServingPlan& plan, double gpu_memory_bytes,
                         double tokens, int max_gpus) {
  const int others = plan.pp * plan.dp * plan.cp;
  for (int tp = 1; tp * others <= max_gpus; tp *= 2) {
    ServingPlan trial = plan;
    trial.tp = tp;
    trial.ep = model.experts ? 0 : 1;
    trial = resolved(trial, model);
    if (!plan_problem(model, trial).empty()) continue;
    const MemoryUse use = memory_use(model, trial, gpu_memory_bytes);
    if (use.fits() && shortfall(trial, use, tokens) <= 0) {
      return fmt::format("{} on {} GPUs would fit", trial.label(), trial.gpus());
    }
  }
  return fmt::format("no tp up to {} GPUs fits; a smaller weight or KV type may", max_gpus);
}

}  // namespace

void check_memory(const ModelConfig& model, const ServingPlan& asked, double gpu_memory_bytes,
                  double longest_request, int max_gpus) {
  const ServingPlan plan = resolved(asked, model);
  if (const std::string problem = plan_problem(model, plan); !problem.empty()) {
    throw InputError(InputProblem{model.name, 0, "plan " + plan.label(),
                                  "a plan the model can run under", problem});
  }
  const MemoryUse use = memory_use(model, plan, gpu_memory_bytes);
  const double missing = shortfall(plan, use, longest_request);
  if (use.fits() && missing <= 0) return;
  throw InputError(InputProblem{
      model.name, 0, "plan " + plan.label(),
      fmt::format("weights, activations, 10 % reserve and the KV cache of {:.0f} tokens within "
                  "{:.1f} GB per GPU",
                  longest_request, gpu_memory_bytes * 1e-9),
      fmt::format("{:.1f} GB too much per GPU (weights {:.1f}, activations {:.1f}, reserve {:.1f}, "
                  "KV {:.1f} GB); {}",
                  missing * 1e-9, use.weights * 1e-9, use.activations * 1e-9, use.reserve * 1e-9,
                  longest_request / plan.cp * use.kv_per_token * 1e-9,
                  fitting_plan(model, plan, gpu_memory_bytes, longest_request, max_gpus))});
}

}  // namespace rackwright::workloads
