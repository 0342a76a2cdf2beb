#include <filesystem>
#include <memory>
#include <string>

#include <benchmark/benchmark.h>

#include "kernels/analytical/analytical_backend.hpp"

// Operator predictions per second on one core, warm: every operator of a real step, priced again
// and again. Build `operator_benchmark`, then run it.
namespace rackwright::kernels {
namespace {

using namespace workloads;

const std::filesystem::path kSource = RACKWRIGHT_SOURCE_DIR;

OperatorGraph step_of(const std::string& model, ServingPlan plan, bool prefill) {
  StepShape step;
  if (prefill) {
    step.prefill_sequences = 1;
    step.prefill_tokens = step.prefill_finished = 4096;
    step.prefill_pairs = step.prefill_pairs_clipped = 0.5 * 4096 * 4097;
    step.prefill_context = 4096;
  } else {
    step.decode_sequences = 64;
    step.decode_context = step.decode_context_clipped = 64 * 2048;
    step.decode_longest = 2048;
  }
  OperatorGraph graph;
  Lowering(read_model_config(kSource / "workloads/models" / (model + ".json")), plan)
      .lower(step, graph);
  return graph;
}

void price(benchmark::State& state, const std::string& model, ServingPlan plan, bool prefill) {
  const OperatorGraph graph = step_of(model, plan, prefill);
  const auto backend = AnalyticalBackend::load("h200-sxm", DataType::bf16, DataLocator({kSource}));
  const RankContext rank{8, 50e9, 0};
  StepTiming timing;
  for (auto _ : state) {
    backend->predict(graph, rank, timing);
    benchmark::DoNotOptimize(timing.seconds);
  }
  state.counters["operators"] = static_cast<double>(graph.operators.size());
  state.counters["predictions"] =
      benchmark::Counter(static_cast<double>(graph.operators.size() * state.iterations()),
                         benchmark::Counter::kIsRate);
}

ServingPlan tensor_parallel() {
  ServingPlan plan;
  plan.tp = 8;
  return plan;
}

ServingPlan expert_parallel() {
  ServingPlan plan;
  plan.tp = 1;
  plan.dp = plan.ep = 32;
  return plan;
}

BENCHMARK_CAPTURE(price, llama_70b_decode, "llama-3.1-70b", tensor_parallel(), false);
BENCHMARK_CAPTURE(price, llama_70b_prefill, "llama-3.1-70b", tensor_parallel(), true);
BENCHMARK_CAPTURE(price, deepseek_v3_decode, "deepseek-v3", expert_parallel(), false);
BENCHMARK_CAPTURE(price, gpt_oss_120b_decode, "gpt-oss-120b", tensor_parallel(), false);

}  // namespace
}  // namespace rackwright::kernels

BENCHMARK_MAIN();
