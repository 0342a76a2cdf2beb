#pragma once

#include <algorithm>
#include <cmath>
#include <string_view>
#include <vector>

#include "workloads/operator_graph.hpp"

namespace rackwright::workloads {

inline constexpr double kBf16 = 2.0;  ///< bytes of an element
inline constexpr double kFp32 = 4.0;

/// The share of `count` items that the fullest of `ranks` holds.
inline double fullest_share(double count, double ranks) {
  return count > 0 ? std::ceil(count / ranks) / count : 0.0;
}

/// One step seen from one GPU: its rows, its share of the sequences, and the means to append
/// operators to the graph.
class StepEmitter {
 public:
  StepEmitter(const Lowering& lowering, const StepShape& step, std::vector<Operator>& out)
      : lowering_(lowering),
        model_(lowering.model_),
        plan_(lowering.plan_),
        step_(step),
        out_(out) {
    const double verify = 1.0 + (plan_.speculative ? plan_.speculative->draft_tokens : 0);
    const double ranks = static_cast<double>(plan_.dp) * plan_.pp;
    const double decode = step.decode_sequences * verify;
    verify_ = verify;
    step_tokens_ = step.prefill_tokens + decode;
    tokens_ = std::ceil(step_tokens_ / (ranks * plan_.cp));
    decode_tokens_ = std::min(tokens_, std::ceil(decode / (ranks * plan_.cp)));
    prefill_tokens_ = tokens_ - decode_tokens_;
    decode_share_ = fullest_share(step.decode_sequences, ranks);
    prefill_share_ = 1.0 / ranks;
    sampled_ = std::ceil((step.prefill_finished + decode) / ranks);
    heads_ = model_.attention.heads / plan_.tp;
    kv_heads_ = (model_.attention.kv_heads + plan_.tp - 1) / plan_.tp;
  }

 protected:
  // ---- emitters ----
  void emit(std::string_view name, OperatorClass op_class, std::uint32_t repeat,
            const OperatorShape& shape, Lane lane = Lane::compute) {
    out_.push_back(Operator{name, op_class, lane, repeat, shape});
  }
  void gemm(std::string_view name, std::uint32_t repeat, double m, double n, double k,
            DataType type) {
    if (m > 0) emit(name, OperatorClass::gemm, repeat, GemmShape{m, n, k, type});
  }
  void elementwise(std::string_view name, std::uint32_t repeat, double read, double written,
                   double flops, const ElementwiseSize& size = {}) {
    emit(name, OperatorClass::elementwise, repeat, ElementwiseShape{read, written, flops, size});
  }
  void collective(std::string_view name, std::uint32_t repeat, const CollectiveShape& shape) {
    if (shape.ranks > 1) {
      emit(name, OperatorClass::collective, repeat, shape, Lane::communication);
    }
  }
  void all_reduce(std::string_view name, std::uint32_t repeat, double bytes) {
    collective(name, repeat,
               {CollectiveKind::all_reduce, plan_.tp, bytes, plan_.all_reduce, 1, false});
  }
  [[nodiscard]] double hidden_bytes(double tokens) const { return tokens * model_.hidden * kBf16; }
  [[nodiscard]] std::uint32_t stages() const { return static_cast<std::uint32_t>(plan_.pp); }

  /// RMSNorm that adds the residual first: reads the block's output and the residual, writes both
  /// the normed value and the new residual; about 5 FLOPs per element.
  void norm(std::string_view name, std::uint32_t repeat, double tokens) {
    const double bytes = 2 * hidden_bytes(tokens);
    elementwise(name, repeat, bytes, bytes, 5 * tokens * model_.hidden,
                {ElementwiseKernel::residual_norm, tokens, static_cast<double>(model_.hidden)});
  }
  /// SiLU(gate) x up: about 5 FLOPs per output.
  void gated_activation(std::string_view name, std::uint32_t repeat, double tokens, double width) {
    elementwise(name, repeat, 2 * tokens * width * kBf16, tokens * width * kBf16,
                5 * tokens * width, {ElementwiseKernel::gated_activation, tokens, width});
  }

  const Lowering& lowering_;
  const ModelConfig& model_;
  const ServingPlan& plan_;
  const StepShape& step_;
  std::vector<Operator>& out_;
  double verify_ = 1;       ///< tokens a decoding sequence brings
  double step_tokens_ = 0;  ///< of the whole replica
  double tokens_ = 0;       ///< of this GPU's rows
  double decode_tokens_ = 0;
  double prefill_tokens_ = 0;
  double decode_share_ = 0;  ///< of the decoding sequences, on the fullest attention rank
  double prefill_share_ = 0;
  double sampled_ = 0;
  int heads_ = 0;
  int kv_heads_ = 0;
};

}  // namespace rackwright::workloads
