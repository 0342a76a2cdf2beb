#include <algorithm>
#include <array>
#include <map>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "workloads/config_values.hpp"
#include "workloads/model_config.hpp"
#include "workloads/vision_reader.hpp"

namespace rackwright::workloads {
namespace {

enum class Family {
  llama,
  llama4,
  mistral,
  mixtral,
  qwen2,
  qwen3,
  deepseek,
  gpt_oss,
  gemma3,
  bloom
};

struct Architecture {
  std::string_view name;
  std::string_view model_type;  ///< for configs that list no architecture
  Family family;
  bool moe;
};

constexpr std::array kArchitectures{
    Architecture{"LlamaForCausalLM", "llama", Family::llama, false},
    Architecture{"Llama4ForConditionalGeneration", "llama4", Family::llama4, true},
    Architecture{"Llama4ForCausalLM", "llama4_text", Family::llama4, true},
    Architecture{"MistralForCausalLM", "mistral", Family::mistral, false},
    Architecture{"MixtralForCausalLM", "mixtral", Family::mixtral, true},
    Architecture{"Qwen2ForCausalLM", "qwen2", Family::qwen2, false},
    Architecture{"Qwen2MoeForCausalLM", "qwen2_moe", Family::qwen2, true},
    Architecture{"Qwen3ForCausalLM", "qwen3", Family::qwen3, false},
    Architecture{"Qwen3MoeForCausalLM", "qwen3_moe", Family::qwen3, true},
    Architecture{"Qwen3VLForConditionalGeneration", "qwen3_vl", Family::qwen3, false},
    Architecture{"Qwen3VLMoeForConditionalGeneration", "qwen3_vl_moe", Family::qwen3, true},
    Architecture{"DeepseekV2ForCausalLM", "deepseek_v2", Family::deepseek, true},
    Architecture{"DeepseekV3ForCausalLM", "deepseek_v3", Family::deepseek, true},
    Architecture{"DeepseekV3ForCausalLM", "kimi_k2", Family::deepseek, true},
    Architecture{"DeepseekV32ForCausalLM", "deepseek_v32", Family::deepseek, true},
    Architecture{"GptOssForCausalLM", "gpt_oss", Family::gpt_oss, true},
    Architecture{"Gemma3ForCausalLM", "gemma3_text", Family::gemma3, false},
    Architecture{"BloomForCausalLM", "bloom", Family::bloom, false},
};

/// The first entry of `architectures`, or the one that goes with `model_type`.
std::string architecture_name(ObjectReader& root) {
  if (root.has("architectures")) {
    const auto names = root.texts("architectures");
    if (!names.empty()) return names.front();
  }
  const std::string type = root.text_or("model_type", "");
  for (const Architecture& known : kArchitectures) {
    if (known.model_type == type) return std::string(known.name);
  }
  return type;
}

const Architecture* find_architecture(ObjectReader& root, const std::string& name) {
  for (const Architecture& known : kArchitectures) {
    if (known.name == name) return &known;
  }
  std::vector<std::string> names;
  for (const Architecture& known : kArchitectures) {
    if (std::find(names.begin(), names.end(), known.name) == names.end()) {
      names.emplace_back(known.name);
    }
  }
  std::string found = name.empty() ? "neither architectures nor model_type" : '"' + name + '"';
  if (const auto near = nearest_word(name, names); !near.empty()) {
    found += fmt::format("; the nearest is \"{}\"", near);
  }
  root.problem(root.has("architectures") ? "architectures" : "model_type",
               fmt::format("a supported architecture: {}", fmt::join(names, ", ")), found);
  return nullptr;
}

// ---- attention ---------------------------------------------------------------------------------

void read_latent(ObjectReader& text, ModelConfig& model) {
  LatentAttention latent;
  latent.q_lora_rank = count_or(text, "q_lora_rank", 0);
  latent.kv_lora_rank = positive(text, "kv_lora_rank");
  latent.qk_nope_head_dim = positive(text, "qk_nope_head_dim");
  latent.qk_rope_head_dim = positive(text, "qk_rope_head_dim");
  latent.v_head_dim = positive(text, "v_head_dim");
  model.attention.latent = latent;
  model.attention.head_dim = latent.qk_nope_head_dim + latent.qk_rope_head_dim;
  if (text.has("index_topk") || text.has("index_n_heads")) {
    model.attention.indexer =
        SparseIndexer{positive(text, "index_n_heads"), positive(text, "index_head_dim"),
                      positive(text, "index_topk")};
  }
}

void read_attention(ObjectReader& text, Family family, ModelConfig& model) {
  AttentionConfig& attention = model.attention;
  attention.heads = positive(text, "num_attention_heads");
  attention.kv_heads = positive_or(text, "num_key_value_heads", attention.heads);
  if (attention.kv_heads > attention.heads || attention.heads % attention.kv_heads != 0) {
    text.problem("num_key_value_heads",
                 fmt::format("a divisor of num_attention_heads ({})", attention.heads),
                 fmt::format("{}", attention.kv_heads));
    attention.kv_heads = attention.heads;
  }
  if (family == Family::deepseek) {
    read_latent(text, model);
    return;
  }
  attention.head_dim = positive_or(text, "head_dim", std::max(1, model.hidden / attention.heads));
  const bool bias = text.boolean_or("attention_bias", false);
  // Qwen2 and BLOOM have biases without saying so.
  attention.qkv_bias = bias || family == Family::qwen2 || family == Family::bloom;
  attention.output_bias = bias || family == Family::bloom;
  attention.qk_norm = family == Family::qwen3 || family == Family::gemma3;
  attention.sinks = family == Family::gpt_oss;
}

// ---- layers ------------------------------------------------------------------------------------

struct Span {
  AttentionSpan span = AttentionSpan::full;
  int window = 0;
};

std::vector<int> integers(ObjectReader& text, std::string_view key) {
  std::vector<int> result;
  for (const double value : text.numbers(key, {.min = 0, .max = 1e6})) {
    result.push_back(static_cast<int>(value));
  }
  return result;
}

std::vector<Span> spans_from_layer_types(ObjectReader& text, int layers) {
  const auto types = text.texts("layer_types");
  std::vector<Span> spans(static_cast<std::size_t>(layers));
  if (static_cast<int>(types.size()) != layers) {
    text.problem("layer_types", fmt::format("{} entries, one per layer", layers),
                 fmt::format("{}", types.size()));
    return spans;
  }
  for (std::size_t i = 0; i < spans.size(); ++i) {
    if (types[i] == "sliding_attention") {
      spans[i] = {AttentionSpan::sliding, positive(text, "sliding_window")};
    } else if (types[i] == "chunked_attention") {
      spans[i] = {AttentionSpan::chunked, positive(text, "attention_chunk_size")};
    } else if (types[i] != "full_attention") {
      text.problem("layer_types",
                   "a supported attention: full_attention, sliding_attention, chunked_attention",
                   fmt::format("\"{}\"", types[i]));
      return spans;
    }
  }
  return spans;
}

/// Llama 4: layers with rotary embedding see their chunk only; every fourth has none ("NoPE") and
/// sees everything (`no_rope_layers` holds 1 where rotary is used).
std::vector<Span> llama4_spans(ObjectReader& text, int layers) {
  std::vector<Span> spans(static_cast<std::size_t>(layers));
  if (text.is_null("attention_chunk_size")) return spans;
  const Span chunk{AttentionSpan::chunked, positive_or(text, "attention_chunk_size", 8192)};
  std::vector<int> rotary;
  if (text.has("no_rope_layers")) rotary = integers(text, "no_rope_layers");
  const int interval = positive_or(text, "no_rope_layer_interval", 4);
  for (std::size_t i = 0; i < spans.size(); ++i) {
    const bool has_rotary = rotary.size() == spans.size()
                                ? rotary[i] != 0
                                : (i + 1) % static_cast<std::size_t>(interval) != 0;
    if (has_rotary) spans[i] = chunk;
  }
  return spans;
}

std::vector<Span> read_spans(ObjectReader& text, Family family, int layers) {
  if (text.has("layer_types")) return spans_from_layer_types(text, layers);
  if (family == Family::llama4) return llama4_spans(text, layers);
  std::vector<Span> spans(static_cast<std::size_t>(layers));
  if (!text.has("sliding_window")) return spans;
  const Span sliding{AttentionSpan::sliding, positive(text, "sliding_window")};
  if (family == Family::mistral || family == Family::mixtral) {
    std::fill(spans.begin(), spans.end(), sliding);
  } else if (family == Family::gpt_oss) {
    for (std::size_t i = 0; i < spans.size(); i += 2) spans[i] = sliding;
  } else if (family == Family::gemma3) {  // every sixth layer sees everything
    const auto pattern = static_cast<std::size_t>(positive_or(text, "sliding_window_pattern", 6));
    for (std::size_t i = 0; i < spans.size(); ++i) {
      if ((i + 1) % pattern != 0) spans[i] = sliding;
    }
  } else if ((family == Family::qwen2 || family == Family::qwen3) &&
             text.boolean_or("use_sliding_window", false)) {
    // Qwen: full attention up to max_window_layers, sliding above.
    const auto first = static_cast<std::size_t>(count_or(text, "max_window_layers", 28));
    for (std::size_t i = first; i < spans.size(); ++i) spans[i] = sliding;
  }
  return spans;
}

std::vector<bool> read_moe_layers(ObjectReader& text, Family family, int layers) {
  std::vector<bool> moe(static_cast<std::size_t>(layers), true);
  if (family == Family::llama4) {
    if (text.has("moe_layers")) {
      moe.assign(moe.size(), false);
      for (const int i : integers(text, "moe_layers")) {
        if (i < layers) moe[static_cast<std::size_t>(i)] = true;
      }
      return moe;
    }
    const int step = positive_or(text, "interleave_moe_layer_step", 1);
    for (int i = 0; i < layers; ++i) moe[static_cast<std::size_t>(i)] = (i + 1) % step == 0;
  } else if (family == Family::deepseek) {
    const int first = count_or(text, "first_k_dense_replace", 0);
    const int step = positive_or(text, "moe_layer_freq", 1);
    for (int i = 0; i < layers; ++i) moe[static_cast<std::size_t>(i)] = i >= first && i % step == 0;
  } else if (family == Family::qwen2 || family == Family::qwen3) {
    const int step = positive_or(text, "decoder_sparse_step", 1);
    for (int i = 0; i < layers; ++i) moe[static_cast<std::size_t>(i)] = (i + 1) % step == 0;
    if (text.has("mlp_only_layers")) {
      for (const int i : integers(text, "mlp_only_layers")) {
        if (i < layers) moe[static_cast<std::size_t>(i)] = false;
      }
    }
  }
  return moe;
}

void read_layers(ObjectReader& text, const Architecture& architecture, ModelConfig& model) {
  const int layers = static_cast<int>(text.integer("num_hidden_layers", {.min = 1, .max = 10000}));
  const auto spans = read_spans(text, architecture.family, layers);
  std::vector<bool> moe(static_cast<std::size_t>(layers), false);
  if (architecture.moe) moe = read_moe_layers(text, architecture.family, layers);
  const bool any_dense = std::find(moe.begin(), moe.end(), false) != moe.end();
  int dense = 0;
  if (any_dense) {
    if (architecture.family == Family::bloom) {  // four times the hidden size, by definition
      dense = positive_or(text, "n_inner", 4 * model.hidden);
    } else {
      dense = positive(text, architecture.family == Family::llama4 ? "intermediate_size_mlp"
                                                                   : "intermediate_size");
    }
  }
  for (std::size_t i = 0; i < spans.size(); ++i) {
    const int intermediate = moe[i] ? 0 : dense;
    const auto same =
        std::find_if(model.layers.begin(), model.layers.end(), [&](const LayerGroup& group) {
          return group.span == spans[i].span && group.window == spans[i].window &&
                 group.moe == moe[i] && group.dense_intermediate == intermediate;
        });
    if (same != model.layers.end()) {
      ++same->count;
    } else {
      model.layers.push_back({1, spans[i].span, spans[i].window, moe[i], intermediate});
    }
  }
}

// ---- experts -----------------------------------------------------------------------------------

void read_experts(ObjectReader& text, Family family, ModelConfig& model) {
  ExpertConfig experts;
  experts.top_k = positive(text, "num_experts_per_tok");
  switch (family) {
    case Family::deepseek:
      experts.routed = positive(text, "n_routed_experts");
      experts.intermediate = positive(text, "moe_intermediate_size");
      experts.shared = count_or(text, "n_shared_experts", 0);
      experts.shared_intermediate = experts.shared * experts.intermediate;
      experts.router_bias = text.text_or("topk_method", "") == "noaux_tc";
      break;
    case Family::qwen2:
    case Family::qwen3:
      experts.routed = positive(text, "num_experts");
      experts.intermediate = positive(text, "moe_intermediate_size");
      experts.shared_intermediate = count_or(text, "shared_expert_intermediate_size", 0);
      experts.shared = experts.shared_intermediate > 0 ? 1 : 0;
      experts.shared_gate = experts.shared > 0;
      break;
    default:
      experts.routed = positive(text, "num_local_experts");
      experts.intermediate = positive(text, "intermediate_size");
      if (family == Family::llama4) {  // one shared expert beside the routed ones
        experts.shared = 1;
        experts.shared_intermediate = experts.intermediate;
      }
      experts.router_bias = experts.expert_bias = family == Family::gpt_oss;
  }
  if (experts.top_k > experts.routed) {
    text.problem("num_experts_per_tok", fmt::format("at most {} experts", experts.routed),
                 fmt::format("{}", experts.top_k));
  }
  model.experts = experts;
}

// ---- quantisation ------------------------------------------------------------------------------

constexpr std::string_view kSupportedQuantisation =
    "a supported quantisation: fp8 (with or without weight_block_size), fbgemm_fp8, mxfp4, "
    "compressed-tensors with 8-bit or 4-bit float or 8-bit integer weights, modelopt FP8 or NVFP4, "
    "gptq or awq with 8 bits";

std::optional<DataType> compressed_tensors_type(ObjectReader& quantisation) {
  const auto& groups = quantisation.raw("config_groups");
  if (!groups.is_object() || groups.empty()) return std::nullopt;
  const auto& group = groups.begin().value();
  if (!group.is_object() || !group.contains("weights") || !group["weights"].is_object()) {
    return std::nullopt;
  }
  const auto& weights = group["weights"];
  const auto bits = weights.value("num_bits", 0);
  const auto type = weights.value("type", std::string());
  if (type == "float" && bits == 8) {
    return weights.value("strategy", std::string()) == "block" ? DataType::fp8_block
                                                               : DataType::fp8;
  }
  if (type == "float" && bits == 4) return DataType::nvfp4;
  if (type == "int" && bits == 8) return DataType::int8;
  return std::nullopt;
}

std::optional<DataType> quantised_type(ObjectReader& quantisation, const std::string& method) {
  if (method == "fp8") {
    return quantisation.has("weight_block_size") ? DataType::fp8_block : DataType::fp8;
  }
  if (method == "fbgemm_fp8") return DataType::fp8;
  if (method == "mxfp4") return DataType::mxfp4;
  if (method == "compressed-tensors") return compressed_tensors_type(quantisation);
  if (method == "modelopt" || method == "modelopt_fp4") {
    const auto algorithm = quantisation.text_or("quant_algo", "");
    if (algorithm == "NVFP4" || method == "modelopt_fp4") return DataType::nvfp4;
    if (algorithm == "FP8") return DataType::fp8;
    return std::nullopt;
  }
  const bool integer = method == "gptq" || method == "awq";
  if (integer && quantisation.integer_or("bits", 4, {.min = 1, .max = 16}) == 8) {
    return DataType::int8;
  }
  return std::nullopt;
}

void read_types(ObjectReader& root, ObjectReader& text, ModelConfig& model) {
  for (ObjectReader* reader : {&root, &text}) {
    for (const auto* key : {"torch_dtype", "dtype"}) {
      if (!reader->has(key)) continue;
      const std::string word = reader->text(key);
      if (word == "auto") continue;
      try {
        model.published_type = parse_data_type(word, key);
      } catch (const InputError& error) {
        reader->problem(key, error.problems().front().expected, error.problems().front().found);
      }
    }
  }
  ObjectReader& holder = text.has("quantization_config") ? text : root;
  if (!holder.has("quantization_config")) return;
  ObjectReader quantisation = holder.object("quantization_config");
  const std::string method = quantisation.text_or("quant_method", "");
  const auto type = quantised_type(quantisation, method);
  if (!type) {
    quantisation.problem("quant_method", std::string(kSupportedQuantisation),
                         fmt::format("\"{}\"", method));
  } else if (*type == DataType::mxfp4 && model.experts) {
    model.published_expert_type = *type;  // attention, router, embeddings stay as they are
  } else {
    model.published_type = *type;
  }
}

// ---- vision ------------------------------------------------------------------------------------

void read_vision(ObjectReader& root, const std::string& architecture, ModelConfig& model) {
  if (architecture.starts_with("Qwen3VL")) {
    model.vision = read_qwen_vision(root.object("vision_config"));
  } else if (architecture == "Llama4ForConditionalGeneration") {
    if (!root.has("vision_config")) {
      model.notes.emplace_back(
          "vision tower: the config has none; the published one of Llama 4 Scout is used");
      root.ignore({"vision_config"});
    }
    ProblemList none;
    const JsonDocument empty = JsonDocument::parse_text("{}", "");
    model.vision = root.has("vision_config")
                       ? read_llama4_vision(root.object("vision_config"), model.hidden)
                       : read_llama4_vision(ObjectReader(empty, none), model.hidden);
  }
}

// ---- the whole ---------------------------------------------------------------------------------

/// Publishers whose "activated parameters" leave the input embedding out; see ModelConfig.
bool counts_embedding(Family family) {
  return family != Family::deepseek && family != Family::gpt_oss;
}

void read_text_model(ObjectReader& root, ObjectReader& text, const Architecture& architecture,
                     ModelConfig& model) {
  model.hidden = positive(text, "hidden_size");
  model.vocabulary = positive(text, "vocab_size");
  model.max_positions = positive_or(text, "max_position_embeddings", 0);
  const bool bloom = architecture.family == Family::bloom;
  model.gated_mlp = !bloom;
  model.mlp_bias = text.boolean_or("mlp_bias", bloom);
  model.tied_embeddings = text.has("tie_word_embeddings")
                              ? text.boolean_or("tie_word_embeddings", false)
                              : root.boolean_or("tie_word_embeddings", false);
  model.active_counts_embedding = counts_embedding(architecture.family);
  model.next_token_predict_layers = count_or(text, "num_nextn_predict_layers", 0);
  read_attention(text, architecture.family, model);
  if (architecture.moe) read_experts(text, architecture.family, model);
  read_layers(text, architecture, model);
  read_types(root, text, model);
}

std::string name_of_file(const std::filesystem::path& path) {
  std::string name = path.stem().string();
  if (name == "config" && path.has_parent_path()) {
    name = std::filesystem::absolute(path).parent_path().filename().string();
  }
  if (name.ends_with("_config")) name.resize(name.size() - 7);
  if (const auto owner = name.find("--"); owner != std::string::npos) name = name.substr(owner + 2);
  return name;
}

}  // namespace

ModelConfig read_model_config(const JsonDocument& document, const std::string& pointer,
                              std::string name) {
  ProblemList problems;
  ObjectReader root(document, problems, pointer);
  ModelConfig model;
  model.name = root.text_or("_name_or_path", "");
  if (model.name.empty()) model.name = std::move(name);
  model.architecture = architecture_name(root);
  const Architecture* architecture = find_architecture(root, model.architecture);
  if (architecture != nullptr) {
    ObjectReader text = root.has("text_config") ? root.object("text_config") : root;
    read_text_model(root, text, *architecture, model);
    if (problems.empty()) read_vision(root, model.architecture, model);
  }
  problems.throw_if_any();
  return model;
}

ModelConfig read_model_config(const std::filesystem::path& path) {
  return read_model_config(JsonDocument::parse_file(path), "", name_of_file(path));
}

}  // namespace rackwright::workloads
