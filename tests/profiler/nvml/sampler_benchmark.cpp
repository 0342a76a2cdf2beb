// CPU time of the sampler: 8 GPUs, one round. At 10 Hz one per cent of a core is 1 ms a round. The
// stand-in answers at once, so this is the sampler's own cost and the driver's comes on top.
#include <cstdlib>

#include <benchmark/benchmark.h>

#include "profiler/nvml/sampler.hpp"
#include "tests/profiler/nvml/stand_in.hpp"

namespace {

void sample_eight_gpus(benchmark::State& state) {
  const rackwright::testing::StandIn script{{"GPUS", "8"}, {"NVLINK", "5"}, {"STEP_US", "100000"}};
  rackwright::profiler::nvml::Sampler sampler(script.open().library, 0.1);
  for (auto _ : state) sampler.sample_once();
}
BENCHMARK(sample_eight_gpus)->Unit(benchmark::kMicrosecond);

}  // namespace

BENCHMARK_MAIN();
