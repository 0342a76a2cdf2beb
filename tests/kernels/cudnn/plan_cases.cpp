#include "tests/kernels/cudnn/plan_cases.hpp"

#include <fmt/format.h>

namespace rackwright::kernels::cuda::testing {

namespace {

// CUDNN_STATUS_EXECUTION_FAILED_CUDA_DRIVER: the support check is over, the stub loads no code.
constexpr int kStoppedByTheStub = 5001;

struct Sizing {
  const char* name;
  int version, multiprocessors;
  long l2_bytes, shared_bytes, memory_gib;
};

Chip chip(const Sizing& of) {
  return {of.name,
          fmt::format(
              R"({{"version":"1.0","cudaDeviceId":0,"deviceId":0,"deviceName":"{}","deviceVer":{},)"
              R"("driverVer":13000,"isTccDriver":0,"l2CacheSize":{},"maxCtasPerSM":32,)"
              R"("maxRegistersPerSM":65536,"maxSharedMemoryPerBlock":49152,)"
              R"("maxSharedMemoryPerBlockOptin":{},"maxSharedMemoryPerSM":{},)"
              R"("maxThreadsPerBlock":1024,"maxThreadsPerSM":2048,"memClockRateKHz":1593000,)"
              R"("multiProcessorCount":{},"pciDeviceId":0,"regsPerBlock":65536,)"
              R"("reservedSharedMemoryPerBlock":1024,"smClockRateKHz":1410000,)"
              R"("supportCoopLaunch":1,"totalGlobalMem":{},)"
              R"("maxGridSize":[2147483647,65535,65535],"maxBlockSize":[1024,1024,64],)"
              R"("warpSize":32}})",
              of.name, of.version, of.l2_bytes, of.shared_bytes - 1024, of.shared_bytes,
              of.multiprocessors, of.memory_gib << 30)};
}

PlanCase attention(const std::string& name, const CudnnAttention& shape) {
  return {name, [shape](CudnnGraph& graph) { (void)add_attention_pattern(graph, shape); }};
}
PlanCase operation(const std::string& name, const CudnnAttention& shape) {
  return {name + ", one operation",
          [shape](CudnnGraph& graph) { (void)add_attention_operation(graph, shape); }};
}
PlanCase grouped(const std::string& name, int type) {
  const CudnnGroupedGemm shape{.type = type, .rows = 4096, .experts = 8, .in = 4096, .out = 2048};
  return {name, [shape](CudnnGraph& graph) { (void)add_grouped_gemm(graph, shape); }};
}

}  // namespace

std::vector<Chip> chips() {
  return {chip({"A100 (sm_80)", 800, 108, 40L << 20, 167936, 80}),
          chip({"H100, H200 (sm_90)", 900, 132, 50L << 20, 233472, 80}),
          chip({"B200 (sm_100)", 1000, 148, 126L << 20, 233472, 180})};
}
Chip turing() {
  return chip({"T4 (sm_75)", 750, 40, 4L << 20, 65536, 16});
}

std::vector<PlanCase> plan_cases() {
  const CudnnAttention prefill{.sequences = 2,
                               .query_tokens = 2048,
                               .keys = 2048,
                               .heads = 32,
                               .kv_heads = 8,
                               .causal = true};
  CudnnAttention narrow = prefill, latent = prefill, chunk = prefill, fp8 = prefill;
  narrow.key_dim = narrow.value_dim = 64;
  latent.kv_heads = 32, latent.key_dim = 192;
  chunk.keys = 4096;
  fp8.type = cudnn::kFp8;
  CudnnAttention sinks = narrow;
  sinks.window = 128, sinks.sinks = true;
  const CudnnAttention decode{
      .sequences = 64, .keys = 4096, .heads = 32, .kv_heads = 8, .page_tokens = 64};
  CudnnAttention nhd = decode, pages16 = decode, decode_fp8 = decode, decode_sinks = decode;
  nhd.nhd = true;
  pages16.page_tokens = 16;
  decode_fp8.type = cudnn::kFp8;
  decode_sinks.key_dim = decode_sinks.value_dim = 64, decode_sinks.sinks = true;
  CudnnAttention mla = decode;
  mla.heads = 128, mla.kv_heads = 1, mla.key_dim = 576, mla.value_dim = 512;
  return {attention("prefill, causal, heads of 128, BF16", prefill),
          attention("prefill, causal, heads of 64, BF16", narrow),
          attention("prefill, causal, 192/128 (MLA), BF16", latent),
          attention("prefill of a chunk after cached tokens, heads of 128, BF16", chunk),
          attention("prefill, window and sinks, heads of 64, BF16", sinks),
          attention("prefill, causal, heads of 128, FP8", fp8),
          attention("paged decode, pages of 64 HND, heads of 128, BF16", decode),
          operation("paged decode, pages of 64 HND, heads of 128, BF16", decode),
          attention("paged decode, pages of 64 NHD, heads of 128, BF16", nhd),
          attention("paged decode, pages of 16 HND, heads of 128, BF16", pages16),
          attention("paged decode with sinks, heads of 64, BF16", decode_sinks),
          attention("paged decode, heads of 128, FP8", decode_fp8),
          attention("paged decode, 576/512 latent (absorbed MLA), BF16", mla),
          grouped("MoE grouped product, BF16", cudnn::kBf16),
          grouped("MoE grouped product, FP8 without scales", cudnn::kFp8)};
}

Passed check(const CudnnApi& api, const PlanCase& one, const Chip& chip) {
  CudnnGraph graph(api);
  one.add(graph);
  Passed out;
  for (const CudnnPlan& plan : graph.plans({nullptr, chip.properties})) {
    ++out.proposed;
    if (plan.status == 0 || plan.status == kStoppedByTheStub) ++out.passed;
  }
  return out;
}

OpenedCudnn cudnn_without_a_gpu() {
  if (std::filesystem::exists("/dev/nvidiactl")) {
    return {{}, false, "this machine has a driver: tests/gpu checks on the real device"};
  }
  OpenedCudnn cudnn = open_cudnn();
  if (cudnn.usable && cudnn.api.version() != cudnn::kTestedVersion) {
    cudnn.usable = false;
    cudnn.reason += ": these checks are for 9.19.0, whose keys of device properties they use";
  }
  return cudnn;
}

}  // namespace rackwright::kernels::cuda::testing
