#include "kernels/cuda/device_operators.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "kernels/cuda/own_kernels.cuh"
#include "kernels/cuda/product_padding.hpp"
#include "kernels/cuda/runtime_checks.hpp"

namespace rackwright::kernels::cuda {
namespace {

constexpr int kOneE8m0 = 127;  ///< the code of 1
constexpr int kWidest = 128;   ///< what sizes are padded to at most

/// Bytes that one repeat touches, no less than it asks of the block at once.
std::size_t bytes_of(const RackwrightCudaOperator& op) {
  switch (op.kind) {
    case RACKWRIGHT_CUDA_GEMM: {
      const int n = round_up(op.n, kWidest), k = round_up(op.k, kWidest);
      const std::size_t element = op.type == RACKWRIGHT_CUDA_FP32 ? 4 : 2;
      return element * (product_of({op.m, k}) * 2 + product_of({n, k})) + 4 * product_of({op.m, n});
    }
    case RACKWRIGHT_CUDA_EXPERTS: {
      const int hidden = round_up(op.hidden, kWidest), inner = round_up(op.intermediate, kWidest);
      const std::size_t element = op.type == RACKWRIGHT_CUDA_FP32 ? 4 : 2;
      return element * product_of({3, op.experts, hidden, inner}) +
             4 * product_of({op.rows + 64 * op.experts}) * 2 * (hidden + 3 * inner);
    }
    case RACKWRIGHT_CUDA_ELEMENTWISE:  // caches take whole pages in bf16, rows whole words
      return 2 * static_cast<std::size_t>(op.bytes) + product_of({op.rows, 64}) +
             product_of({2, op.width}) +
             product_of({kPageTokens, 4 * op.kv_heads * op.head_dim + 2 * op.latent});
    case RACKWRIGHT_CUDA_STREAM:
      return static_cast<std::size_t>(op.bytes);
    case RACKWRIGHT_CUDA_NOTHING:
    case RACKWRIGHT_CUDA_COLLECTIVE:
      return 0;
    default: {
      // Own kernels hold heads of 64 and 128: smaller ones take as much.
      const int head = own::ceil_div(op.head_dim, 64) * 64;
      const int dims = head + std::max(op.value_dim, head);
      const int rows =
          op.kind == RACKWRIGHT_CUDA_LATENT_DECODE
              ? own::ceil_div(op.query_tokens * op.heads, own::kLatentRows) * own::kLatentRows
              : op.query_tokens * op.heads;
      return 2 * op.sequences *
             (product_of({op.keys + kPageTokens, std::max(op.kv_heads, 1), dims}) +
              product_of({rows, dims}));
    }
  }
}

std::size_t largest_of(const std::vector<RackwrightCudaOperator>& operators) {
  std::size_t largest = 1 << 20;
  for (const auto& op : operators) largest = std::max(largest, bytes_of(op));
  return largest + 64 * kAlignment;
}

}  // namespace

DeviceOperators::DeviceOperators(CudaCalls& calls, int device,
                                 std::vector<RackwrightCudaOperator> operators, OpenedCudnn cudnn)
    : operators_(std::move(operators)),
      calls_(calls),
      multiprocessors_(attribute(cudaDevAttrMultiProcessorCount, device)),
      memory_(calls, device, largest_of(operators_)),
      library_(memory_),
      cudnn_(std::move(cudnn)) {
  for (auto& op : operators_) {
    prepared_.push_back(prepare(op));
    op.expert_rows = nullptr;
  }
}

int DeviceOperators::enqueue(int i, void* stream) {
  const auto at = static_cast<std::size_t>(i);
  for (int repeat = 0; repeat < operators_[at].repeat; ++repeat) {
    if (const int code = prepared_[at].run(stream); code != 0) return code;
  }
  return 0;
}

/// The first run only says where scales lie.
std::vector<Placed> DeviceOperators::trial(int i, unsigned seed) {
  const auto run = [&] {
    check(calls_, prepared_[static_cast<std::size_t>(i)].run(nullptr), "trial");
    require(cudaDeviceSynchronize(), "trial");
    return memory_.end_trial();
  };
  memory_.begin_trial(seed);
  const std::vector<Placed> places = run();
  memory_.begin_trial(seed);
  for (const Placed& one : places) {
    if (one.role != RACKWRIGHT_CUDA_SCALE) continue;
    require(cudaMemset(one.place, kOneE8m0, one.bytes), "cudaMemset");
  }
  return run();
}

Prepared DeviceOperators::prepare(const RackwrightCudaOperator& op) {
  switch (op.kind) {
    case RACKWRIGHT_CUDA_GEMM:
      return gemm(op.type, op.m, op.n, op.k);
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
    case RACKWRIGHT_CUDA_ELEMENTWISE:
      return elementwise(op);
    case RACKWRIGHT_CUDA_NOTHING:
      return {[](void*) { return 0; }, "no work on this GPU"};
    case RACKWRIGHT_CUDA_COLLECTIVE: {
      const RackwrightCudaCollective one = *op.collective;
      return {[one](void* stream) { return one.enqueue(one.context, stream); },
              "collective of the program"};
    }
    default:
      throw CudaError(cudaErrorNotSupported, false,
                      "the CUDA module has no operator of kind " + std::to_string(op.kind));
  }
}

const RackwrightCudaCollective* DeviceOperators::first_collective() const {
  for (const auto& op : operators_) {
    if (op.kind == RACKWRIGHT_CUDA_COLLECTIVE) return op.collective;
  }
  return nullptr;
}

Prepared DeviceOperators::stream_bytes(const RackwrightCudaOperator& op) {
  const auto words = static_cast<std::size_t>(std::max(1.0, op.bytes / 2 / sizeof(own::Word16)));
  const int tiles = own::ceil_div(static_cast<int>(std::min<std::size_t>(words, 1U << 30)),
                                  own::kStreamThreads * own::kStreamWords);
  const int blocks = std::min(tiles, 8 * multiprocessors_);
  const auto run = [=, this](void* stream) {
    const std::size_t bytes = words * sizeof(own::Word16);
    return static_cast<int>(
        launch(own::StreamCopyArgs{view<const own::Word16>(memory_.next(bytes), words),
                                   view<own::Word16>(memory_.next(bytes), words), blocks},
               static_cast<cudaStream_t>(stream)));
  };
  return {run,
          "no kernel of its own: rw_stream_copy of as many bytes, half read, half written; "
          "cold cache"};
}

}  // namespace rackwright::kernels::cuda
