// Rate of importing a profiler trace, to memory and on to the run file.
#include <filesystem>
#include <fstream>

#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include "profiler/import/import.hpp"
#include "profiler/run_file.hpp"
#include "tests/temporary_folder.hpp"

namespace {

using namespace rackwright;

/// Events as PyTorch's profiler writes them: a kernel with its arguments, its launch, an operator.
std::filesystem::path trace_file(const testing::TemporaryFolder& folder) {
  const auto path = folder.path() / "trace.json";
  std::ofstream out(path, std::ios::binary);
  out << R"({"schemaVersion": 1, "traceEvents": [)";
  constexpr int kSteps = 120000;
  for (int i = 0; i < kSteps; ++i) {
    const double at = 10.0 * i;
    out << fmt::format(
        R"j({}{{"ph": "X", "cat": "cpu_op", "name": "aten::linear", "pid": 71, "tid": 71, "ts": {}, "dur": 8.25, "args": {{"External id": {}, "Ev Idx": {}}}}},
{{"ph": "X", "cat": "cuda_runtime", "name": "cudaLaunchKernel", "pid": 71, "tid": 71, "ts": {}, "dur": 4.5, "args": {{"External id": {}, "cbid": 211, "correlation": {}}}}},
{{"ph": "X", "cat": "kernel", "name": "void cutlass::Kernel2<cutlass_80_tensorop_bf16_s16816gemm_relu_bf16_128x256_32x3_tn_align8>(cutlass_80_tensorop::Params)", "pid": 0, "tid": 7, "ts": {}, "dur": 9.5, "args": {{"External id": {}, "queued": 0, "device": 0, "context": 1, "stream": 7, "correlation": {}, "registers per thread": 238, "shared memory": 98304, "blocks per SM": 0.969, "warps per SM": 7.75, "grid": [8, 16, 1], "block": [256, 1, 1], "est. achieved occupancy %": 12}}}})j",
        i == 0 ? "\n" : ",\n", at, i, 3 * i, at + 1, i, i, at + 5, i, i);
  }
  out << "]}";
  return path;
}

void kineto_to_memory(benchmark::State& state) {
  const testing::TemporaryFolder folder;
  const auto path = trace_file(folder);
  for (auto _ : state) benchmark::DoNotOptimize(profiler::read_kineto(path));
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations()) *
                          static_cast<std::int64_t>(std::filesystem::file_size(path)));
}
BENCHMARK(kineto_to_memory)->Unit(benchmark::kMillisecond);

void memory_to_run_file(benchmark::State& state) {
  const testing::TemporaryFolder folder;
  const auto path = trace_file(folder);
  const profiler::Recording recording = profiler::read_kineto(path);
  for (auto _ : state) {
    profiler::RunFileWriter writer(folder.path() / "run.rw", {});
    writer.write({}, recording);
    writer.finish();
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations() * recording.events.size()));
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations()) *
                          static_cast<std::int64_t>(std::filesystem::file_size(path)));
}
BENCHMARK(memory_to_run_file)->Unit(benchmark::kMillisecond);

}  // namespace

BENCHMARK_MAIN();
