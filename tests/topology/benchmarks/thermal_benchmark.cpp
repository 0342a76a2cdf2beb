#include <benchmark/benchmark.h>

#include "topology/thermal/transient/transient_solver.hpp"

// How long the thermal transient takes on one core. Build `thermal_benchmark`, then run it.
namespace rackwright::topology {
namespace {

/// Trays of a rack side by side: per GPU a die, memory, lid, plate, regulator and a coolant cell in
/// series along the tray; air and board beside it. Ten nodes per GPU.
ThermalNetwork rack(int nodes, bool leaks) {
  constexpr int kGpusOfATray = 4;
  ThermalNetwork network;
  const int supply = network.add_boundary("supply");
  const int room = network.add_boundary("room");
  const int gpus = nodes / 10;
  for (int gpu = 0, upstream = supply, air = room, coolant = 0, fans = 0; gpu < gpus; ++gpu) {
    if (gpu % kGpusOfATray == 0) {
      upstream = supply;
      air = room;
      coolant = network.add_flow(400);
      fans = network.add_flow(30);
    }
    const int die = network.add_node("die", 15);
    const int memory = network.add_node("memory", 20);
    const int lid = network.add_node("lid", 80);
    const int plate = network.add_node("plate", 350);
    const int cell = network.add_node("cell", 120);
    const int regulator = network.add_node("regulator", 40);
    const int board = network.add_node("board", 400);
    const int inlet = network.add_node("inlet air", 2);
    const int sink = network.add_node("sink", 60);
    const int outlet = network.add_node("outlet air", 2);
    network.conduct(die, lid, 80);
    network.conduct(memory, lid, 15);
    network.conduct(lid, plate, 100);
    network.convect(plate, cell, coolant, {0.002, 0.02, 400, 0.7});
    network.advect(upstream, cell, coolant);
    network.conduct(regulator, board, 5);
    network.conduct(die, board, 1);
    network.conduct(board, inlet, 3);
    network.conduct(regulator, sink, 8);
    network.conduct(sink, outlet, 6);
    network.advect(air, inlet, fans);
    network.advect(inlet, outlet, fans);
    if (leaks) network.set_leakage(die, {90, 0.015, 60});
    upstream = cell;
    air = outlet;
  }
  return network;
}

/// 200 s in steps of 0.1 s under a square wave of 20 s on every GPU.
void transient(benchmark::State& state) {
  const auto network = rack(static_cast<int>(state.range(0)), state.range(1) != 0);
  double peak = 0;
  for (auto _ : state) {
    TransientSolver solver(network, std::vector<double>(network.nodes().size(), 40.0));
    for (int half = 0; half < 20; ++half) {
      for (int node = 2; node < network.size(); node += 10) {
        solver.set_source(node, half % 2 == 0 ? 1000 : 300);
      }
      solver.advance(10, 0.1);
    }
    peak = solver.celsius(2);
    benchmark::DoNotOptimize(peak);
  }
  state.counters["nodes"] = network.size() - 2;
}
BENCHMARK(transient)
    ->ArgNames({"nodes", "leakage"})
    ->Args({1000, 0})
    ->Args({1000, 1})
    ->Args({10000, 0})
    ->Unit(benchmark::kMillisecond);

void factorise(benchmark::State& state) {
  const auto network = rack(static_cast<int>(state.range(0)), false);
  const ThermalMatrix matrix(network);
  const std::vector<double> diagonal(matrix.free(), 10.0);
  for (auto _ : state) benchmark::DoNotOptimize(matrix.factorise(0.03, diagonal));
}
BENCHMARK(factorise)->Arg(1000)->Arg(10000)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace rackwright::topology

BENCHMARK_MAIN();
