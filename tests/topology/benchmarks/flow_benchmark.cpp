#include <filesystem>

#include <benchmark/benchmark.h>

#include "topology/evaluation.hpp"
#include "topology/thermal/coolant_loop.hpp"

// How long flow networks and a steady evaluation take on one core. Build `flow_benchmark`, then run
// it.
namespace rackwright::topology {
namespace {

CoolantLoop rack_loop() {
  std::vector<TrayBranch> trays;
  for (int i = 0; i < 27; ++i) {
    trays.push_back({"t", 0.3 + 0.04445 * i, i < 9 || i >= 18 ? 6000.0 : 1800.0});
  }
  return {
      trays,
      fit_drop({{59, 15.86}, {177, 126.86}}),
      {{"cold plates", 0.7, false}, {"quick disconnects", 0.29, false}, {"manifold", 0.01, true}},
      120};
}

/// Racks along a row pipe, 12 to a row, each row on a CDU of its own head.
void rows_of_racks(benchmark::State& state) {
  const CoolantLoop loop = rack_loop();
  constexpr int kRacksOfARow = 12;
  FlowNetwork network;
  for (int rack = 0, supply = 0, back = 0; rack < state.range(0); ++rack) {
    if (rack % kRacksOfARow == 0) {
      supply = network.add_fixed_node(120e3);
      back = network.add_fixed_node(0);
    }
    const int next_supply = network.add_node(), next_back = network.add_node();
    network.add_branch(supply, next_supply, {0, 1e7, 2});
    network.add_branch(next_back, back, {0, 1e7, 2});
    (void)loop.append_to(network, next_supply, next_back);
    supply = next_supply;
    back = next_back;
  }
  int iterations = 0;
  for (auto _ : state) {
    const auto solution = network.solve();
    iterations = solution.converged ? solution.iterations : -1;
    benchmark::DoNotOptimize(solution.flow_m3_per_s.data());
  }
  state.counters["branches"] = network.branches();
  state.counters["iterations"] = iterations;
}
BENCHMARK(rows_of_racks)->Arg(1)->Arg(266)->Unit(benchmark::kMillisecond);

/// Every domain of one rack in the design envelope.
void evaluate_rack(benchmark::State& state, const char* id) {
  const DataLocator data({std::filesystem::path(RACKWRIGHT_SOURCE_DIR)});
  const Catalog catalog = Catalog::load(data);
  const RackDesign design = read_rack_design(data.find(id, "topology/racks"), catalog);
  const auto device = kernels::find_device(design.device, data);
  for (auto _ : state) {
    benchmark::DoNotOptimize(evaluate(design, catalog, device, std::nullopt, {}));
  }
}
BENCHMARK_CAPTURE(evaluate_rack, gb300_nvl72, "gb300-nvl72")->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(evaluate_rack, dgx_h100_air, "dgx-h100-air")->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace rackwright::topology

BENCHMARK_MAIN();
