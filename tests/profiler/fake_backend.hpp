#pragma once

#include <functional>
#include <memory>
#include <utility>

#include "common/random.hpp"
#include "kernels/backend.hpp"
#include "profiler/replay.hpp"
#include "workloads/workload.hpp"

namespace rackwright::testing {

/// A backend whose step time is a formula of the graph. Each operator draws `watts` while it runs;
/// the first operator of a step takes all of its time unless `per_operator` says otherwise.
class FakeBackend final : public kernels::Backend {
 public:
  using StepSeconds = std::function<double(const workloads::OperatorGraph&)>;

  explicit FakeBackend(StepSeconds step_seconds) : step_seconds_(std::move(step_seconds)) {}

  double watts = 500;
  double relative_error = 0.1;
  bool extrapolated = false;
  /// Shares the time among all operators in proportion to their position (1, 2, 3, …).
  bool per_operator = false;
  double overlap_s = 0;
  double launch_s = 0;

  [[nodiscard]] std::string_view name() const override { return "fake"; }
  [[nodiscard]] std::string_view device() const override { return "fake-gpu"; }
  std::unique_ptr<kernels::PreparedStep> prepare(const workloads::OperatorGraph& graph,
                                                 const kernels::RankContext&) override {
    auto step = std::make_unique<Step>();
    kernels::StepTiming& timing = step->timing;
    const double seconds = step_seconds_(graph);
    const auto count = static_cast<double>(graph.operators.size());
    for (std::size_t i = 0; i < graph.operators.size(); ++i) {
      const double share = per_operator ? 2 * static_cast<double>(i + 1) / (count * (count + 1))
                           : i == 0     ? 1.0
                                        : 0.0;
      timing.operators.push_back(
          {seconds * share, watts * seconds * share, relative_error, extrapolated});
      timing.joules += watts * seconds * share;
    }
    timing.overlap_s = overlap_s;
    timing.launch_s = launch_s;
    timing.seconds = seconds - overlap_s + launch_s;
    return step;
  }

 private:
  struct Step final : kernels::PreparedStep {
    kernels::StepTiming timing;
    const kernels::StepTiming& run(kernels::ReplayMode, kernels::OperatorObserver*) override {
      return timing;
    }
  };
  StepSeconds step_seconds_;
};

/// Tokens of a step: m of its first GEMM.
inline double tokens_of(const workloads::OperatorGraph& graph) {
  for (const auto& op : graph.operators) {
    if (const auto* gemm = std::get_if<workloads::GemmShape>(&op.shape)) return gemm->m;
  }
  return 0;
}

/// A dense model of four layers, about 60 million weights.
inline workloads::ModelConfig small_model() {
  workloads::ModelConfig model;
  model.name = "small";
  model.architecture = "LlamaForCausalLM";
  model.hidden = 1024;
  model.vocabulary = 4096;
  model.max_positions = 131072;
  model.attention.heads = 8;
  model.attention.kv_heads = 8;
  model.attention.head_dim = 128;
  model.layers = {{4, workloads::AttentionSpan::full, 0, false, 4096}};
  return model;
}

inline workloads::Workload workload_of(workloads::RequestTrace traffic) {
  workloads::Workload workload;
  workload.name = "test";
  workload.model = small_model();
  workload.traffic = std::move(traffic);
  return workload;
}

inline profiler::ReplicaSetup roomy_setup() {
  profiler::ReplicaSetup setup;
  setup.gpu_memory_bytes = 80e9;
  setup.idle_w = 80.0;
  return setup;
}

/// `count` requests with exponential gaps of mean 1 / rate.
inline workloads::RequestTrace poisson(std::size_t count, double rate, std::uint32_t prompt,
                                       std::uint32_t output, std::uint64_t seed = 7) {
  workloads::RequestTrace trace;
  trace.name = "poisson";
  RandomSource random(seed);
  double time = 0;
  for (std::size_t i = 0; i < count; ++i) {
    workloads::Request request;
    request.arrival_s = time;
    request.prompt_tokens = prompt;
    request.output_tokens = output;
    trace.requests.push_back(request);
    time += random.exponential(1 / rate);
  }
  return trace;
}

}  // namespace rackwright::testing
