#pragma once

#include <memory>

#include "kernels/backend.hpp"
#include "profiler/replay.hpp"
#include "workloads/operator_graph.hpp"

namespace rackwright::profiler {

/// Times a graph on a backend. The reference is valid until the next call.
class GraphTimer {
 public:
  virtual ~GraphTimer() = default;
  virtual const kernels::StepTiming& time(const workloads::OperatorGraph& graph) = 0;
};
/// The analytical backend is asked without allocation; any other prepares and runs each graph.
[[nodiscard]] std::unique_ptr<GraphTimer> make_graph_timer(kernels::Backend& backend,
                                                           const kernels::RankContext& rank);

/// Idle power per GPU (module input) that the backend knows, in W; nothing when its data sheet fact
/// is blank or the backend has no notion of it.
[[nodiscard]] std::optional<double> idle_power_w(const kernels::Backend& backend);

/// Prices steps of one replica: lowers the shape, asks the backend. Pipeline parallelism:
/// `Lowering` writes all stages in turn, so the time of the graph is the time of the step, and a
/// GPU's work and energy are those of a full pipeline (with fewer sequences than stages they are an
/// upper bound).
class StepPricer {
 public:
  StepPricer(const workloads::ModelConfig& model, const ReplicaSetup& setup,
             kernels::Backend& backend);

  /// A step as the engine forms it. The result is valid until the next call of either function.
  const kernels::StepTiming& price(const workloads::StepShape& shape);
  /// A plain decode step without tokens to verify, by which a speculative draft is priced.
  const kernels::StepTiming& price_draft(const workloads::StepShape& shape);
  /// The graph of the last call.
  [[nodiscard]] const workloads::OperatorGraph& graph() const { return graph_; }

 private:
  workloads::Lowering lowering_;
  std::optional<workloads::Lowering> draft_lowering_;
  std::uint32_t verified_tokens_ = 1;
  workloads::OperatorGraph graph_;
  std::unique_ptr<GraphTimer> timer_;
};

}  // namespace rackwright::profiler
