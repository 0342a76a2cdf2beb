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

/// Vision tower: a ViT over patches and a projector. `tokens_per_image` is what one image adds to
/// the prompt at the native resolution, 0 when it varies with resolution.
struct VisionConfig {
  int depth = 0;
  int hidden = 0;
  int intermediate = 0;
  int heads = 0;
  int patch_size = 0;
  int merge = 1;
  int out_hidden = 0;
  double parameters = 0;
};

/// What a Hugging Face `config.json` says about shape. Everything is a count of elements.
struct ModelConfig {
  std::string name;
  std::string architecture;
  int hidden = 0;
  int vocabulary = 0;
  bool tied_embeddings = false;
  bool gated_mlp = true;
  int max_positions = 0;
  AttentionConfig attention;
  std::optional<ExpertConfig> experts;
  std::vector<LayerGroup> layers;
  std::optional<VisionConfig> vision;
  DataType published_type = DataType::bf16;           ///< of linear weights
  std::optional<DataType> published_expert_type;      ///< gpt-oss: mxfp4
  int next_token_predict_layers = 0;                  ///< DeepSeek MTP; not counted in parameters
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

struct ParameterCount {
  double total = 0;
  double active = 0;  ///< touched for one token, embeddings of the vocabulary included as published
  double routed_experts = 0;
  double embedding = 0;
  double vision = 0;
};
[[nodiscard]] ParameterCount count_parameters(const ModelConfig& model);

/// Bytes of all weights when linear layers are stored as `type` (norms, router, embeddings and LM
/// head stay 2 bytes; experts keep `published_expert_type` when the model has one).
[[nodiscard]] double weight_bytes(const ModelConfig& model, DataType type);
/// KV-cache bytes one token adds over all layers, on one GPU holding all heads. MLA: latent + rope
/// once per layer. Sliding and chunked layers count fully (their cap is applied by the caller
/// through `kv_bytes_of_sequence`).
[[nodiscard]] double kv_bytes_per_token(const ModelConfig& model, DataType type);
/// KV-cache bytes of one sequence of `tokens`: windowed layers hold at most their window.
[[nodiscard]] double kv_bytes_of_sequence(const ModelConfig& model, DataType type, double tokens);
/// Forward FLOPs of one token at context length `context`: 2 x active linear parameters + attention.
[[nodiscard]] double flops_per_token(const ModelConfig& model, double context);

}  // namespace rackwright::workloads
