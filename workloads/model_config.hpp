#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "common/json_document.hpp"
#include "workloads/data_type.hpp"

namespace rackwright::workloads {

/// Multi-head latent attention (DeepSeek V2/V3). Per token the cache holds `kv_lora_rank +
/// qk_rope_head_dim` elements, once for all heads.
struct LatentAttention {
  int q_lora_rank = 0;  ///< 0: queries are projected in one step
  int kv_lora_rank = 0;
  int qk_nope_head_dim = 0;
  int qk_rope_head_dim = 0;
  int v_head_dim = 0;
};

/// DeepSeek V3.2 lightning indexer: scores all cached tokens, attention reads the `top_k` best.
struct SparseIndexer {
  int heads = 0;
  int head_dim = 0;
  int top_k = 0;
};

struct AttentionConfig {
  int heads = 0;
  int kv_heads = 0;
  int head_dim = 0;
  bool qkv_bias = false;
  bool output_bias = false;
  bool qk_norm = false;  ///< RMSNorm with weights on each query and key head
  bool sinks = false;    ///< one learned logit per head (gpt-oss)
  std::optional<LatentAttention> latent;
  std::optional<SparseIndexer> indexer;
};

struct ExpertConfig {
  int routed = 0;
  int shared = 0;
  int top_k = 0;
  int intermediate = 0;         ///< of one routed expert
  int shared_intermediate = 0;  ///< of all shared experts together; 0 without
  bool router_bias = false;
  bool expert_bias = false;
  bool shared_gate = false;  ///< one learned gate over the shared experts (Qwen2-MoE)
};

enum class AttentionSpan { full, sliding, chunked };

/// Layers of one kind. Order between groups is not kept: it does not change time or bytes.
struct LayerGroup {
  int count = 0;
  AttentionSpan span = AttentionSpan::full;
  int window = 0;  ///< tokens a query can see (sliding) or chunk length (chunked); 0 for full
  bool moe = false;
  int dense_intermediate = 0;  ///< of the dense MLP; 0 when moe
};

/// Vision tower: a ViT over patches and a projector to the language model. `merge` x `merge`
/// patches become one prompt token.
struct VisionConfig {
  int depth = 0;
  int hidden = 0;
  int intermediate = 0;
  int heads = 0;
  int patch_size = 0;
  int merge = 1;
  int out_hidden = 0;
  int native_patches = 0;  ///< patches that attend to each other at the native resolution
  double projector = 0;    ///< weights of all projectors and mergers
  double parameters = 0;   ///< all weights, projectors included
};

/// What a Hugging Face `config.json` says about shape. Everything is a count of elements.
struct ModelConfig {
  std::string name;
  std::string architecture;
  int hidden = 0;
  int vocabulary = 0;
  bool tied_embeddings = false;
  bool gated_mlp = true;
  bool mlp_bias = false;
  int max_positions = 0;
  AttentionConfig attention;
  std::optional<ExpertConfig> experts;
  std::vector<LayerGroup> layers;
  std::optional<VisionConfig> vision;
  DataType published_type = DataType::bf16;       ///< of linear weights
  std::optional<DataType> published_expert_type;  ///< gpt-oss: mxfp4
  int next_token_predict_layers = 0;              ///< DeepSeek MTP; not counted in parameters
  /// Whether the publisher's figure of active parameters holds the input embedding (one row of
  /// which is read per token). Mistral AI and Qwen count it; DeepSeek, Moonshot and OpenAI count
  /// the LM head alone (gpt-oss model card, section 2.1).
  bool active_counts_embedding = true;
  /// What was assumed while reading, for provenance: "vision tower: published Llama 4 default, …".
  std::vector<std::string> notes;

  [[nodiscard]] int layer_count() const;
  /// The smallest finite attention span of any layer (window, chunk or indexer top_k), 0 if none:
  /// the clip length the engine accumulates contexts with. All models read so far have one.
  [[nodiscard]] int attention_clip() const;
};

/// Reads a published `config.json` (foreign keys are normal; an unknown architecture, attention or
/// quantisation is the error). Throws InputError.
[[nodiscard]] ModelConfig read_model_config(const std::filesystem::path& path);
/// As above for an object inside a workload file. `name` is used when the config has none.
[[nodiscard]] ModelConfig read_model_config(const JsonDocument& document,
                                            const std::string& pointer, std::string name);

/// `total` holds everything but next-token-predict modules. `active` is what one text token uses:
/// attention, dense MLP, top_k routed and all shared experts, router, norms, LM head, and the input
/// embedding when the publisher counts it (`ModelConfig::active_counts_embedding`); no vision
/// tower.
struct ParameterCount {
  double total = 0;
  double active = 0;
  double active_without_embedding = 0;
  double routed_experts = 0;
  double embedding = 0;  ///< input embedding and LM head together; once when tied
  double vision = 0;
};
[[nodiscard]] ParameterCount count_parameters(const ModelConfig& model);

/// Weights of one layer by how engines store and split them. "Other" weights (norms, biases,
/// router, sinks) stay 2 bytes and are held whole by every GPU.
struct LayerParameters {
  double attention_split = 0;       ///< linear, divided by tensor parallelism
  double attention_replicated = 0;  ///< linear, whole on each GPU: MLA down-projections, indexer
  double dense_mlp = 0;             ///< linear, divided by tensor parallelism
  double expert = 0;                ///< linear, one routed expert
  double expert_other = 0;          ///< biases of one routed expert
  double shared = 0;                ///< linear, all shared experts
  double router = 0;
  double other = 0;
};
[[nodiscard]] LayerParameters layer_parameters(const ModelConfig& model, const LayerGroup& layer);

/// The type linear layers outside the experts have when a plan asks for `type`: a model published
/// with experts of that very type keeps its other layers as published (gpt-oss: bf16).
[[nodiscard]] DataType linear_type(const ModelConfig& model, DataType type);
/// The type of expert weights: as published when the model publishes one, else `type`.
[[nodiscard]] DataType expert_type(const ModelConfig& model, DataType type);

/// Bytes of all weights when linear layers are stored as `type` (norms, router, embeddings and LM
/// head stay 2 bytes; experts keep `published_expert_type` when the model has one).
[[nodiscard]] double weight_bytes(const ModelConfig& model, DataType type);
/// KV-cache bytes one token adds over all layers, on one GPU holding all heads. MLA: latent + rope
/// once per layer. Sliding and chunked layers count fully (their cap is applied by the caller
/// through `kv_bytes_of_sequence`).
[[nodiscard]] double kv_bytes_per_token(const ModelConfig& model, DataType type);
/// The same for one layer and `kv_heads` heads (ignored by MLA). V3.2 adds the indexer's key cache.
[[nodiscard]] double kv_bytes_per_token_layer(const ModelConfig& model, DataType type,
                                              int kv_heads);
/// KV-cache bytes of one sequence of `tokens`: windowed layers hold at most their window.
[[nodiscard]] double kv_bytes_of_sequence(const ModelConfig& model, DataType type, double tokens);
/// Forward FLOPs of one token at context length `context`: 2 x active linear parameters (LM head
/// in, input embedding out) + attention (MLA un-absorbed: 2 x heads x (qk + v) per pair).
[[nodiscard]] double flops_per_token(const ModelConfig& model, double context);

}  // namespace rackwright::workloads
