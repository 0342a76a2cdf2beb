#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "workloads/model_config.hpp"
#include "workloads/operator.hpp"
#include "workloads/serving_plan.hpp"
#include "workloads/step_shape.hpp"

namespace rackwright::workloads {

/// One step of one GPU (the heaviest rank). Operators run in order within a lane; identical layers
/// are stored once with `repeat`. Lanes synchronise at collectives.
struct OperatorGraph {
  std::vector<Operator> operators;
};

/// How many token-expert pairs the heaviest expert-parallel rank gets, and how many of its experts
/// at least one token reaches. Popularity of expert i is proportional to i^-skew; a token picks
/// top_k different experts, so no expert is picked with a probability over 1. Experts are placed at
/// random (they are numbered without regard to popularity); slots over the number of experts hold
/// second copies of the most popular ones. Expectation over random placements (fixed seed), as
/// layers differ in placement.
class ExpertLoad {
 public:
  ExpertLoad() = default;
  /// All counts at least 1, top_k <= experts, ranks <= experts, skew >= 0.
  ExpertLoad(int experts, int top_k, int ranks, double skew);
  /// Load of the heaviest rank over the mean; 1 when balanced.
  [[nodiscard]] double imbalance() const { return imbalance_; }
  /// Experts of the heaviest rank with at least one of `tokens` tokens of the whole group.
  /// Balanced: local (1 - (1 - top_k / experts)^tokens).
  [[nodiscard]] double touched(double tokens) const;
  [[nodiscard]] int local_experts() const { return local_; }

 private:
  static constexpr int kPointsPerOctave = 4;
  static constexpr int kOctaves = 24;

  int local_ = 1;
  bool balanced_ = true;
  double log_miss_ = 0;  ///< balanced: ln(1 - probability of one slot)
  double imbalance_ = 1;
  std::array<double, kPointsPerOctave * kOctaves + 1> touched_{};
};

/// Probability that a token picks each of the experts of the heaviest rank, the most popular first:
/// popularity as of ExpertLoad, one random placement drawn by `seed`.
[[nodiscard]] std::vector<double> heaviest_rank_picks(int experts, int top_k, int ranks,
                                                      double skew, std::uint64_t seed);

/// Lowers steps of one model under one plan. Reuse it: `lower` then allocates nothing.
///
/// What a step becomes:
/// - Data-parallel attention: a rank takes ceil(tokens / dp) tokens. Pipeline: the step is cut into
///   pp micro-batches; a GPU runs each through its stage, so m shrinks by pp and `repeat` stays the
///   number of layers. This is the time of the step (all stages in turn) and the work of a GPU once
///   there are pp sequences or more. Context parallel: prompt tokens and cached context are cut by
///   cp.
/// - Attention kernels are separate for prefill and decode; windowed layers use the clipped sums.
/// - MLA: prefill un-absorbed (kv_b over all cached tokens), decode absorbed. The absorptions are
///   batched products (heads x [m,k] x [k,n]); each is written as one GEMM of equal FLOPs and
///   bytes. V3.2: the indexer scores every cached token (written as attention of half the head
///   dimension: the same FLOPs and bytes without the value product), then attention reads top_k of
///   them.
/// - MoE with dp = 1: the tokens are on all TP ranks already, so there is no all-to-all; each rank
///   runs its experts and the layer's second all-reduce combines (vLLM, SGLang). With dp > 1:
///   reduce-scatter after attention, dispatch (FP8 with a scale per 128 when weights are 8 bits or
///   fewer, else bf16), experts, combine in bf16, all-gather; one copy per chosen expert, as
///   DeepEP's low-latency kernels send. With ep = 1 and dp > 1: all-gather and reduce-scatter
///   instead.
/// - Speculative decoding: a decoding sequence brings 1 + draft_tokens tokens to verify. The time
/// of
///   the draft itself is added by the replay.
/// - The vision tower encodes `StepShape::prefill_image_tokens` (TP-split as in vLLM).
class Lowering {
 public:
  /// `model` and `plan` are copied; `plan().ep` is resolved. Throws std::invalid_argument when plan
  /// and model disagree (`plan_problem`).
  Lowering(ModelConfig model, ServingPlan plan);
  /// Fills `graph` with the operators of `step`, m,n,k per GPU after TP/EP/DP. MoE expert load of
  /// the heaviest rank follows `plan.expert_skew`.
  void lower(const StepShape& step, OperatorGraph& graph) const;
  [[nodiscard]] const ModelConfig& model() const { return model_; }
  [[nodiscard]] const ServingPlan& plan() const { return plan_; }
  [[nodiscard]] const ExpertLoad& expert_load() const { return load_; }

 private:
  friend class StepEmitter;
  friend class StepLowering;

  /// Layers that share a window, or a dense MLP width.
  struct Repeated {
    std::uint32_t repeat = 0;
    int value = 0;
  };

  ModelConfig model_;
  ServingPlan plan_;
  ExpertLoad load_;
  std::uint32_t layers_ = 0;
  std::uint32_t moe_layers_ = 0;
  std::vector<Repeated> windows_;
  std::vector<Repeated> dense_;
  DataType linear_ = DataType::bf16;
  DataType expert_ = DataType::bf16;
};

}  // namespace rackwright::workloads
