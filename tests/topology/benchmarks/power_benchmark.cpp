#include <filesystem>

#include <benchmark/benchmark.h>

#include "kernels/device_info.hpp"
#include "topology/evaluation.hpp"
#include "topology/power/failure_table.hpp"
#include "topology/rack_design.hpp"

// How long the power chain takes on one core. Build `power_benchmark`, then run it.
namespace rackwright::topology {
namespace {

const DataLocator& data() {
  static const DataLocator locator({std::filesystem::path(RACKWRIGHT_SOURCE_DIR)});
  return locator;
}

/// A shipped rack with its model, ready to be solved.
struct Ready {
  Catalog catalog = Catalog::load(data());
  RackDesign design;
  kernels::DeviceInfo device;
  RackPowerModel model;
  PowerChain chain;

  explicit Ready(const char* id)
      : design(read_rack_design(data().find(id, "topology/racks"), catalog)),
        device(kernels::find_device(design.device, data())),
        model(design, catalog, device, device.idle_w.value),
        chain(make_power_chain(design, catalog)) {}
};

/// One load case of an NVL72: module power to every bus, shelf, whip and feed.
void steady_power_of_a_rack(benchmark::State& state, const char* id) {
  const Ready ready(id);
  for (auto _ : state) {
    const RackPower power = ready.model.envelope(ready.model.tdp_w());
    const ChainDemand demand = chain_demand(ready.chain, ready.model, power);
    benchmark::DoNotOptimize(solve(ready.chain, demand));
  }
}
BENCHMARK_CAPTURE(steady_power_of_a_rack, gb200_nvl72, "gb200-nvl72")
    ->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(steady_power_of_a_rack, dgx_h100_air, "dgx-h100-air")
    ->Unit(benchmark::kMicrosecond);

/// The same with a busbar of 5 uohm per unit: Newton on the ladder.
void steady_power_with_a_ladder(benchmark::State& state) {
  Ready ready("gb200-nvl72");
  for (ChainBus& bus : ready.chain.buses) bus.ohm_per_unit = 5e-6;
  const ChainDemand demand =
      chain_demand(ready.chain, ready.model, ready.model.envelope(ready.model.tdp_w()));
  for (auto _ : state) benchmark::DoNotOptimize(solve(ready.chain, demand));
}
BENCHMARK(steady_power_with_a_ladder)->Unit(benchmark::kMicrosecond);

/// Every single failure (PSU, shelf, whip, feed) in each load case.
void single_failures_of_four_cases(benchmark::State& state, const char* id) {
  const Ready ready(id);
  for (auto _ : state) {
    for (const double share : {1.0, 0.8, 0.5, 0.1}) {
      const ChainDemand demand =
          chain_demand(ready.chain, ready.model, ready.model.envelope(share * ready.model.tdp_w()));
      benchmark::DoNotOptimize(failure_table(ready.chain, demand));
    }
  }
  state.counters["failures"] = static_cast<double>(single_failures(ready.chain).size());
}
BENCHMARK_CAPTURE(single_failures_of_four_cases, gb200_nvl72, "gb200-nvl72")
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(single_failures_of_four_cases, dgx_h100_air, "dgx-h100-air")
    ->Unit(benchmark::kMillisecond);

/// Every pair of failures in the design envelope.
void pairs_of_failures(benchmark::State& state) {
  const Ready ready("gb200-nvl72");
  const ChainDemand demand =
      chain_demand(ready.chain, ready.model, ready.model.envelope(ready.model.tdp_w()));
  for (auto _ : state) benchmark::DoNotOptimize(failure_table(ready.chain, demand, true));
}
BENCHMARK(pairs_of_failures)->Unit(benchmark::kMillisecond);

/// Every single failure in power, liquid and air at once (PSU, shelf, whip, feed, pump, CDU, fan,
/// branch, leak, switch tray) in each load case.
void failures_in_all_domains(benchmark::State& state, const char* id) {
  const Ready ready(id);
  const RackEvaluation rack =
      evaluate(ready.design, ready.catalog, ready.device, std::nullopt, EvaluateOptions{});
  const RackModel& model = rack.failures.model;
  for (auto _ : state) {
    for (int load_case = 0; load_case < 4; ++load_case) {
      benchmark::DoNotOptimize(rack_failure_table(model, rack.failures.loads.front().second));
    }
  }
  state.counters["failures"] = static_cast<double>(rack_failures(model).size());
}
BENCHMARK_CAPTURE(failures_in_all_domains, gb200_nvl72, "gb200-nvl72")
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(failures_in_all_domains, dgx_h100_air, "dgx-h100-air")
    ->Unit(benchmark::kMillisecond);

/// One load case of a rack in all domains: chain, coolant loop, air.
void steady_rack_in_all_domains(benchmark::State& state) {
  const Ready ready("gb200-nvl72");
  const RackEvaluation rack =
      evaluate(ready.design, ready.catalog, ready.device, std::nullopt, EvaluateOptions{});
  for (auto _ : state) {
    benchmark::DoNotOptimize(
        rack_rows(rack.failures.model, rack.failures.loads.front().second, {}));
  }
}
BENCHMARK(steady_rack_in_all_domains)->Unit(benchmark::kMicrosecond);

/// All domains of one rack in its design envelope, without a trace.
void whole_evaluation_of_a_rack(benchmark::State& state) {
  const Ready ready("gb200-nvl72");
  for (auto _ : state) {
    benchmark::DoNotOptimize(
        evaluate(ready.design, ready.catalog, ready.device, std::nullopt, EvaluateOptions{}));
  }
}
BENCHMARK(whole_evaluation_of_a_rack)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace rackwright::topology

BENCHMARK_MAIN();
