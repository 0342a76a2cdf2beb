#include <sys/mman.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kernels/cuda/device_operators.hpp"
#include "kernels/cuda/own_kernels.cuh"
#include "kernels/cuda/product_padding.hpp"
#include "kernels/cuda_backend.hpp"
#include "kernels/own/shape_checks.hpp"
#include "tests/kernels/fake_cudnn.hpp"
#include "tests/kernels/stand_in_cuda.hpp"
#include "workloads/workload.hpp"

/* The module's operators without a GPU: in place of the CUDA runtime, cuBLASLt and the kernels
   stand functions that check what they are given: every view in memory that was allocated, every
   shape one that the kernel holds, every grid one that CUDA takes. */

namespace {

namespace own = rackwright::kernels::own;

/// What is allocated, by its first byte.
std::map<const char*, std::size_t> blocks;
int launches = 0;
std::vector<int> products;    ///< rows of those that cuBLASLt was asked for
std::vector<int> first_rows;  ///< of the last MXFP4 product

bool allocated(const void* memory, std::size_t bytes) {
  const auto* first = static_cast<const char*>(memory);
  auto after = blocks.upper_bound(first);
  if (after == blocks.begin()) return false;
  --after;
  return first + bytes <= after->first + after->second;
}

template <class T>
void expect_held(const own::View<T>& view, const char* what) {
  if (view.count == 0) return;
  EXPECT_TRUE(allocated(view.data, sizeof(T) * static_cast<std::size_t>(view.count)))
      << what << ": " << view.count << " elements";
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(view.data) % 16, 0U) << what;
}

/// Limits of a grid and of shared memory, CUDA programming guide, table of technical
/// specifications; 163 KiB is A100's, which all own kernels must fit.
void expect_launchable(const own::Launch& launch) {
  ++launches;
  EXPECT_GT(launch.grid_x, 0);
  EXPECT_GT(launch.grid_y, 0);
  EXPECT_GT(launch.grid_z, 0);
  EXPECT_LE(launch.grid_y, 65535);
  EXPECT_LE(launch.grid_z, 65535);
  EXPECT_LE(launch.shared_bytes, 163 * 1024);
}

}  // namespace

extern "C" {
cudaError_t cudaDeviceGetAttribute(int* value, cudaDeviceAttr which, int) {
  *value = which == cudaDevAttrL2CacheSize ? 50 << 20 : 132;  // H100
  return cudaSuccess;
}
cudaError_t cudaMemcpy(void* to, const void* from, std::size_t bytes, cudaMemcpyKind) {
  EXPECT_TRUE(allocated(to, bytes));
  std::memcpy(to, from, bytes);
  return cudaSuccess;
}
cudaError_t cudaMemset(void* to, int value, std::size_t bytes) {
  EXPECT_TRUE(allocated(to, bytes));
  std::memset(to, value, bytes);
  return cudaSuccess;
}
cudaError_t cudaDeviceSynchronize() {
  return cudaSuccess;
}
cudaError_t cudaGetLastError() {
  return cudaSuccess;
}
const char* cudaGetErrorName(cudaError_t) {
  return "cudaErrorStandIn";
}
}

namespace rackwright::kernels::own {

cudaError_t launch(const FillRandomArgs& args, cudaStream_t) {
  expect_held(args.out, "fill");
  return cudaSuccess;
}
cudaError_t launch(const StreamCopyArgs& args, cudaStream_t) {
  expect_held(args.from, "copy from");
  expect_held(args.to, "copy to");
  expect_launchable(launch_of(args));
  return cudaSuccess;
}
cudaError_t launch(const RmsNormArgs& args, cudaStream_t) {
  EXPECT_NO_THROW(check_shape(args));
  const std::int64_t elements = static_cast<std::int64_t>(args.rows) * args.hidden;
  EXPECT_EQ(args.input.count, elements);
  EXPECT_EQ(args.output.count, elements);
  EXPECT_EQ(args.sum.count, args.residual.count);
  expect_held(args.input, "input");
  expect_held(args.residual, "residual");
  expect_held(args.weight, "weight");
  expect_held(args.output, "output");
  expect_held(args.sum, "sum");
  expect_launchable(launch_of(args));
  return cudaSuccess;
}
cudaError_t launch(const RotaryAppendArgs& args, cudaStream_t) {
  const int dim = args.key_cache.head_dim;
  EXPECT_EQ(dim % 16, 0);
  EXPECT_EQ(args.query.count, static_cast<std::int64_t>(args.tokens) * args.heads * dim);
  expect_held(args.query, "queries");
  expect_held(args.key, "keys");
  expect_held(args.value, "values");
  expect_held(args.cos_sin, "angles");
  expect_held(args.key_cache.data, "key cache");
  expect_held(args.value_cache.data, "value cache");
  const std::int64_t row = static_cast<std::int64_t>(args.key_cache.kv_heads) * dim;
  for (int i = 0; i < args.tokens; ++i) {
    EXPECT_LE((args.slot.data[i] + 1) * row, args.key_cache.data.count);
    EXPECT_LE((args.position.data[i] + 1LL) * dim, args.cos_sin.count);
  }
  expect_launchable(launch_of(args));
  return cudaSuccess;
}
cudaError_t launch(const RouterArgs& args, cudaStream_t) {
  EXPECT_NO_THROW(check_shape(args));
  EXPECT_EQ(args.logits.count, static_cast<std::int64_t>(args.tokens) * args.experts);
  expect_held(args.logits, "logits");
  expect_held(args.expert, "chosen");
  expect_held(args.weight, "weights");
  expect_launchable(launch_of(args));
  return cudaSuccess;
}
cudaError_t launch(const UnpermuteArgs& args, cudaStream_t) {
  EXPECT_EQ(args.hidden % 8, 0);
  EXPECT_EQ(args.row.count, static_cast<std::int64_t>(args.tokens) * args.top_k);
  expect_held(args.input, "rows");
  expect_held(args.output, "sums");
  const std::int64_t rows = args.input.count / args.hidden;
  std::vector<int> seen(static_cast<std::size_t>(rows));
  for (std::int64_t i = 0; i < args.row.count; ++i) {
    if (args.row.data[i] >= 0) ++seen.at(static_cast<std::size_t>(args.row.data[i]));
  }
  EXPECT_EQ(std::count(seen.begin(), seen.end(), 1), rows);  // each row in one token's sum
  expect_launchable(launch_of(args));
  return cudaSuccess;
}
cudaError_t launch(const IndexerArgs& args, cudaStream_t) {
  EXPECT_EQ(args.score.count, static_cast<std::int64_t>(args.rows) * args.longest);
  EXPECT_EQ(args.chosen.count, static_cast<std::int64_t>(args.rows) * args.top_k);
  expect_held(args.score, "scores");
  expect_held(args.length, "lengths");
  expect_held(args.chosen, "chosen");
  expect_launchable(launch_of(args));
  return cudaSuccess;
}
cudaError_t launch(const SamplingArgs& args, cudaStream_t) {
  EXPECT_NO_THROW(check_shape(args));
  EXPECT_EQ(args.logits.count, static_cast<std::int64_t>(args.rows) * args.vocabulary);
  expect_held(args.logits, "logits");
  expect_held(args.uniform, "draws");
  expect_held(args.token, "tokens");
  expect_launchable(launch_of(args));
  return cudaSuccess;
}
cudaError_t launch(const PageCopyArgs& args, cudaStream_t) {
  expect_held(args.from, "from pages");
  expect_held(args.to, "to pages");
  for (int i = 0; i < args.pages; ++i) {
    EXPECT_LE((args.from_page.data[i] + 1LL) * args.words, args.from.count);
    const int to = args.to_page.count > 0 ? args.to_page.data[i] : i;
    EXPECT_LE((to + 1LL) * args.words, args.to.count);
  }
  expect_launchable(launch_of(args));
  return cudaSuccess;
}
cudaError_t launch(const SiluMulArgs& args, cudaStream_t) {
  EXPECT_EQ(args.width % 8, 0);
  EXPECT_EQ(args.gate_up.count, 2LL * args.rows * args.width);
  expect_held(args.gate_up, "gates");
  expect_held(args.output, "activation");
  expect_launchable(launch_of(args));
  return cudaSuccess;
}
cudaError_t launch(const QuantiseArgs& args, QuantScheme scheme, cudaStream_t) {
  EXPECT_NO_THROW(check_shape(args, scheme));
  const std::int64_t elements = static_cast<std::int64_t>(args.rows) * args.width;
  EXPECT_EQ(args.input.count, elements);
  EXPECT_GE(8 * args.output.count, is_fp4(scheme) ? elements : 2 * elements);
  EXPECT_GE(args.scale.count, args.rows);
  expect_held(args.input, "activations");
  expect_held(args.output, "quantised");
  expect_held(args.scale, "scales");
  expect_launchable(launch_of(args, scheme));
  return cudaSuccess;
}
cudaError_t launch(const MxGemmArgs& args, cudaStream_t) {
  EXPECT_NO_THROW(check_shape(args));
  const std::int64_t weights = static_cast<std::int64_t>(args.groups) * args.n * args.k;
  EXPECT_EQ(args.weight.count, weights / 8);
  EXPECT_EQ(args.scale.count, weights / 32);
  expect_held(args.left, "left");
  expect_held(args.weight, "weights");
  expect_held(args.scale, "scales");
  expect_held(args.output, "output");
  expect_held(args.first_row, "first rows");
  first_rows.assign(args.first_row.data, args.first_row.data + args.first_row.count);
  expect_launchable(launch_of(args));
  return cudaSuccess;
}
cudaError_t launch(const PrefillArgs& args, int head_dim, cudaStream_t) {
  EXPECT_NO_THROW(check_shape(args, head_dim));
  EXPECT_EQ(args.heads % args.kv_heads, 0);
  expect_held(args.query, "queries");
  expect_held(args.key, "keys");
  expect_held(args.value, "values");
  expect_held(args.output, "output");
  expect_held(args.sinks, "sinks");
  EXPECT_EQ(
      args.first_query.data[args.sequences] * static_cast<std::int64_t>(args.heads) * head_dim,
      args.query.count);
  EXPECT_EQ(args.first_key.data[args.sequences] * static_cast<std::int64_t>(args.kv_heads) *
                prefill_value_dim(head_dim),
            args.value.count);
  expect_launchable(launch_of(args, head_dim));
  return cudaSuccess;
}

template <class Kv>
void check_decode(const DecodeArgsOf<Kv>& args) {
  EXPECT_NO_THROW(check_shape(args));
  expect_held(args.query, "queries");
  expect_held(args.key.data, "keys");
  expect_held(args.value.data, "values");
  expect_held(args.partial.sums, "partial sums");
  const std::int64_t page =
      static_cast<std::int64_t>(args.key.page_size) * args.key.kv_heads * args.key.head_dim;
  for (std::int64_t i = 0; i < args.pages.count; ++i) {
    ASSERT_LE((args.pages.data[i] + 1) * page, args.key.data.count);
  }
  expect_launchable(launch_of(args, args.key.head_dim));
}
cudaError_t launch(const DecodeArgs& args, cudaStream_t) {
  check_decode(args);
  return cudaSuccess;
}
cudaError_t launch(const DecodeFp8Args& args, cudaStream_t) {
  check_decode(args);
  return cudaSuccess;
}
cudaError_t launch(const LatentDecodeArgs& args, cudaStream_t) {
  EXPECT_NO_THROW(check_shape(args));
  expect_held(args.query, "queries");
  expect_held(args.latent.data, "latent");
  expect_launchable(launch_of(args));
  return cudaSuccess;
}
cudaError_t launch(const LatentDecodeFp8Args& args, cudaStream_t) {
  EXPECT_NO_THROW(check_shape(args));
  expect_held(args.query, "queries");
  expect_held(args.latent.data, "latent");
  expect_launchable(launch_of(args));
  return cudaSuccess;
}
cudaError_t launch(const MergeArgs& args, cudaStream_t) {
  expect_held(args.output, "output");
  expect_held(args.sinks, "sinks");
  expect_launchable(launch_of(args));
  return cudaSuccess;
}

}  // namespace rackwright::kernels::own

namespace rackwright::kernels::cuda {

/// The library with one algorithm for each mode, which looks at its operands.
struct CublasLt::Handle {};
CublasLt::CublasLt(StepMemory& memory) : memory_(memory) {}
CublasLt::~CublasLt() = default;
std::vector<Candidate> CublasLt::candidates(const ProductShape& shape, ScaleMode mode,
                                            std::function<ProductPlaces()> places) {
  if (multiple_of_k(shape.type) > 1 && (shape.n % 16 != 0 || shape.k % 16 != 0)) return {};
  return {{"stand-in, " + std::string(name_of(mode)), [shape, places](void*) {
             ++launches;
             products.push_back(shape.m);
             const ProductPlaces at = places();
             const auto count = [](int a, int b) {
               return static_cast<std::size_t>(a) * static_cast<std::size_t>(b);
             };
             EXPECT_TRUE(allocated(at.a, element_bytes(shape.type, count(shape.m, shape.k))));
             EXPECT_TRUE(allocated(at.b, element_bytes(shape.type, count(shape.n, shape.k))));
             EXPECT_TRUE(allocated(at.d, output_bytes(shape.type, count(shape.m, shape.n))));
             return 0;
           }}};
}

namespace {

using ::testing::HasSubstr;

/// Address space in place of device memory: only what is written takes memory.
class Arena final : public CudaCalls {
 public:
  ~Arena() override { EXPECT_EQ(held_, 0); }
  int allocate(void** memory, std::size_t bytes) override {
    void* block = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (block == MAP_FAILED) return 2;
    blocks[static_cast<const char*>(block)] = bytes;
    *memory = block;
    ++held_;
    return 0;
  }
  int release(void* memory) override {
    const auto found = blocks.find(static_cast<const char*>(memory));
    ::munmap(memory, found->second);
    blocks.erase(found);
    --held_;
    return 0;
  }
  int create_stream(void** stream) override { return events_.create_stream(stream); }
  int destroy_stream(void* stream) override { return events_.destroy_stream(stream); }
  int synchronise(void*) override { return 0; }
  int query(void*) override { return 0; }
  int create_event(void** event) override { return events_.create_event(event); }
  int destroy_event(void* event) override { return events_.destroy_event(event); }
  int record(void* event, void* stream) override { return events_.record(event, stream); }
  int wait(void*, void*) override { return 0; }
  int elapsed_ms(float* ms, void*, void*) override {
    *ms = 1;
    return 0;
  }
  int begin_capture(void*) override { return 0; }
  int end_capture(void*, void**) override { return 0; }
  int launch_graph(void*, void*) override { return 0; }
  int destroy_graph(void*) override { return 0; }
  int hold(void*) override { return 0; }
  void let_go() override {}
  [[nodiscard]] bool hold_timed_out() const override { return false; }
  std::string name_of(int) override { return "cudaErrorStandIn"; }
  int remaining_error() override { return 0; }

 private:
  testing::StandInCuda events_;
  int held_ = 0;
};

void run_all(const workloads::OperatorGraph& graph, const OpenedCudnn& cudnn) {
  std::vector<CudaOperator> held;
  for (const workloads::Operator& op : graph.operators) {
    held.push_back(to_cuda(op));
    held.back().repeat = std::min(held.back().repeat, 3);
  }
  const std::vector<RackwrightCudaOperator> operators(held.begin(), held.end());
  Arena arena;
  DeviceOperators device(arena, 0, operators, cudnn);
  for (int i = 0; i < device.count(); ++i) {
    SCOPED_TRACE(std::string(graph.operators[static_cast<std::size_t>(i)].name) + ": " +
                 device.choice(i));
    EXPECT_EQ(device.enqueue(i, nullptr), 0);
    EXPECT_FALSE(device.choice(i).empty());
    // What replays as so many bytes: GELU, which no kernel here has.
    EXPECT_EQ(device.choice(i).find("no kernel of its own") != std::string::npos,
              graph.operators[static_cast<std::size_t>(i)].name == "vision_gelu");
  }
}

workloads::StepShape prompts(std::uint32_t sequences, std::uint32_t tokens) {
  workloads::StepShape step;
  step.prefill_sequences = step.prefill_finished = sequences;
  step.prefill_tokens = sequences * tokens, step.prefill_context = step.prefill_tokens;
  step.prefill_pairs = step.prefill_pairs_clipped = sequences * (tokens * (tokens + 1.0) / 2);
  step.prefill_image_tokens = 256;
  return step;
}
workloads::StepShape decoding(std::uint32_t sequences, double context) {
  workloads::StepShape step;
  step.decode_sequences = sequences, step.decode_context = sequences * context;
  step.decode_context_clipped = sequences * std::min(context, 128.0);
  step.decode_longest = static_cast<std::uint32_t>(context);
  return step;
}

class ShippedWorkload : public ::testing::TestWithParam<const char*> {};
INSTANTIATE_TEST_SUITE_P(Files, ShippedWorkload,
                         ::testing::Values("llama-3.1-8b-chat", "llama-3.1-70b-code",
                                           "deepseek-v3-code", "deepseek-v3-reasoning",
                                           "gpt-oss-120b-agentic", "qwen3-vl-30b-multimodal",
                                           "llama-scaled-46m-code"));

OpenedCudnn no_cudnn() {
  return {{}, false, "not installed"};
}

void run_workload(const std::string& name, const OpenedCudnn& cudnn) {
  const DataLocator data({RACKWRIGHT_SOURCE_DIR});
  const auto workload = workloads::read_workload(
      std::filesystem::path(RACKWRIGHT_SOURCE_DIR) / "workloads" / (name + ".json"), data, {}, 1);
  for (const auto& plan : workload.plans) {
    const workloads::Lowering lowering(workload.model, plan);
    for (const auto& step : {prompts(2, 1000), decoding(1, 3000), decoding(77, 1500)}) {
      workloads::OperatorGraph graph;
      lowering.lower(step, graph);
      run_all(graph, cudnn);
    }
  }
}

TEST_P(ShippedWorkload, EveryOperatorRunsInsideItsMemory) {
  const int before = launches;
  run_workload(GetParam(), no_cudnn());
  EXPECT_GT(launches, before + 20);
}

// Every tensor of every graph that cuDNN runs has memory, and enough of it.
TEST_P(ShippedWorkload, CudnnIsGivenAllItsTensors) {
  testing::FakeCudnn fake;
  int tensors = 0;
  fake.inspect = [&](const void* memory, std::size_t bytes, bool by_value) {
    ++tensors;
    ASSERT_NE(memory, nullptr);
    EXPECT_TRUE(by_value || allocated(memory, bytes)) << bytes;
  };
  run_workload(GetParam(), testing::FakeCudnn::opened());
  EXPECT_GT(fake.executed, 0);
  EXPECT_GT(tensors, 4 * fake.executed);
  EXPECT_EQ(fake.open, 0);
}

// Without cuDNN the choice names the own kernel and why.
TEST(DeviceOperators, ChoicesNameKernelPagesAndReason) {
  Arena arena;
  RackwrightCudaOperator op{};
  op.kind = RACKWRIGHT_CUDA_DECODE, op.repeat = 1;
  op.sequences = 4, op.query_tokens = 1, op.keys = 3000, op.heads = 32, op.kv_heads = 8;
  op.head_dim = op.value_dim = 128, op.kv_type = RACKWRIGHT_CUDA_FP8;
  const DeviceOperators device(arena, 0, {op}, no_cudnn());
  EXPECT_THAT(device.choice(0), HasSubstr("own rw_decode_128_fp8, pages of 64 HND"));
  EXPECT_THAT(device.choice(0), HasSubstr("cold cache; no cuDNN: not installed"));
}

// Experts of 40, 3 and 1 rows: cuBLASLt gets products of 48 and 16 rows, cuDNN and the MXFP4 kernel
// all 44.
TEST(DeviceOperators, ExpertsTakeRaggedRows) {
  const int rows[] = {40, 3, 1};
  RackwrightCudaOperator op{};
  op.kind = RACKWRIGHT_CUDA_EXPERTS, op.repeat = 1, op.type = RACKWRIGHT_CUDA_BF16;
  op.rows = 44, op.experts = 3, op.hidden = 256, op.intermediate = 128, op.gated = 1;
  op.expert_rows = rows;
  products.clear();
  Arena arena;
  DeviceOperators device(arena, 0, {op}, no_cudnn());
  products.clear();
  EXPECT_EQ(device.enqueue(0, nullptr), 0);
  EXPECT_THAT(products, ::testing::ElementsAre(48, 16, 16, 48, 16, 16));
  op.type = RACKWRIGHT_CUDA_MXFP4;
  first_rows.clear();
  DeviceOperators weights_only(arena, 0, {op}, no_cudnn());
  EXPECT_EQ(weights_only.enqueue(0, nullptr), 0);
  EXPECT_THAT(first_rows, ::testing::ElementsAre(0, 40, 43, 44));
}

std::vector<int> roles_of(const std::vector<Placed>& placed) {
  std::vector<int> roles;
  for (const Placed& one : placed) roles.push_back(one.role);
  return roles;
}

// A trial hands over what a launch reads, then what it writes; scales of MXFP4 weights are 1 (127).
TEST(DeviceOperators, TrialsHandOverInputsThenTheOutput) {
  Arena arena;
  RackwrightCudaOperator product{};
  product.kind = RACKWRIGHT_CUDA_GEMM, product.repeat = 1, product.type = RACKWRIGHT_CUDA_MXFP4;
  product.m = 3, product.n = 64, product.k = 128;
  RackwrightCudaOperator decode{};
  decode.kind = RACKWRIGHT_CUDA_DECODE, decode.repeat = 1, decode.sequences = 2;
  decode.query_tokens = 1, decode.keys = 100, decode.heads = 8, decode.kv_heads = 2;
  decode.head_dim = decode.value_dim = 64;
  DeviceOperators device(arena, 0, {product, decode}, no_cudnn());
  const auto placed = device.trial(0, 5);
  EXPECT_THAT(roles_of(placed),
              ::testing::ElementsAre(RACKWRIGHT_CUDA_LEFT, RACKWRIGHT_CUDA_RIGHT,
                                     RACKWRIGHT_CUDA_SCALE, RACKWRIGHT_CUDA_OUTPUT));
  EXPECT_EQ(placed[0].bytes, 2U * 3 * 128);
  EXPECT_EQ(placed[2].bytes, 64U * 128 / 32);
  EXPECT_EQ(static_cast<const unsigned char*>(placed[2].place)[255], 127);
  EXPECT_THAT(roles_of(device.trial(1, 5)),
              ::testing::ElementsAre(RACKWRIGHT_CUDA_QUERY, RACKWRIGHT_CUDA_KEY,
                                     RACKWRIGHT_CUDA_VALUE, RACKWRIGHT_CUDA_OUTPUT));
}

// INT8 sums in int32 and FP32 in fp32: results of 4 bytes.
TEST(DeviceOperators, WholeNumbersAndFp32HaveWideResults) {
  EXPECT_EQ(output_bytes(RACKWRIGHT_CUDA_INT8, 10), 40U);
  EXPECT_EQ(output_bytes(RACKWRIGHT_CUDA_FP32, 10), 40U);
  EXPECT_EQ(output_bytes(RACKWRIGHT_CUDA_FP8, 10), 20U);
  for (const int type : {RACKWRIGHT_CUDA_INT8, RACKWRIGHT_CUDA_FP32}) {
    Arena arena;
    RackwrightCudaOperator op{};
    op.kind = RACKWRIGHT_CUDA_GEMM, op.repeat = 2, op.m = 5, op.n = 64, op.k = 96, op.type = type;
    DeviceOperators device(arena, 0, {op}, no_cudnn());
    EXPECT_EQ(device.enqueue(0, nullptr), 0);
    EXPECT_THAT(device.choice(0), HasSubstr("stand-in"));
  }
}

TEST(DeviceOperators, ScaleModesFollowTheType) {
  Arena arena;
  RackwrightCudaOperator op{};
  op.kind = RACKWRIGHT_CUDA_GEMM, op.repeat = 1, op.m = 16, op.n = 100, op.k = 200;
  op.type = RACKWRIGHT_CUDA_FP8_BLOCK;
  const DeviceOperators device(arena, 0, {op}, no_cudnn());
  EXPECT_THAT(device.choice(0), HasSubstr("own quantiser; stand-in, scales of 1x128"));
  EXPECT_THAT(device.choice(0), HasSubstr("padded from n = 100, k = 200"));
}

}  // namespace
}  // namespace rackwright::kernels::cuda
