#include "profiler/step_pricer.hpp"

#include <utility>

#include "kernels/analytical/analytical_backend.hpp"

namespace rackwright::profiler {

namespace {

workloads::ServingPlan without_draft(workloads::ServingPlan plan) {
  plan.speculative.reset();
  return plan;
}

class PreparingTimer final : public GraphTimer {
 public:
  PreparingTimer(kernels::Backend& backend, kernels::RankContext rank)
      : backend_(backend), rank_(rank) {}
  const kernels::StepTiming& time(const workloads::OperatorGraph& graph) override {
    step_ = backend_.prepare(graph, rank_);
    return step_->run(kernels::ReplayMode::whole, nullptr);
  }

 private:
  kernels::Backend& backend_;
  kernels::RankContext rank_;
  std::unique_ptr<kernels::PreparedStep> step_;
};

class AnalyticalTimer final : public GraphTimer {
 public:
  AnalyticalTimer(const kernels::AnalyticalBackend& backend, kernels::RankContext rank)
      : backend_(backend), rank_(rank) {}
  const kernels::StepTiming& time(const workloads::OperatorGraph& graph) override {
    backend_.predict(graph, rank_, timing_);
    return timing_;
  }

 private:
  const kernels::AnalyticalBackend& backend_;
  kernels::RankContext rank_;
  kernels::StepTiming timing_;
};

}  // namespace

std::unique_ptr<GraphTimer> make_graph_timer(kernels::Backend& backend,
                                             const kernels::RankContext& rank) {
  if (const auto* analytical = dynamic_cast<const kernels::AnalyticalBackend*>(&backend)) {
    return std::make_unique<AnalyticalTimer>(*analytical, rank);
  }
  return std::make_unique<PreparingTimer>(backend, rank);
}

std::optional<double> idle_power_w(const kernels::Backend& backend) {
  const auto* analytical = dynamic_cast<const kernels::AnalyticalBackend*>(&backend);
  return analytical != nullptr ? analytical->device_info().idle_w.value : std::nullopt;
}

StepPricer::StepPricer(const workloads::ModelConfig& model, const ReplicaSetup& setup,
                       kernels::Backend& backend)
    : lowering_(model, setup.plan), timer_(make_graph_timer(backend, setup.rank)) {
  if (setup.plan.speculative) {
    verified_tokens_ = static_cast<std::uint32_t>(setup.plan.speculative->draft_tokens) + 1;
    draft_lowering_.emplace(model, without_draft(setup.plan));
  }
}

const kernels::StepTiming& StepPricer::price(const workloads::StepShape& shape) {
  if (verified_tokens_ == 1) {
    lowering_.lower(shape, graph_);
  } else {  // the engine counts every token to verify, the lowering multiplies sequences itself
    workloads::StepShape sequences = shape;
    sequences.decode_sequences /= verified_tokens_;
    lowering_.lower(sequences, graph_);
  }
  return timer_->time(graph_);
}

const kernels::StepTiming& StepPricer::price_draft(const workloads::StepShape& shape) {
  (draft_lowering_ ? *draft_lowering_ : lowering_).lower(shape, graph_);
  return timer_->time(graph_);
}

}  // namespace rackwright::profiler
