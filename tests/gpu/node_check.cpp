/* node_check MODULE.so: times the module's operators on GPU 0, each as graph and eager; a table on
   stderr, JSON on stdout. Exit code 77 where there is no GPU. */
#include <algorithm>
#include <vector>

#include <fmt/format.h>

#include "common/input_error.hpp"
#include "kernels/cuda_backend.hpp"
#include "kernels/cuda_loader.hpp"

namespace {

using namespace rackwright;
using namespace rackwright::workloads;

constexpr int kRuns = 11;

double median_seconds(kernels::PreparedStep& step, kernels::ReplayMode mode) {
  std::vector<double> seconds;
  for (int run = 0; run < kRuns; ++run) seconds.push_back(step.run(mode, nullptr).seconds);
  std::nth_element(seconds.begin(), seconds.begin() + kRuns / 2, seconds.end());
  return seconds[kRuns / 2];
}

AttentionShape attention(bool prefill, double sequences, double keys) {
  AttentionShape shape;
  shape.prefill = prefill, shape.sequences = sequences;
  shape.query_tokens = prefill ? sequences * keys : sequences;
  shape.kv_tokens = sequences * keys;
  shape.pairs = prefill ? sequences * keys * (keys + 1) / 2 : sequences * keys;
  shape.heads = 32, shape.kv_heads = 8, shape.head_dim = 128;
  return shape;
}

std::vector<Operator> operators() {
  LatentAttentionShape latent;
  latent.sequences = 64, latent.query_tokens = 64, latent.pairs = latent.kv_tokens = 64 * 8192;
  latent.heads = 128, latent.latent = 512, latent.rope = 64, latent.nope = 128, latent.v = 128;
  const auto of = [](const char* name, OperatorClass of_class, OperatorShape shape) {
    return Operator{name, of_class, Lane::compute, 10, shape};
  };
  return {of("gemm bf16 8192^3", OperatorClass::gemm, GemmShape{8192, 8192, 8192, DataType::bf16}),
          of("gemm fp8 8192^3", OperatorClass::gemm, GemmShape{8192, 8192, 8192, DataType::fp8}),
          of("gemm mxfp4 16 x 5760 x 2880", OperatorClass::gemm,
             GemmShape{16, 5760, 2880, DataType::mxfp4}),
          of("prefill 8192", OperatorClass::attention_prefill, attention(true, 1, 8192)),
          of("decode 64 x 8192", OperatorClass::attention_decode, attention(false, 64, 8192)),
          of("mla decode 64 x 8192", OperatorClass::attention_decode, latent),
          of("stream 1 GB", OperatorClass::elementwise, ElementwiseShape{5e8, 5e8, 0})};
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    fmt::print(stderr, "usage: node_check MODULE.so\n");
    return 2;
  }
  const auto probe = kernels::probe_cuda(argv[1], true);
  if (!probe.reason.empty()) {
    fmt::print(stderr, "node_check: skipped: {}\n", probe.reason);
    return 77;
  }
  const auto& gpu = probe.devices.front();
  kernels::CudaBackend backend(kernels::open_cuda_module(argv[1]), 0, gpu.name);
  fmt::print(stderr, "{}, copy {:.0f} GB/s\n{:30} {:>12} {:>12} {:>10} {:>10} {:>10}\n", gpu.name,
             gpu.copy_bytes_per_s / 1e9, "operator, 10 repeats", "graph us", "eager us", "GB/s",
             "of copy", "TFLOP/s");
  fmt::print("{{\"gpu\": \"{}\", \"copy_bytes_per_s\": {:.6g}, \"operators\": [", gpu.name,
             gpu.copy_bytes_per_s);
  const char* comma = "";
  int failed = 0;
  for (const Operator& op : operators()) {
    try {
      const auto step = backend.prepare({{op}}, {});
      const double graph = median_seconds(*step, kernels::ReplayMode::whole);
      const double eager = median_seconds(*step, kernels::ReplayMode::per_operator);
      const OperatorWork work = work_of(op);
      const double bytes = work.memory_bytes * op.repeat / graph;
      const double flops = work.flops * op.repeat / graph;
      fmt::print(stderr, "{:30} {:12.1f} {:12.1f} {:10.0f} {:9.1f}% {:10.1f}\n", op.name,
                 graph * 1e6, eager * 1e6, bytes / 1e9, 100 * bytes / gpu.copy_bytes_per_s,
                 flops / 1e12);
      fmt::print(
          "{}{{\"name\": \"{}\", \"repeats\": {}, \"graph_s\": {:.6g}, \"eager_s\": {:.6g}, "
          "\"bytes_per_s\": {:.6g}, \"flop_per_s\": {:.6g}}}",
          comma, op.name, op.repeat, graph, eager, bytes, flops);
      comma = ", ";
    } catch (const BackendUnavailable& error) {
      fmt::print(stderr, "{:30} {}\n", op.name, error.what());
      ++failed;
    }
  }
  fmt::print("], \"failed\": {}}}\n", failed);
  return failed == 0 ? 0 : 1;
}
