#include "workloads/model_config.hpp"

#include <algorithm>

namespace rackwright::workloads {
namespace {

/// Bytes per token and layer of the V3.2 indexer's key cache: FP8 plus one fp32 scale per 128
/// elements, whatever type the latent cache has (DeepSeek-V3.2 inference code, vLLM).
double indexer_cache_bytes(const SparseIndexer& indexer) {
  return indexer.head_dim * (1.0 + 4.0 / 128.0);
}

double linear_attention_weights(const LayerParameters& layer) {
  return layer.attention_split + layer.attention_replicated;
}

}  // namespace

int ModelConfig::layer_count() const {
  int count = 0;
  for (const LayerGroup& group : layers) count += group.count;
  return count;
}

int ModelConfig::attention_clip() const {
  int clip = attention.indexer ? attention.indexer->top_k : 0;
  for (const LayerGroup& group : layers) {
    if (group.window > 0 && (clip == 0 || group.window < clip)) clip = group.window;
  }
  return clip;
}

DataType linear_type(const ModelConfig& model, DataType type) {
  return model.published_expert_type == type ? model.published_type : type;
}

DataType expert_type(const ModelConfig& model, DataType type) {
  return model.published_expert_type.value_or(type);
}

namespace {

void add_latent_attention(const ModelConfig& model, LayerParameters& layer) {
  const AttentionConfig& attention = model.attention;
  const LatentAttention& latent = *attention.latent;
  const double hidden = model.hidden;
  const double heads = attention.heads;
  const double query_head = latent.qk_nope_head_dim + latent.qk_rope_head_dim;
  const double query_rank = latent.q_lora_rank;
  const double query_input = query_rank > 0 ? query_rank : hidden;
  layer.attention_replicated += hidden * query_rank;
  layer.attention_replicated += hidden * (latent.kv_lora_rank + latent.qk_rope_head_dim);
  layer.attention_split += query_input * heads * query_head;
  layer.attention_split +=
      latent.kv_lora_rank * heads * (latent.qk_nope_head_dim + latent.v_head_dim);
  layer.attention_split += heads * latent.v_head_dim * hidden;
  layer.other += query_rank + latent.kv_lora_rank;
  if (attention.indexer) {
    const SparseIndexer& indexer = *attention.indexer;
    layer.attention_replicated += query_input * indexer.heads * indexer.head_dim;
    layer.attention_replicated += hidden * indexer.head_dim;
    layer.other += hidden * indexer.heads + 2.0 * indexer.head_dim;
  }
}

void add_grouped_attention(const ModelConfig& model, LayerParameters& layer) {
  const AttentionConfig& attention = model.attention;
  const double query = static_cast<double>(attention.heads) * attention.head_dim;
  const double key = static_cast<double>(attention.kv_heads) * attention.head_dim;
  layer.attention_split += model.hidden * (query + 2 * key) + query * model.hidden;
  if (attention.qkv_bias) layer.other += query + 2 * key;
  if (attention.output_bias) layer.other += model.hidden;
  if (attention.qk_norm) layer.other += 2.0 * attention.head_dim;
  if (attention.sinks) layer.other += attention.heads;
}

}  // namespace

LayerParameters layer_parameters(const ModelConfig& model, const LayerGroup& group) {
  LayerParameters layer;
  const double hidden = model.hidden;
  const double matrices = model.gated_mlp ? 3 : 2;
  layer.other = 2 * hidden;  // two norms
  if (model.attention.latent) {
    add_latent_attention(model, layer);
  } else {
    add_grouped_attention(model, layer);
  }
  if (!group.moe) {
    layer.dense_mlp = matrices * hidden * group.dense_intermediate;
    if (model.mlp_bias) layer.other += (matrices - 1) * group.dense_intermediate + hidden;
    return layer;
  }
  const ExpertConfig& experts = *model.experts;
  layer.expert = matrices * hidden * experts.intermediate;
  if (experts.expert_bias) {
    layer.expert_other = (matrices - 1) * experts.intermediate + hidden;
  }
  layer.shared = matrices * hidden * experts.shared_intermediate;
  layer.router = hidden * experts.routed + (experts.router_bias ? experts.routed : 0);
  if (experts.shared_gate) layer.router += hidden;
  return layer;
}

ParameterCount count_parameters(const ModelConfig& model) {
  ParameterCount count;
  const double table = static_cast<double>(model.vocabulary) * model.hidden;
  count.embedding = model.tied_embeddings ? table : 2 * table;
  count.vision = model.vision ? model.vision->parameters : 0;
  double common = model.hidden;  // final norm
  double active_experts = 0;
  for (const LayerGroup& group : model.layers) {
    const LayerParameters layer = layer_parameters(model, group);
    common += group.count * (linear_attention_weights(layer) + layer.dense_mlp + layer.shared +
                             layer.router + layer.other);
    if (!group.moe) continue;
    const double expert = group.count * (layer.expert + layer.expert_other);
    count.routed_experts += expert * model.experts->routed;
    active_experts += expert * model.experts->top_k;
  }
  count.total = common + count.routed_experts + count.embedding + count.vision;
  count.active_without_embedding = common + active_experts + table;
  count.active =
      common + active_experts + (model.active_counts_embedding ? count.embedding : table);
  return count;
}

double weight_bytes(const ModelConfig& model, DataType type) {
  const double linear = bytes_per_element(linear_type(model, type));
  const double expert = bytes_per_element(expert_type(model, type));
  const ParameterCount count = count_parameters(model);
  double bytes = 2 * (count.embedding + count.vision + model.hidden);
  for (const LayerGroup& group : model.layers) {
    const LayerParameters layer = layer_parameters(model, group);
    const int routed = group.moe ? model.experts->routed : 0;
    bytes +=
        group.count * (linear * (linear_attention_weights(layer) + layer.dense_mlp + layer.shared) +
                       2 * (layer.router + layer.other) +
                       routed * (expert * layer.expert + 2 * layer.expert_other));
  }
  return bytes;
}

double kv_bytes_per_token_layer(const ModelConfig& model, DataType type, int kv_heads) {
  const AttentionConfig& attention = model.attention;
  const double element = bytes_per_element(type);
  if (attention.latent) {
    const double latent = attention.latent->kv_lora_rank + attention.latent->qk_rope_head_dim;
    return latent * element + (attention.indexer ? indexer_cache_bytes(*attention.indexer) : 0);
  }
  return 2.0 * kv_heads * attention.head_dim * element;
}

double kv_bytes_per_token(const ModelConfig& model, DataType type) {
  return model.layer_count() * kv_bytes_per_token_layer(model, type, model.attention.kv_heads);
}

double kv_bytes_of_sequence(const ModelConfig& model, DataType type, double tokens) {
  const double layer = kv_bytes_per_token_layer(model, type, model.attention.kv_heads);
  double bytes = 0;
  for (const LayerGroup& group : model.layers) {
    const double held = group.window > 0 ? std::min<double>(tokens, group.window) : tokens;
    bytes += group.count * held * layer;
  }
  return bytes;
}

double flops_per_token(const ModelConfig& model, double context) {
  const AttentionConfig& attention = model.attention;
  double weights = static_cast<double>(model.vocabulary) * model.hidden;  // LM head
  double flops = 0;
  for (const LayerGroup& group : model.layers) {
    const LayerParameters layer = layer_parameters(model, group);
    weights += group.count * (linear_attention_weights(layer) + layer.dense_mlp + layer.shared);
    if (group.moe) {
      weights += group.count * (layer.expert * model.experts->top_k +
                                static_cast<double>(model.hidden) * model.experts->routed);
    }
    double seen = group.window > 0 ? std::min<double>(context, group.window) : context;
    double per_pair = 4.0 * attention.heads * attention.head_dim;
    if (attention.latent) {
      per_pair = 2.0 * attention.heads * (attention.head_dim + attention.latent->v_head_dim);
    }
    if (attention.indexer) {
      const SparseIndexer& indexer = *attention.indexer;
      flops += group.count * 2.0 * context * indexer.heads * indexer.head_dim;
      weights += group.count * static_cast<double>(model.hidden) * indexer.heads;
      seen = std::min<double>(seen, indexer.top_k);
    }
    flops += group.count * per_pair * seen;
  }
  return flops + 2 * weights;
}

}  // namespace rackwright::workloads
