#include "workloads/operator_graph.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "workloads/step_emitter.hpp"

namespace rackwright::workloads {
namespace {

std::uint32_t stage_repeat(int count, int stages) {
  return static_cast<std::uint32_t>((count + stages - 1) / stages * stages);
}

}  // namespace

Lowering::Lowering(ModelConfig model, ServingPlan plan)
    : model_(std::move(model)), plan_(resolved(std::move(plan), model_)) {
  if (const std::string problem = plan_problem(model_, plan_); !problem.empty()) {
    throw std::invalid_argument(model_.name + " under " + plan_.label() + ": " + problem);
  }
  linear_ = linear_type(model_, plan_.weights);
  expert_ = expert_type(model_, plan_.weights);
  const auto add = [](std::vector<Repeated>& list, std::uint32_t repeat, int value) {
    const auto same = std::find_if(list.begin(), list.end(),
                                   [value](const Repeated& item) { return item.value == value; });
    if (same == list.end()) {
      list.push_back({repeat, value});
    } else {
      same->repeat += repeat;
    }
  };
  for (const LayerGroup& group : model_.layers) {
    const std::uint32_t repeat = stage_repeat(group.count, plan_.pp);
    layers_ += repeat;
    add(windows_, repeat, group.window);
    if (group.moe) {
      moe_layers_ += repeat;
    } else {
      add(dense_, repeat, group.dense_intermediate);
    }
  }
  if (model_.experts) {
    load_ = ExpertLoad(model_.experts->routed, model_.experts->top_k, plan_.ep, plan_.expert_skew);
  }
}

/// Builds the graph of one step, from the embedding to sampling.
class StepLowering : private StepEmitter {
 public:
  using StepEmitter::StepEmitter;

  void build() {
    if (step_tokens_ > 0) {
      if (model_.vision && step_.prefill_image_tokens > 0) vision();
      embedding();
      attention_block();
      for (const auto& dense : lowering_.dense_) dense_mlp(dense.repeat, dense.value);
      if (lowering_.moe_layers_ > 0) moe_block();
      head();
    }
    host();
  }

 private:
  // ---- start and end ----
  void embedding() {
    const double bytes = hidden_bytes(tokens_);
    elementwise("embedding", stages(), bytes / plan_.tp, bytes, 0,
                {ElementwiseKernel::gather, tokens_, static_cast<double>(model_.hidden)});
    all_reduce("embedding_all_reduce", stages(), bytes);
  }
  void head() {
    if (plan_.pp > 1) {
      collective(
          "stage_send", stages(),
          {CollectiveKind::send_recv, 2, hidden_bytes(tokens_), AllReduceKind::nccl, 1, false});
    }
    norm("final_norm", stages(), tokens_);
    if (sampled_ <= 0) return;
    const double vocabulary = model_.vocabulary;
    gemm("lm_head", stages(), sampled_, std::ceil(vocabulary / plan_.tp), model_.hidden,
         DataType::bf16);
    collective("logits_all_gather", stages(),
               {CollectiveKind::all_gather, plan_.tp, sampled_ * vocabulary * kBf16,
                AllReduceKind::nccl, 1, false});
    // bf16 logits become fp32, which softmax and the draw read again.
    emit("sampling", OperatorClass::sampling, stages(),
         ElementwiseShape{sampled_ * vocabulary * (kBf16 + kFp32),
                          sampled_ * vocabulary * kFp32,
                          5 * sampled_ * vocabulary,
                          {ElementwiseKernel::sample, sampled_, vocabulary}});
  }
  void host() {
    emit("host", OperatorClass::host, 1,
         HostShape{std::ceil(static_cast<double>(step_.prefill_sequences + step_.decode_sequences) /
                             plan_.dp)});
  }

  // ---- attention ----
  void attention_block() {
    norm("attention_norm", lowering_.layers_, tokens_);
    if (model_.attention.latent) {
      latent_attention();
    } else {
      grouped_attention();
    }
    if (plan_.cp > 1) context_exchange();
    output_reduce();
    norm("mlp_norm", lowering_.layers_, tokens_);
  }

  /// After the output projection. MoE layers under data-parallel attention scatter, so that each
  /// rank dispatches its own tokens; all others reduce.
  void output_reduce() {
    const std::uint32_t scattered = plan_.dp > 1 ? lowering_.moe_layers_ : 0;
    if (lowering_.layers_ > scattered) {
      all_reduce("attention_all_reduce", lowering_.layers_ - scattered, hidden_bytes(tokens_));
    }
    if (scattered > 0) {
      collective("attention_reduce_scatter", scattered,
                 {CollectiveKind::reduce_scatter, plan_.tp, hidden_bytes(tokens_),
                  AllReduceKind::nccl, 1, false});
    }
  }

  void grouped_attention() {
    const AttentionConfig& attention = model_.attention;
    const double head = attention.head_dim;
    const double query = heads_ * head;
    const double key = kv_heads_ * head;
    gemm("qkv_proj", lowering_.layers_, tokens_, query + 2 * key, model_.hidden, lowering_.linear_);
    const double rotated = tokens_ * (query + key) * kBf16;
    if (attention.qk_norm) {
      elementwise("qk_norm", lowering_.layers_, rotated, rotated, 4 * tokens_ * (query + key),
                  {ElementwiseKernel::norm, tokens_ * (heads_ + kv_heads_), head});
    }
    elementwise("rotary_kv_append", lowering_.layers_, rotated + tokens_ * key * kBf16,
                rotated + 2 * tokens_ * key * bytes_per_element(plan_.kv),
                3 * tokens_ * (query + key), rotary(heads_, kv_heads_, attention.head_dim, 0));
    for (const auto& window : lowering_.windows_) attention_kernels(window.repeat, window.value);
    gemm("o_proj", lowering_.layers_, tokens_, model_.hidden, query, lowering_.linear_);
  }

  [[nodiscard]] ElementwiseSize rotary(int heads, int kv_heads, int head_dim, int latent) const {
    ElementwiseSize size{ElementwiseKernel::rotary_append, tokens_};
    size.heads = heads, size.kv_heads = kv_heads, size.head_dim = head_dim, size.latent = latent;
    size.kv_type = plan_.kv;
    return size;
  }

  [[nodiscard]] AttentionShape attention_shape(int window) const {
    AttentionShape shape;
    shape.heads = heads_;
    shape.kv_heads = kv_heads_;
    shape.head_dim = model_.attention.head_dim;
    shape.kv_type = plan_.kv;
    shape.window = window;
    shape.sinks = model_.attention.sinks;
    return shape;
  }

  void attention_kernels(std::uint32_t repeat, int window) {
    AttentionShape shape = attention_shape(window);
    if (step_.prefill_tokens > 0) {
      shape.prefill = true;
      shape.sequences = std::max(1.0, step_.prefill_sequences * prefill_share_);
      shape.query_tokens = step_.prefill_tokens * prefill_share_ / plan_.cp;
      shape.pairs = prefill_pairs(window > 0) / plan_.cp;
      shape.kv_tokens = prefill_kv_tokens(window);
      emit("attention_prefill", OperatorClass::attention_prefill, repeat, shape);
    }
    if (step_.decode_sequences > 0) {
      shape.prefill = false;
      shape.sequences = step_.decode_sequences * decode_share_;
      shape.query_tokens = shape.sequences * verify_;
      shape.kv_tokens = decode_context(window > 0) / plan_.cp;
      shape.pairs = shape.kv_tokens * verify_;
      emit("attention_decode", OperatorClass::attention_decode, repeat, shape);
    }
  }

  [[nodiscard]] double prefill_pairs(bool clipped) const {
    return (clipped ? step_.prefill_pairs_clipped : step_.prefill_pairs) * prefill_share_;
  }
  [[nodiscard]] double decode_context(bool clipped) const {
    return (clipped ? step_.decode_context_clipped : step_.decode_context) * decode_share_;
  }
  /// A windowed layer reads the new tokens and at most one window before them.
  [[nodiscard]] double prefill_kv_tokens(int window) const {
    double tokens = std::max<double>(step_.prefill_context, step_.prefill_tokens);
    if (window > 0) {
      tokens = std::min<double>(
          tokens, step_.prefill_tokens + static_cast<double>(step_.prefill_sequences) * window);
    }
    return tokens * prefill_share_;
  }

  /// Ring or all-gather of K and V for prefill; queries out and partial outputs back for decode.
  void context_exchange() {
    const double layer = kv_bytes_per_token_layer(model_, plan_.kv, kv_heads_);
    const double width = model_.attention.latent
                             ? static_cast<double>(model_.attention.latent->kv_lora_rank)
                             : static_cast<double>(model_.attention.head_dim);
    if (step_.prefill_tokens > 0) {
      collective("context_kv_all_gather", lowering_.layers_,
                 {CollectiveKind::all_gather, plan_.cp, prefill_kv_tokens(0) * layer,
                  AllReduceKind::nccl, 1, false});
    }
    if (step_.decode_sequences > 0) {
      const double queries = step_.decode_sequences * decode_share_ * verify_ * heads_ * width;
      collective(
          "context_query_all_gather", lowering_.layers_,
          {CollectiveKind::all_gather, plan_.cp, queries * kBf16, AllReduceKind::nccl, 1, false});
      collective("context_output_reduce_scatter", lowering_.layers_,
                 {CollectiveKind::reduce_scatter, plan_.cp, plan_.cp * queries * kFp32,
                  AllReduceKind::nccl, 1, false});
    }
  }

  // ---- multi-head latent attention ----
  void latent_attention() {
    const LatentAttention& latent = *model_.attention.latent;
    const std::uint32_t layers = lowering_.layers_;
    const double cached = latent.kv_lora_rank + latent.qk_rope_head_dim;
    const double query = heads_ * static_cast<double>(model_.attention.head_dim);
    gemm("qkv_a_proj", layers, tokens_, latent.q_lora_rank + cached, model_.hidden,
         lowering_.linear_);
    const double ranks = tokens_ * (latent.q_lora_rank + latent.kv_lora_rank);
    elementwise("latent_norm", layers, ranks * kBf16, ranks * kBf16, 4 * ranks,
                {ElementwiseKernel::norm, tokens_,
                 static_cast<double>(latent.q_lora_rank + latent.kv_lora_rank)});
    const double query_input = latent.q_lora_rank > 0 ? latent.q_lora_rank : model_.hidden;
    gemm("q_b_proj", layers, tokens_, query, query_input, lowering_.linear_);
    const double rotated = tokens_ * (heads_ + 1.0) * latent.qk_rope_head_dim;
    elementwise("rotary_kv_append", layers, (rotated + tokens_ * latent.kv_lora_rank) * kBf16,
                rotated * kBf16 + tokens_ * cached * bytes_per_element(plan_.kv), 3 * rotated,
                rotary(heads_, 1, latent.qk_rope_head_dim, latent.kv_lora_rank));
    const bool sparse = model_.attention.indexer.has_value();
    if (sparse) indexer(query_input);
    // Sparse prefill runs absorbed, like decode; prompts within top_k run un-absorbed.
    const bool absorbed = sparse && step_.prefill_pairs_clipped < step_.prefill_pairs;
    if (step_.prefill_tokens > 0) {
      if (absorbed) {
        absorbed_attention(true, prefill_tokens_);
      } else {
        unabsorbed_prefill();
      }
    }
    if (step_.decode_sequences > 0) absorbed_attention(false, decode_tokens_);
    gemm("o_proj", layers, tokens_, model_.hidden, heads_ * static_cast<double>(latent.v_head_dim),
         lowering_.linear_);
  }

  [[nodiscard]] LatentAttentionShape latent_shape() const {
    const LatentAttention& latent = *model_.attention.latent;
    LatentAttentionShape shape;
    shape.heads = heads_;
    shape.latent = latent.kv_lora_rank;
    shape.rope = latent.qk_rope_head_dim;
    shape.nope = latent.qk_nope_head_dim;
    shape.v = latent.v_head_dim;
    shape.kv_type = plan_.kv;
    return shape;
  }

  void unabsorbed_prefill() {
    LatentAttentionShape shape = latent_shape();
    shape.prefill = true;
    shape.sequences = std::max(1.0, step_.prefill_sequences * prefill_share_);
    shape.query_tokens = step_.prefill_tokens * prefill_share_ / plan_.cp;
    shape.pairs = prefill_pairs(false) / plan_.cp;
    shape.kv_tokens = prefill_kv_tokens(0);
    gemm("kv_b_proj", lowering_.layers_, shape.kv_tokens, heads_ * (shape.nope + shape.v),
         shape.latent, lowering_.linear_);
    emit("attention_prefill", OperatorClass::attention_prefill, lowering_.layers_, shape);
  }

  void absorbed_attention(bool prefill, double tokens) {
    const bool sparse = model_.attention.indexer.has_value();
    LatentAttentionShape shape = latent_shape();
    if (prefill) {
      shape.sequences = std::max(1.0, step_.prefill_sequences * prefill_share_);
      shape.query_tokens = step_.prefill_tokens * prefill_share_ / plan_.cp;
      shape.pairs = prefill_pairs(sparse) / plan_.cp;
      shape.kv_tokens = std::min(prefill_kv_tokens(0), shape.pairs);
    } else {
      shape.sequences = step_.decode_sequences * decode_share_;
      shape.query_tokens = shape.sequences * verify_;
      shape.kv_tokens = decode_context(sparse) / plan_.cp;
      shape.pairs = shape.kv_tokens * verify_;
    }
    batched_gemm(prefill ? "q_absorb_prefill" : "q_absorb", tokens, shape.latent, shape.nope);
    emit(prefill ? "attention_prefill" : "attention_decode",
         prefill ? OperatorClass::attention_prefill : OperatorClass::attention_decode,
         lowering_.layers_, shape);
    batched_gemm(prefill ? "v_absorb_prefill" : "v_absorb", tokens, shape.v, shape.latent);
  }

  /// heads x ([m,k] x [k,n]) in bf16 (engines keep the absorbed weights so) as one GEMM [m, N, K]
  /// of the same FLOPs and bytes: N K = heads n k and N + K = heads (n + k).
  void batched_gemm(std::string_view name, double m, double n, double k) {
    const double sum = heads_ * (n + k);
    const double product = heads_ * n * k;
    const double wide = 0.5 * (sum + std::sqrt(std::max(0.0, sum * sum - 4 * product)));
    gemm(name, lowering_.layers_, m, wide, product / wide, DataType::bf16);
  }

  void indexer(double query_input) {
    const SparseIndexer& indexer = *model_.attention.indexer;
    const std::uint32_t layers = lowering_.layers_;
    const double width = static_cast<double>(indexer.heads) * indexer.head_dim;
    gemm("indexer_q_proj", layers, tokens_, width, query_input, lowering_.linear_);
    gemm("indexer_k_proj", layers, tokens_, indexer.head_dim + indexer.heads, model_.hidden,
         DataType::bf16);
    AttentionShape shape;
    shape.heads = indexer.heads;
    shape.kv_heads = 1;
    shape.head_dim = indexer.head_dim / 2;
    shape.kv_type = DataType::fp8;
    if (step_.prefill_tokens > 0) {
      shape.prefill = true;
      shape.sequences = std::max(1.0, step_.prefill_sequences * prefill_share_);
      shape.query_tokens = step_.prefill_tokens * prefill_share_ / plan_.cp;
      shape.pairs = prefill_pairs(false) / plan_.cp;
      shape.kv_tokens = prefill_kv_tokens(0);
      emit("indexer_scores_prefill", OperatorClass::attention_prefill, layers, shape);
      top_k("indexer_top_k_prefill", shape.pairs, shape.query_tokens);
    }
    if (step_.decode_sequences > 0) {
      shape.prefill = false;
      shape.sequences = step_.decode_sequences * decode_share_;
      shape.query_tokens = shape.sequences * verify_;
      shape.kv_tokens = decode_context(false) / plan_.cp;
      shape.pairs = shape.kv_tokens * verify_;
      emit("indexer_scores", OperatorClass::attention_decode, layers, shape);
      top_k("indexer_top_k", shape.pairs, shape.query_tokens);
    }
  }
  /// One fp32 score per pair is written and read; top_k positions per query come out.
  void top_k(std::string_view name, double pairs, double queries) {
    const double kept = model_.attention.indexer->top_k;
    elementwise(name, lowering_.layers_, pairs * kFp32, pairs * kFp32 + queries * kept * kFp32,
                2 * pairs,
                {ElementwiseKernel::top_k, queries, pairs / std::max(1.0, queries), kept});
  }

  // ---- MLP ----
  void dense_mlp(std::uint32_t repeat, int intermediate) {
    mlp_gemms({"gate_up_proj", "silu_mul", "down_proj"}, repeat, tokens_,
              static_cast<double>(intermediate) / plan_.tp);
    all_reduce("mlp_all_reduce", repeat, hidden_bytes(tokens_));
  }
  struct MlpNames {
    std::string_view up, activation, down;
  };
  void mlp_gemms(const MlpNames& names, std::uint32_t repeat, double tokens, double width) {
    const double up = model_.gated_mlp ? 2 : 1;
    gemm(names.up, repeat, tokens, up * width, model_.hidden, lowering_.linear_);
    gated_activation(names.activation, repeat, tokens, width);
    gemm(names.down, repeat, tokens, model_.hidden, width, lowering_.linear_);
  }

  void moe_block() {
    const ExpertConfig& experts = *model_.experts;
    const std::uint32_t layers = lowering_.moe_layers_;
    const bool exchanged = plan_.dp > 1;
    const double own_tokens = exchanged ? std::ceil(tokens_ / plan_.tp) : tokens_;
    gemm("router", layers, own_tokens, experts.routed, model_.hidden, DataType::bf16);
    elementwise("expert_select", layers, own_tokens * experts.routed * kFp32,
                own_tokens * experts.top_k * 2 * kFp32, 5 * own_tokens * experts.routed,
                {ElementwiseKernel::route, own_tokens, static_cast<double>(experts.routed),
                 static_cast<double>(experts.top_k)});
    if (experts.shared_intermediate > 0) {
      mlp_gemms({"shared_gate_up_proj", "shared_silu_mul", "shared_down_proj"}, layers, own_tokens,
                static_cast<double>(experts.shared_intermediate) / (exchanged ? 1 : plan_.tp));
    }
    if (exchanged) exchange("expert_dispatch", own_tokens, dispatch_bytes(), true);
    const ExpertShape shape = expert_shape();
    emit("experts", OperatorClass::moe, layers, shape);
    // The weighted sum over a token's experts, done where the copies are.
    const double summed = std::min(own_tokens, shape.rank_tokens);
    elementwise("expert_sum", layers, shape.rank_tokens * model_.hidden * kBf16,
                hidden_bytes(summed), 2 * shape.rank_tokens * model_.hidden,
                {ElementwiseKernel::expert_sum, summed, static_cast<double>(model_.hidden),
                 shape.rank_tokens / summed});
    if (exchanged) {
      exchange("expert_combine", own_tokens, model_.hidden * kBf16, false);
      collective("moe_all_gather", layers,
                 {CollectiveKind::all_gather, plan_.tp, hidden_bytes(tokens_), AllReduceKind::nccl,
                  1, false});
    } else {
      all_reduce("moe_all_reduce", layers, hidden_bytes(tokens_));
    }
  }

  [[nodiscard]] double dispatch_bytes() const {
    const bool quantised = bytes_per_element(lowering_.expert_) < kBf16;
    return quantised ? model_.hidden * (1.0 + kFp32 / 128.0) : model_.hidden * kBf16;
  }

  [[nodiscard]] int expert_tp() const { return plan_.tp * plan_.dp / plan_.ep; }

  /// `own_tokens` of this rank go to their experts, or come back.
  void exchange(std::string_view name, double own_tokens, double token_bytes, bool outward) {
    const int ranks = plan_.tp * plan_.dp;
    CollectiveShape shape;
    shape.ranks = ranks;
    shape.implementation = AllReduceKind::nccl;
    if (plan_.ep == 1) {
      shape.kind = outward ? CollectiveKind::all_gather : CollectiveKind::reduce_scatter;
      shape.bytes = own_tokens * ranks * token_bytes;
    } else {
      shape.kind = CollectiveKind::all_to_all;
      shape.bytes = own_tokens * model_.experts->top_k * expert_tp() * token_bytes;
      shape.imbalance = lowering_.load_.imbalance();
      shape.expert_exchange = true;
      shape.exchange.tokens = own_tokens;
      shape.exchange.copies = static_cast<double>(model_.experts->top_k) * expert_tp();
      shape.exchange.experts = model_.experts->routed;
      shape.exchange.combine = !outward;
    }
    collective(name, lowering_.moe_layers_, shape);
  }

  [[nodiscard]] ExpertShape expert_shape() const {
    const ExpertConfig& experts = *model_.experts;
    ExpertShape shape;
    shape.tokens = step_tokens_ / (static_cast<double>(plan_.pp) * plan_.cp);
    shape.rank_tokens = shape.tokens * experts.top_k / plan_.ep * lowering_.load_.imbalance();
    shape.local_experts = lowering_.load_.local_experts();
    shape.touched_experts = std::min(lowering_.load_.touched(shape.tokens), shape.rank_tokens);
    shape.experts = experts.routed;
    shape.top_k = experts.top_k;
    shape.hidden = model_.hidden;
    shape.tp = expert_tp();
    shape.intermediate = (experts.intermediate + shape.tp - 1) / shape.tp;
    shape.ep = plan_.ep;
    shape.gated = model_.gated_mlp;
    shape.type = lowering_.expert_;
    shape.skew = plan_.expert_skew;
    return shape;
  }

  // ---- vision ----
  /// Patches attend within their image at the native resolution; no causal mask.
  void vision() {
    const VisionConfig& tower = *model_.vision;
    const auto depth = static_cast<std::uint32_t>(tower.depth * plan_.pp);
    const double images = step_.prefill_image_tokens * prefill_share_ / plan_.cp;
    const double patches = std::ceil(images * tower.merge * tower.merge);
    const double hidden = tower.hidden;
    const double split = plan_.tp;
    const double bytes = patches * hidden * kBf16;
    elementwise("vision_norm", 2 * depth, 2 * bytes, 2 * bytes, 5 * patches * hidden,
                {ElementwiseKernel::residual_norm, patches, hidden});
    gemm("vision_qkv_proj", depth, patches, 3 * hidden / split, hidden, DataType::bf16);
    AttentionShape shape;
    shape.prefill = true;
    shape.sequences = std::max(1.0, patches / tower.native_patches);
    shape.query_tokens = shape.kv_tokens = patches;
    shape.pairs = patches * std::min<double>(patches, tower.native_patches);
    shape.heads = shape.kv_heads = std::max(1, tower.heads / plan_.tp);
    shape.head_dim = tower.hidden / tower.heads;
    emit("vision_attention", OperatorClass::attention_prefill, depth, shape);
    gemm("vision_o_proj", depth, patches, hidden, hidden / split, DataType::bf16);
    gemm("vision_up_proj", depth, patches, tower.intermediate / split, hidden, DataType::bf16);
    const double width = patches * tower.intermediate / split * kBf16;
    elementwise("vision_gelu", depth, width, width, 4 * width);
    gemm("vision_down_proj", depth, patches, hidden, tower.intermediate / split, DataType::bf16);
    all_reduce("vision_all_reduce", 2 * depth, bytes);
    gemm("vision_projector", stages(), std::ceil(images), tower.out_hidden,
         tower.projector / tower.out_hidden / split, DataType::bf16);
  }
};

void Lowering::lower(const StepShape& step, OperatorGraph& graph) const {
  graph.operators.clear();
  StepLowering(*this, step, graph.operators).build();
}

}  // namespace rackwright::workloads
