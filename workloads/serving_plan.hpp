#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/json_document.hpp"
#include "workloads/data_type.hpp"
#include "workloads/model_config.hpp"

namespace rackwright::workloads {

/// Which all-reduce the tensor-parallel group uses.
enum class AllReduceKind { engine, nccl, nccl_symmetric };
[[nodiscard]] std::string_view to_string(AllReduceKind kind);

/// Speculative decoding: a draft proposes `draft_tokens`, each accepted with probability
/// `acceptance`; expected tokens per step (1 - a^(g+1)) / (1 - a).
struct SpeculativeDraft {
  int draft_tokens = 0;
  double acceptance = 0.0;
  double draft_cost = 0.0;  ///< time of one draft step as a share of one target decode step
};

/// How one replica of a model is spread over GPUs and run.
struct ServingPlan {
  int tp = 1;  ///< tensor parallel, inside one scale-up domain
  int pp = 1;  ///< pipeline parallel
  int dp = 1;  ///< data-parallel attention ranks inside one replica (MoE models)
  /// Expert parallel over tp x dp GPUs; divides it; the rest is expert tensor parallel. 0 = all of
  /// them for a MoE model, 1 for a dense one (`resolved`).
  int ep = 1;
  int cp = 1;  ///< context parallel
  DataType weights = DataType::bf16;
  DataType kv = DataType::bf16;
  int max_batch = 256;       ///< sequences running at once in the replica
  int prefill_chunk = 8192;  ///< tokens of one step, decode tokens included
  int kv_block = 64;         ///< tokens of one KV block
  bool prefix_cache = false;
  AllReduceKind all_reduce = AllReduceKind::engine;
  std::optional<SpeculativeDraft> speculative;
  double expert_skew = 0.0;  ///< exponent a of the power law of expert popularity; 0 = balanced

  [[nodiscard]] int gpus() const { return tp * pp * dp * cp; }
  /// "TP8", "TP1 DP72 EP72 …" for tables.
  [[nodiscard]] std::string label() const;
};

/// Reads a plan; `tp`, `dp`, `ep`, `prefill_chunk` may be lists, and the result holds every consistent combination
/// (the caller picks the best). An absent `ep` stays 0, see `resolved`. Problems: ep not dividing
/// tp x dp, values under 1, unknown keys, ….
[[nodiscard]] std::vector<ServingPlan> read_serving_plans(ObjectReader& reader);

/// `plan` with `ep` filled in for `model`: 0 becomes tp x dp for a MoE model (at most the number of
/// experts) and 1 for a dense one.
[[nodiscard]] ServingPlan resolved(ServingPlan plan, const ModelConfig& model);
/// Why `model` cannot run under `plan` ("" when it can): heads not divisible by tp, ep on a dense
/// model, ep not dividing tp x dp, more stages than layers, ….
[[nodiscard]] std::string plan_problem(const ModelConfig& model, const ServingPlan& plan);

/// Bytes on the fullest GPU of a replica.
///
/// Weights: attention and dense MLP are divided by tp (KV projections replicate when tp exceeds the
/// KV heads; MLA down-projections and the indexer are whole on each GPU); experts by ep, the rest
/// of tp x dp splits each expert; shared experts by tp, whole with dp > 1 (as DeepEP engines keep
/// them); embedding and LM head by tp; pp gives a stage ceil(layers / pp) of each kind.
///
/// Activations: t = ceil(prefill_chunk / (dp cp)) tokens of one chunk on this GPU, bf16, the widest
/// layer's live set: t x 2 B x (4 hidden + max(qkv + attention output, gate, up and their product,
/// expert inputs and outputs of the heaviest balanced rank)), plus logits of ceil(max_batch / dp)
/// sequences, (2 + 4) B x vocabulary / tp each.
///
/// KV: layers with a window either count fully or as max_batch full windows set aside, whichever
/// leaves room for more tokens (hybrid cache managers do the latter).
struct MemoryUse {
  double weights = 0;
  double activations = 0;
  double reserve = 0;       ///< 10 % of the capacity
  double kv_available = 0;  ///< what is left for KV cache; negative when the model does not fit
  double kv_per_token =
      0;  ///< on that GPU; MLA latent replicated over TP, KV heads when TP > heads
  [[nodiscard]] bool fits() const { return kv_available > 0; }
  /// Tokens of KV cache the whole replica can hold (per attention rank x dp).
  double kv_tokens = 0;
};
[[nodiscard]] MemoryUse memory_use(const ModelConfig& model, const ServingPlan& plan,
                                   double gpu_memory_bytes);
/// Throws InputError unless `memory_use(...)` fits and holds `longest_request` tokens; the message
/// says how much is missing and names the smallest plan (tp up to `max_gpus`) that would fit.
void check_memory(const ModelConfig& model, const ServingPlan& plan, double gpu_memory_bytes,
                  double longest_request, int max_gpus);

}  // namespace rackwright::workloads
