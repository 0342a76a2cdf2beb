#include "kernels/cuda/device_operators.hpp"

#include <algorithm>
#include <cmath>
#include <string>

#include <cuda_runtime.h>

#include "kernels/cuda/own_kernels.cuh"

namespace rackwright::kernels::cuda {
namespace {

constexpr std::size_t kAlignment = 256;
constexpr int kPageTokens = 64;
constexpr int kSplitKeys = 1024;  ///< least keys of a part of a split sequence

void require(cudaError_t error, const std::string& call) {
  if (error == cudaSuccess) return;
  (void)cudaGetLastError();
  throw CudaError(error, is_sticky(error), describe(call, cudaGetErrorName(error), error));
}

[[noreturn]] void refuse(const std::string& what) {
  throw CudaError(cudaErrorNotSupported, false, "no kernel of the CUDA module: " + what);
}

std::size_t product_of(std::initializer_list<int> sizes) {
  std::size_t all = 1;
  for (const int size : sizes) all *= static_cast<std::size_t>(size);
  return all;
}

template <class T>
own::View<T> view(void* memory, std::size_t count) {
  return {static_cast<T*>(memory), static_cast<std::int64_t>(count)};
}

/// Bytes that one repeat touches, no less than it asks of the block at once.
std::size_t bytes_of(const RackwrightCudaOperator& op) {
  switch (op.kind) {
    case RACKWRIGHT_CUDA_GEMM:
      return 2 *
             (product_of({op.m, op.k}) * 2 + product_of({op.n, op.k}) + product_of({op.m, op.n}));
    case RACKWRIGHT_CUDA_EXPERTS:
      return 2 * op.experts *
             (3 * product_of({op.hidden, op.intermediate}) +
              product_of({op.rows}) * 2 * (op.hidden + 3 * op.intermediate));
    case RACKWRIGHT_CUDA_STREAM:
      return static_cast<std::size_t>(op.bytes);
    case RACKWRIGHT_CUDA_NOTHING:
      return 0;
    default:
      return 2 * op.sequences *
             (2 * product_of({op.keys + kPageTokens, std::max(op.kv_heads, 1), op.head_dim}) +
              2 * product_of({op.query_tokens, op.heads, op.head_dim}));
  }
}

std::size_t largest_of(const std::vector<RackwrightCudaOperator>& operators) {
  std::size_t largest = 1 << 20;
  for (const auto& op : operators) largest = std::max(largest, bytes_of(op));
  return largest + 64 * kAlignment;
}

int attribute(cudaDeviceAttr which, int device) {
  int value = 0;
  require(cudaDeviceGetAttribute(&value, which, device), "cudaDeviceGetAttribute");
  return value;
}

}  // namespace

StepMemory::StepMemory(CudaCalls& calls, int device, std::size_t largest) : calls_(calls) {
  const auto l2 = static_cast<std::size_t>(attribute(cudaDevAttrL2CacheSize, device));
  bytes_ = (std::max(2 * largest, largest + 2 * l2) + kAlignment - 1) / kAlignment * kAlignment;
  void* block = own(bytes_);
  require(launch(own::FillRandomArgs{view<own::Bf16>(block, bytes_ / 2), 1,
                                     8 * attribute(cudaDevAttrMultiProcessorCount, device)},
                 nullptr),
          "fill of the step's memory");
  require(cudaDeviceSynchronize(), "fill of the step's memory");
}

StepMemory::~StepMemory() {
  for (void* block : blocks_) (void)calls_.release(block);
}

void* StepMemory::own(std::size_t bytes) {
  void* block = nullptr;
  check(calls_, calls_.allocate(&block, bytes),
        "cudaMalloc of " + std::to_string(bytes) + " bytes");
  blocks_.push_back(block);
  return block;
}

void* StepMemory::next(std::size_t bytes) {
  const std::size_t rounded = (bytes + kAlignment - 1) / kAlignment * kAlignment;
  if (used_ + rounded > bytes_) used_ = 0;
  void* place = static_cast<char*>(blocks_.front()) + used_;
  used_ += rounded;
  return place;
}

const int* StepMemory::table(const std::vector<int>& values) {
  void* place = own(values.size() * sizeof(int));
  require(cudaMemcpy(place, values.data(), values.size() * sizeof(int), cudaMemcpyHostToDevice),
          "cudaMemcpy");
  return static_cast<const int*>(place);
}

DeviceOperators::DeviceOperators(CudaCalls& calls, int device,
                                 std::vector<RackwrightCudaOperator> operators)
    : operators_(std::move(operators)),
      multiprocessors_(attribute(cudaDevAttrMultiProcessorCount, device)),
      memory_(calls, device, largest_of(operators_)) {
  for (const auto& op : operators_) launchers_.push_back(launcher_of(op));
}

int DeviceOperators::enqueue(int i, void* stream) {
  const auto at = static_cast<std::size_t>(i);
  for (int repeat = 0; repeat < operators_[at].repeat; ++repeat) {
    if (const int code = launchers_[at](stream); code != 0) return code;
  }
  return 0;
}

DeviceOperators::Launcher DeviceOperators::launcher_of(const RackwrightCudaOperator& op) {
  switch (op.kind) {
    case RACKWRIGHT_CUDA_GEMM:
      return gemm(op);
    case RACKWRIGHT_CUDA_PREFILL:
      return prefill(op);
    case RACKWRIGHT_CUDA_DECODE:
      return decode(op);
    case RACKWRIGHT_CUDA_LATENT_DECODE:
      return latent_decode(op);
    case RACKWRIGHT_CUDA_EXPERTS:
      return experts(op);
    case RACKWRIGHT_CUDA_STREAM:
      return stream_bytes(op);
    case RACKWRIGHT_CUDA_NOTHING:
      return [](void*) { return 0; };
    default:
      refuse("operator kind " + std::to_string(op.kind));
  }
}

/// FP8 reads the activations in bf16, quantises them a scale a token, and multiplies.
DeviceOperators::Launcher DeviceOperators::gemm(const RackwrightCudaOperator& op) {
  Launcher multiply = product(op.type, op.m, op.n, op.k);
  if (op.type != RACKWRIGHT_CUDA_FP8) return multiply;
  if (op.k % 16 != 0 || op.k > 16384)
    refuse("FP8 quantiser of " + std::to_string(op.k) + " columns");
  void* scale = memory_.own(sizeof(float) * static_cast<std::size_t>(op.m));
  return [this, op, scale, multiply](void* stream) {
    const std::size_t count = product_of({op.m, op.k});
    own::QuantiseArgs args;
    args.input = view<const own::Bf16>(memory_.next(2 * count), count);
    args.output = view<std::uint32_t>(memory_.next(count), count / 4);
    args.scale = view<float>(scale, static_cast<std::size_t>(op.m));
    args.rows = op.m, args.width = op.k;
    const int code = launch(args, own::QuantScheme::fp8_token, static_cast<cudaStream_t>(stream));
    return code != 0 ? code : multiply(stream);
  };
}

DeviceOperators::Launcher DeviceOperators::product(int type, int m, int n, int k) {
  if (type == RACKWRIGHT_CUDA_MXFP4) {
    if (n % 8 != 0 || k % 32 != 0) refuse("MXFP4 product with n = " + std::to_string(n));
    return [this, m, n, k](void* stream) {
      own::MxGemmArgs args;
      args.left = view<const own::Bf16>(memory_.next(2 * product_of({m, k})), product_of({m, k}));
      args.weight =
          view<const std::uint32_t>(memory_.next(product_of({n, k}) / 2), product_of({n, k}) / 8);
      args.scale =
          view<const std::uint8_t>(memory_.next(product_of({n, k}) / 32), product_of({n, k}) / 32);
      args.output = view<own::Bf16>(memory_.next(2 * product_of({m, n})), product_of({m, n}));
      args.m = m, args.n = n, args.k = k;
      return static_cast<int>(launch(args, static_cast<cudaStream_t>(stream)));
    };
  }
  const bool fp8 = type == RACKWRIGHT_CUDA_FP8;
  const std::size_t size = fp8 ? 1 : 2;
  const auto places = [this, m, n, k, size] {
    struct Places {
      void *a, *b, *d;
    };
    return Places{memory_.next(size * product_of({m, k})), memory_.next(size * product_of({n, k})),
                  memory_.next(2 * product_of({m, n}))};
  };
  const auto first = places();
  products_.push_back(std::make_unique<CublasGemm>(library_, fp8 ? GemmInput::fp8 : GemmInput::bf16,
                                                   m, n, k, first.a, first.b, first.d));
  return [places, plan = products_.back().get()](void* stream) {
    const auto at = places();
    return plan->run(at.a, at.b, at.d, stream);
  };
}

DeviceOperators::Launcher DeviceOperators::prefill(const RackwrightCudaOperator& op) {
  if (op.head_dim != 64 && op.head_dim != 128) {
    refuse("prefill attention with heads of " + std::to_string(op.head_dim));
  }
  std::vector<int> first_query, first_key;
  for (int s = 0; s <= op.sequences; ++s) {
    first_query.push_back(s * op.query_tokens);
    first_key.push_back(s * op.keys);
  }
  const int* queries = memory_.table(first_query);
  const int* keys = memory_.table(first_key);
  const std::size_t query = product_of({op.sequences, op.query_tokens, op.heads, op.head_dim});
  const std::size_t cached = product_of({op.sequences, op.keys, op.kv_heads, op.head_dim});
  return [=, this](void* stream) {
    own::PrefillArgs args;
    args.query = view<const own::Bf16>(memory_.next(2 * query), query);
    args.key = view<const own::Bf16>(memory_.next(2 * cached), cached);
    args.value = view<const own::Bf16>(memory_.next(2 * cached), cached);
    args.first_query = {queries, op.sequences + 1};
    args.first_key = {keys, op.sequences + 1};
    args.output = view<own::Bf16>(memory_.next(2 * query), query);
    args.sequences = op.sequences, args.longest_query = op.query_tokens;
    args.heads = op.heads, args.kv_heads = op.kv_heads, args.window = op.window;
    args.scale = 1 / std::sqrt(static_cast<float>(op.head_dim));
    return static_cast<int>(launch(args, op.head_dim, static_cast<cudaStream_t>(stream)));
  };
}

namespace {

/// Pages of equal sequences, neighbours in a cache far apart.
std::vector<int> shuffled_pages(int sequences, int pages) {
  std::vector<int> order(static_cast<std::size_t>(sequences) * pages);
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = static_cast<int>(i);
  std::uint32_t state = 1;
  for (std::size_t i = order.size(); i > 1; --i) {
    state = own::mixed(state + 0x9e3779b9U);
    std::swap(order[i - 1], order[state % i]);
  }
  return order;
}

/// As many parts as fill the GPU twice, none under kSplitKeys.
int splits_for(int keys, int blocks, int multiprocessors) {
  const int wanted = (2 * multiprocessors + blocks - 1) / std::max(blocks, 1);
  return std::clamp(wanted, 1, std::max(1, keys / kSplitKeys));
}

}  // namespace

DeviceOperators::Launcher DeviceOperators::decode(const RackwrightCudaOperator& op) {
  if (op.head_dim != 64 && op.head_dim != 128) {
    refuse("decode attention with heads of " + std::to_string(op.head_dim));
  }
  const int pages = own::ceil_div(op.keys, kPageTokens);
  const int splits = splits_for(op.keys, op.sequences * op.kv_heads, multiprocessors_);
  const int* table = memory_.table(shuffled_pages(op.sequences, pages));
  const int* length =
      memory_.table(std::vector<int>(static_cast<std::size_t>(op.sequences), op.keys));
  const int rows = op.sequences * op.heads;
  const std::size_t parts = product_of({rows, splits});
  const own::SplitResults partial{
      view<float>(memory_.own(4 * parts * op.head_dim), parts * op.head_dim),
      view<float>(memory_.own(4 * parts), parts), view<float>(memory_.own(4 * parts), parts)};
  const std::size_t query = product_of({rows, op.head_dim});
  const std::size_t cached =
      product_of({op.sequences, pages, kPageTokens, op.kv_heads, op.head_dim});
  return [=, this](void* stream) {
    own::DecodeArgs args;
    args.query = view<const own::Bf16>(memory_.next(2 * query), query);
    args.key = {view<const own::Bf16>(memory_.next(2 * cached), cached), kPageTokens, op.kv_heads,
                op.head_dim, own::KvLayout::hnd};
    args.value = args.key;
    args.value.data = view<const own::Bf16>(memory_.next(2 * cached), cached);
    args.pages = {table, op.sequences * static_cast<std::int64_t>(pages)};
    args.length = {length, op.sequences};
    args.partial = partial;
    args.sequences = op.sequences, args.heads = op.heads, args.longest_pages = pages;
    args.splits = splits, args.window = op.window;
    args.scale = 1 / std::sqrt(static_cast<float>(op.head_dim));
    const int code = launch(args, static_cast<cudaStream_t>(stream));
    if (code != 0) return code;
    return static_cast<int>(launch(own::MergeArgs{partial,
                                                  {},
                                                  view<own::Bf16>(memory_.next(2 * query), query),
                                                  rows,
                                                  op.heads,
                                                  op.head_dim,
                                                  splits},
                                   static_cast<cudaStream_t>(stream)));
  };
}

/// Fewer than 64 heads take the time of 64: the rows of the matrix products are there anyhow.
DeviceOperators::Launcher DeviceOperators::latent_decode(const RackwrightCudaOperator& op) {
  if (op.head_dim != own::kLatentKey) {
    refuse("MLA decode on " + std::to_string(op.head_dim) + " dimensions");
  }
  const int heads = own::ceil_div(op.heads, own::kLatentRows) * own::kLatentRows;
  const int pages = own::ceil_div(op.keys, kPageTokens);
  const int splits = splits_for(op.keys, op.sequences * heads / own::kLatentRows, multiprocessors_);
  const int* table = memory_.table(shuffled_pages(op.sequences, pages));
  const int* length =
      memory_.table(std::vector<int>(static_cast<std::size_t>(op.sequences), op.keys));
  const int rows = op.sequences * heads;
  const std::size_t parts = product_of({rows, splits});
  const own::SplitResults partial{
      view<float>(memory_.own(4 * parts * own::kLatent), parts * own::kLatent),
      view<float>(memory_.own(4 * parts), parts), view<float>(memory_.own(4 * parts), parts)};
  const std::size_t query = product_of({rows, own::kLatentKey});
  const std::size_t cached = product_of({op.sequences, pages, kPageTokens, own::kLatentKey});
  void* queries = memory_.own(2 * query);
  void* output = memory_.own(2 * product_of({rows, own::kLatent}));
  return [=, this](void* stream) {
    own::LatentDecodeArgs args;
    args.query = view<const own::Bf16>(queries, query);
    args.latent = {view<const own::Bf16>(memory_.next(2 * cached), cached), kPageTokens, 1,
                   own::kLatentKey, own::KvLayout::hnd};
    args.pages = {table, op.sequences * static_cast<std::int64_t>(pages)};
    args.length = {length, op.sequences};
    args.partial = partial;
    args.sequences = op.sequences, args.heads = heads, args.longest_pages = pages;
    args.splits = splits;
    args.scale = 1 / std::sqrt(192.0F);  // 128 + 64 dimensions before absorption
    const int code = launch(args, static_cast<cudaStream_t>(stream));
    if (code != 0) return code;
    const std::size_t out = product_of({rows, own::kLatent});
    return static_cast<int>(launch(
        own::MergeArgs{
            partial, {}, view<own::Bf16>(output, out), rows, heads, own::kLatent, splits},
        static_cast<cudaStream_t>(stream)));
  };
}

/// One product after the other for each touched expert: portable, and slower than a grouped kernel.
DeviceOperators::Launcher DeviceOperators::experts(const RackwrightCudaOperator& op) {
  const int up = op.gated != 0 ? 2 * op.intermediate : op.intermediate;
  RackwrightCudaOperator shape = op;
  shape.m = op.rows, shape.n = up, shape.k = op.hidden;
  const Launcher first = gemm(shape);
  shape.n = op.hidden, shape.k = op.intermediate;
  const Launcher second = gemm(shape);
  return [=, this](void* stream) {
    for (int expert = 0; expert < op.experts; ++expert) {
      if (const int code = first(stream); code != 0) return code;
      const std::size_t in = product_of({op.rows, up});
      const std::size_t out = product_of({op.rows, op.intermediate});
      if (op.gated != 0) {
        const int code = launch(
            own::SiluMulArgs{view<const own::Bf16>(memory_.next(2 * in), in),
                             view<own::Bf16>(memory_.next(2 * out), out), op.rows, op.intermediate},
            static_cast<cudaStream_t>(stream));
        if (code != 0) return code;
      }
      if (const int code = second(stream); code != 0) return code;
    }
    return 0;
  };
}

DeviceOperators::Launcher DeviceOperators::stream_bytes(const RackwrightCudaOperator& op) {
  const auto words = static_cast<std::size_t>(std::max(1.0, op.bytes / 2 / sizeof(own::Word16)));
  const int tiles = own::ceil_div(static_cast<int>(std::min<std::size_t>(words, 1U << 30)),
                                  own::kStreamThreads * own::kStreamWords);
  const int blocks = std::min(tiles, 8 * multiprocessors_);
  return [=, this](void* stream) {
    const std::size_t bytes = words * sizeof(own::Word16);
    return static_cast<int>(
        launch(own::StreamCopyArgs{view<const own::Word16>(memory_.next(bytes), words),
                                   view<own::Word16>(memory_.next(bytes), words), blocks},
               static_cast<cudaStream_t>(stream)));
  };
}

}  // namespace rackwright::kernels::cuda
