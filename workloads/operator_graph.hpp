#pragma once

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

/// Lowers steps of one model under one plan. Reuse it: `lower` then allocates nothing.
class Lowering {
 public:
  /// `model` and `plan` are copied. Throws std::invalid_argument when plan and model disagree (ep
  /// on a dense model, ep not dividing tp x dp).
  Lowering(ModelConfig model, ServingPlan plan);
  /// Fills `graph` with the operators of `step`, m,n,k per GPU after TP/EP/DP. MoE expert load of
  /// the heaviest rank follows `plan.expert_skew`.
  void lower(const StepShape& step, OperatorGraph& graph) const;
  [[nodiscard]] const ModelConfig& model() const { return model_; }
  [[nodiscard]] const ServingPlan& plan() const { return plan_; }

 private:
  ModelConfig model_;
  ServingPlan plan_;
};

}  // namespace rackwright::workloads
