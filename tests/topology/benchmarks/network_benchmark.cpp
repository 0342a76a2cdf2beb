#include <filesystem>

#include <benchmark/benchmark.h>

#include "topology/network/collective_expectation.hpp"
#include "topology/network/fabric_growth.hpp"

// How long the network models take on one core. Build `network_benchmark`, then run it.
namespace rackwright::topology {
namespace {

const DataLocator& data() {
  static const DataLocator locator({std::filesystem::path(RACKWRIGHT_SOURCE_DIR)});
  return locator;
}

FabricDesign shipped(const char* id) {
  return read_fabric_design(data().find(id, "topology/fabrics"));
}

/// Max-min rates of a hashed random permutation; the flows are there already.
void max_min_of_a_permutation(benchmark::State& state) {
  const FabricDesign design = shipped("gb300-nvl72-eth");
  const int nodes = static_cast<int>(state.range(0)) / design.endpoints_per_node;
  const FabricPlan plan = plan_fabric(design, nodes);
  const FabricNetwork network(design, plan);
  const FlowSet flows = permutation_flows(network, design, nodes, Routing::ecmp, RandomSource(1));
  for (auto _ : state) {
    benchmark::DoNotOptimize(max_min_rates(network.capacity(), flows));
  }
  state.counters["endpoints"] = static_cast<double>(state.range(0));
}
BENCHMARK(max_min_of_a_permutation)
    ->Arg(1024)
    ->Arg(10240)
    ->Arg(102400)
    ->Unit(benchmark::kMillisecond);

/// The paths of such a permutation.
void hash_a_permutation(benchmark::State& state) {
  const FabricDesign design = shipped("gb300-nvl72-eth");
  const int nodes = static_cast<int>(state.range(0)) / design.endpoints_per_node;
  const FabricPlan plan = plan_fabric(design, nodes);
  const FabricNetwork network(design, plan);
  for (auto _ : state) {
    benchmark::DoNotOptimize(
        permutation_flows(network, design, nodes, Routing::ecmp, RandomSource(1)));
  }
}
BENCHMARK(hash_a_permutation)->Arg(102400)->Unit(benchmark::kMillisecond);

/// One collective on 4,096 ranks; the fabric is built already.
void collective(benchmark::State& state, workloads::CollectiveKind kind, Routing routing) {
  const FabricDesign design = shipped("dgx-h100-superpod-ideal");
  const FabricPlan plan = plan_fabric(design, 512);
  const FabricNetwork network(design, plan);
  const auto device = kernels::find_device("h100-sxm", data());
  const kernels::OperatorModels models(device, kernels::find_profile(device, data()));
  CollectiveQuestion question;
  question.kind = kind;
  question.bytes = 1e9;
  question.ranks = 4096;
  question.routing = routing;
  for (auto _ : state) {
    benchmark::DoNotOptimize(expect_collective(design, plan, network, models, question));
  }
}
BENCHMARK_CAPTURE(collective, all_reduce_ecmp, workloads::CollectiveKind::all_reduce, Routing::ecmp)
    ->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(collective, all_reduce_spray, workloads::CollectiveKind::all_reduce,
                  Routing::spray)
    ->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(collective, all_to_all_ecmp, workloads::CollectiveKind::all_to_all, Routing::ecmp)
    ->Unit(benchmark::kMicrosecond);

/// Counts, bill of material and every link of 1 to 1,400 racks of 72 GPUs.
void design_of_racks(benchmark::State& state) {
  const FabricDesign design = shipped("gb300-nvl72-eth");
  const Catalog catalog = Catalog::load(data());
  for (auto _ : state) {
    benchmark::DoNotOptimize(grow(design, catalog, static_cast<int>(state.range(0)), std::nullopt));
  }
}
BENCHMARK(design_of_racks)->Arg(1)->Arg(100)->Arg(1400)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace rackwright::topology

BENCHMARK_MAIN();
