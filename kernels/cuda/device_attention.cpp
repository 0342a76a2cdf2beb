#include <algorithm>
#include <cmath>
#include <memory>
#include <string>
#include <utility>

#include "kernels/cuda/device_operators.hpp"
#include "kernels/cuda/own_kernels.cuh"
#include "kernels/cuda/runtime_checks.hpp"
#include "kernels/cuda/shuffled.hpp"

namespace rackwright::kernels::cuda {
namespace {

constexpr int kSplitKeys = 1024;  ///< least keys of a part of a split sequence
constexpr int kMlaKey = 192;  ///< MLA's dimensions before absorption, 128 + 64: they set the scale

/// As many parts as fill the GPU twice, none under kSplitKeys.
int splits_for(int keys, int blocks, int multiprocessors) {
  const int wanted = (2 * multiprocessors + blocks - 1) / std::max(blocks, 1);
  return std::clamp(wanted, 1, std::max(1, keys / kSplitKeys));
}

std::vector<int> equal(int count, int value) {
  return std::vector<int>(static_cast<std::size_t>(count), value);
}

float scale_of(int dimensions) {
  return 1 / std::sqrt(static_cast<float>(dimensions));
}

/// A logit a head; any value takes the same time.
std::vector<float> sink_logits(int heads) {
  return std::vector<float>(static_cast<std::size_t>(heads), 0.5F);
}

own::SplitResults split_results(StepMemory& memory, std::size_t parts, std::size_t dimensions) {
  const auto floats = [&](std::size_t count) {
    return view<float>(memory.own(sizeof(float) * count), count);
  };
  return {floats(parts * dimensions), floats(parts), floats(parts)};
}

std::string shape_text(const char* what, const RackwrightCudaOperator& op) {
  return std::string(what) + " of " + std::to_string(op.sequences) + " sequences, " +
         std::to_string(op.query_tokens) + " tokens on " + std::to_string(op.keys) + ", heads of " +
         std::to_string(op.head_dim);
}

bool is_fp8(const RackwrightCudaOperator& op) {
  return op.kv_type == RACKWRIGHT_CUDA_FP8;
}

/// Dimensions of the own kernel that holds these heads.
int own_dimensions(const RackwrightCudaOperator& op) {
  return op.head_dim <= 64 ? 64 : 128;
}
std::string padded(const RackwrightCudaOperator& op) {
  return op.head_dim == own_dimensions(op) || op.head_dim > 128
             ? std::string()
             : " for heads of " + std::to_string(op.head_dim);
}

/// What cuDNN is passed by value.
struct Numbers {
  float scale = 1;
  float masked = -3.0e38F;
  std::int32_t window = 0;
};

}  // namespace

CudnnBinder DeviceOperators::bind(const CudnnAttention& shape, const AttentionIds& ids) {
  const std::size_t size = shape.type == cudnn::kFp8 ? 1 : 2;
  const int pages = shape.page_tokens > 0 ? own::ceil_div(shape.keys, shape.page_tokens) : 0;
  const int tokens = shape.page_tokens > 0 ? pages * shape.page_tokens : shape.keys;
  const std::size_t rows = product_of({shape.sequences, shape.query_tokens, shape.heads});
  const std::size_t cached = product_of({shape.sequences, tokens, shape.kv_heads});
  const auto numbers = std::make_shared<Numbers>();
  numbers->scale = scale_of(shape.shared_cache ? kMlaKey : shape.key_dim);
  numbers->window = shape.window;

  std::vector<CudnnGraph::Place> fixed{{ids.scale, &numbers->scale}};
  const auto table = [&](std::int64_t id, const std::vector<int>& values) {
    if (id != 0) fixed.push_back({id, const_cast<int*>(memory_.table(values))});
  };
  for (const std::int64_t id : ids.masked) fixed.push_back({id, &numbers->masked});
  if (ids.window != 0) fixed.push_back({ids.window, &numbers->window});
  for (const std::int64_t id : ids.ones) {
    fixed.push_back({id, memory_.table(std::vector<float>{1})});
  }
  for (const std::int64_t id : ids.largest) fixed.push_back({id, memory_.own(sizeof(float))});
  if (ids.sinks != 0) {
    fixed.push_back({ids.sinks, memory_.table(sink_logits(shape.heads))});
  }
  table(ids.query_lengths, equal(shape.sequences, shape.query_tokens));
  table(ids.key_lengths, equal(shape.sequences, shape.keys));
  const std::vector<int> order = shuffled_pages(shape.sequences, pages);
  table(ids.pages_of_keys, order);
  table(ids.pages_of_values, order);
  return [=, this] {
    std::vector<CudnnGraph::Place> places = fixed;
    (void)numbers;  // lives as long as what points into it
    void* keys = memory_.next(size * cached * shape.key_dim, RACKWRIGHT_CUDA_KEY);
    places.push_back({ids.query, memory_.next(size * rows * shape.key_dim, RACKWRIGHT_CUDA_QUERY)});
    places.push_back({ids.key, keys});
    places.push_back({ids.value, shape.shared_cache ? keys
                                                    : memory_.next(size * cached * shape.value_dim,
                                                                   RACKWRIGHT_CUDA_VALUE)});
    places.push_back(
        {ids.output, memory_.next(size * rows * shape.value_dim, RACKWRIGHT_CUDA_OUTPUT)});
    return places;
  };
}

std::vector<Candidate> DeviceOperators::attention_candidates(const CudnnAttention& shape,
                                                             std::vector<std::string>& notes) {
  std::string layout = shape.type == cudnn::kFp8 ? ", FP8, a scale a tensor" : ", BF16";
  layout += shape.page_tokens > 0 ? ", pages of " + std::to_string(shape.page_tokens) + " HND"
                                  : ", keys as tokens x heads";
  std::vector<CudnnVariant> variants{{"fused pattern" + layout, [this, shape](CudnnGraph& graph) {
                                        return bind(shape, add_attention_pattern(graph, shape));
                                      }}};
  if (!shape.causal && shape.window == 0 && !shape.sinks && shape.type == cudnn::kBf16) {
    variants.push_back({"attention operation" + layout, [this, shape](CudnnGraph& graph) {
                          return bind(shape, add_attention_operation(graph, shape));
                        }});
  }
  return cudnn_candidates(
      cudnn_, variants, [this](std::size_t bytes) { return memory_.own(bytes); }, notes);
}

Prepared DeviceOperators::prefill(const RackwrightCudaOperator& op) {
  CudnnAttention shape{.type = is_fp8(op) ? cudnn::kFp8 : cudnn::kBf16,
                       .sequences = op.sequences,
                       .query_tokens = op.query_tokens,
                       .keys = op.keys,
                       .heads = op.heads,
                       .kv_heads = op.kv_heads,
                       .key_dim = op.head_dim,
                       .value_dim = op.value_dim,
                       .causal = op.full == 0,
                       .window = op.window,
                       .sinks = op.sinks != 0};
  std::vector<std::string> notes;
  std::vector<Candidate> all = attention_candidates(shape, notes);
  if (is_fp8(op) && all.empty()) {
    notes.emplace_back("the FP8 cache is read as BF16");
    shape.type = cudnn::kBf16;
    all = attention_candidates(shape, notes);
  }
  const bool has_own = (op.head_dim == op.value_dim && op.head_dim <= 128) ||
                       (op.head_dim == 192 && op.value_dim == 128);
  if (has_own && shape.type == cudnn::kBf16) all.push_back(own_prefill(op));
  return choose_quickest(calls_, shape_text("prefill attention", op), std::move(all), notes);
}

Candidate DeviceOperators::own_prefill(const RackwrightCudaOperator& given) {
  RackwrightCudaOperator op = given;
  if (op.head_dim == op.value_dim) op.head_dim = op.value_dim = own_dimensions(given);
  std::vector<int> first_query, first_key;
  for (int s = 0; s <= op.sequences; ++s) {
    first_query.push_back(s * op.query_tokens);
    first_key.push_back(s * op.keys);
  }
  const int* queries = memory_.table(first_query);
  const int* keys = memory_.table(first_key);
  const float* sinks = op.sinks == 0 ? nullptr : memory_.table(sink_logits(op.heads));
  const std::size_t rows = product_of({op.sequences, op.query_tokens, op.heads});
  const std::size_t cached = product_of({op.sequences, op.keys, op.kv_heads});
  const std::size_t query = rows * op.head_dim, out = rows * op.value_dim;
  const std::size_t key = cached * op.head_dim, value = cached * op.value_dim;
  const auto run = [=, this](void* stream) {
    own::PrefillArgs args;
    args.query = view<const own::Bf16>(memory_.next(2 * query, RACKWRIGHT_CUDA_QUERY), query);
    args.key = view<const own::Bf16>(memory_.next(2 * key, RACKWRIGHT_CUDA_KEY), key);
    args.value = view<const own::Bf16>(memory_.next(2 * value, RACKWRIGHT_CUDA_VALUE), value);
    args.first_query = {queries, op.sequences + 1};
    args.first_key = {keys, op.sequences + 1};
    if (sinks != nullptr) args.sinks = {sinks, op.heads};
    args.output = view<own::Bf16>(memory_.next(2 * out, RACKWRIGHT_CUDA_OUTPUT), out);
    args.sequences = op.sequences, args.longest_query = op.query_tokens;
    args.heads = op.heads, args.kv_heads = op.kv_heads, args.window = op.window;
    args.scale = scale_of(given.head_dim);
    args.full = op.full != 0;
    return static_cast<int>(launch(args, op.head_dim, static_cast<cudaStream_t>(stream)));
  };
  return {
      "own rw_prefill_" + std::to_string(op.head_dim) + padded(given) + ", keys as tokens x heads",
      run};
}

Prepared DeviceOperators::decode(const RackwrightCudaOperator& op) {
  const bool masked = op.window > 0 || op.query_tokens > 1;
  const CudnnAttention shape{.type = is_fp8(op) ? cudnn::kFp8 : cudnn::kBf16,
                             .sequences = op.sequences,
                             .query_tokens = op.query_tokens,
                             .keys = op.keys,
                             .heads = op.heads,
                             .kv_heads = op.kv_heads,
                             .key_dim = op.head_dim,
                             .value_dim = op.head_dim,
                             .causal = masked,
                             .window = op.window,
                             .sinks = op.sinks != 0,
                             .page_tokens = kPageTokens};
  std::vector<std::string> notes;
  std::vector<Candidate> all = attention_candidates(shape, notes);
  if (op.head_dim <= 128) all.push_back(own_decode(op));
  return choose_quickest(calls_, shape_text("decode attention", op), std::move(all), notes);
}

/// Query tokens of a sequence are taken as more heads: the keys are read once for all.
Candidate DeviceOperators::own_decode(const RackwrightCudaOperator& given) {
  RackwrightCudaOperator op = given;
  op.head_dim = own_dimensions(given);
  const int heads = op.heads * op.query_tokens;
  const int pages = own::ceil_div(op.keys, kPageTokens);
  const int splits = splits_for(op.keys, op.sequences * op.kv_heads, multiprocessors_);
  const int* table = memory_.table(shuffled_pages(op.sequences, pages));
  const int* length = memory_.table(equal(op.sequences, op.keys));
  const float* sinks = op.sinks == 0 ? nullptr : memory_.table(sink_logits(heads));
  const int rows = op.sequences * heads;
  const std::size_t parts = product_of({rows, splits});
  const own::SplitResults partial = split_results(memory_, parts, op.head_dim);
  const std::size_t query = product_of({rows, op.head_dim});
  const std::size_t cached =
      product_of({op.sequences, pages, kPageTokens, op.kv_heads, op.head_dim});
  const std::size_t bytes = (is_fp8(op) ? 1 : 2) * cached;
  const auto fill = [=, this](auto& args) {
    using Element = std::remove_pointer_t<decltype(args.key.data.data)>;
    args.query = view<const own::Bf16>(memory_.next(2 * query, RACKWRIGHT_CUDA_QUERY), query);
    args.key = {view<Element>(memory_.next(bytes, RACKWRIGHT_CUDA_KEY), cached), kPageTokens,
                op.kv_heads, op.head_dim, own::KvLayout::hnd};
    args.value = args.key;
    args.value.data = view<Element>(memory_.next(bytes, RACKWRIGHT_CUDA_VALUE), cached);
    args.pages = {table, op.sequences * static_cast<std::int64_t>(pages)};
    args.length = {length, op.sequences};
    args.partial = partial;
    args.sequences = op.sequences, args.heads = heads, args.longest_pages = pages;
    args.splits = splits, args.window = op.window;
    args.scale = scale_of(given.head_dim);
  };
  const auto run = [=, this](void* stream) {
    const auto at = static_cast<cudaStream_t>(stream);
    cudaError_t code = cudaSuccess;
    if (is_fp8(op)) {
      own::DecodeFp8Args args;
      fill(args);
      code = launch(args, at);
    } else {
      own::DecodeArgs args;
      fill(args);
      code = launch(args, at);
    }
    if (code != cudaSuccess) return static_cast<int>(code);
    own::MergeArgs merge{
        partial, {},    view<own::Bf16>(memory_.next(2 * query, RACKWRIGHT_CUDA_OUTPUT), query),
        rows,    heads, op.head_dim,
        splits};
    if (sinks != nullptr) merge.sinks = {sinks, heads};
    return static_cast<int>(launch(merge, at));
  };
  return {"own rw_decode_" + std::to_string(op.head_dim) + (is_fp8(op) ? "_fp8" : "") +
              padded(given) + ", pages of 64 HND, " + std::to_string(splits) + " parts a sequence",
          run};
}

Prepared DeviceOperators::latent_decode(const RackwrightCudaOperator& op) {
  const CudnnAttention shape{.sequences = op.sequences,
                             .query_tokens = op.query_tokens,
                             .keys = op.keys,
                             .heads = op.heads,
                             .kv_heads = 1,
                             .key_dim = op.head_dim,
                             .value_dim = op.value_dim,
                             .causal = op.query_tokens > 1,
                             .page_tokens = kPageTokens,
                             .shared_cache = true};
  std::vector<std::string> notes;
  if (is_fp8(op)) notes.emplace_back("cuDNN reads the FP8 latent as BF16");
  std::vector<Candidate> all = attention_candidates(shape, notes);
  if (op.head_dim == own::kLatentKey && op.value_dim == own::kLatent) {
    all.push_back(own_latent_decode(op));
  }
  return choose_quickest(calls_, shape_text("MLA decode", op), std::move(all), notes);
}

/// Fewer than 64 rows take the time of 64: the rows of the matrix products are there anyhow.
Candidate DeviceOperators::own_latent_decode(const RackwrightCudaOperator& op) {
  const int heads = own::ceil_div(op.heads * op.query_tokens, own::kLatentRows) * own::kLatentRows;
  const int pages = own::ceil_div(op.keys, kPageTokens);
  const int splits = splits_for(op.keys, op.sequences * heads / own::kLatentRows, multiprocessors_);
  const int* table = memory_.table(shuffled_pages(op.sequences, pages));
  const int* length = memory_.table(equal(op.sequences, op.keys));
  const int rows = op.sequences * heads;
  const std::size_t parts = product_of({rows, splits});
  const own::SplitResults partial = split_results(memory_, parts, own::kLatent);
  const std::size_t query = product_of({rows, own::kLatentKey});
  const std::size_t cached = product_of({op.sequences, pages, kPageTokens, own::kLatentKey});
  const std::size_t bytes = (is_fp8(op) ? 1 : 2) * cached;
  const auto fill = [=, this](auto& args) {
    using Element = std::remove_pointer_t<decltype(args.latent.data.data)>;
    args.query = view<const own::Bf16>(memory_.next(2 * query, RACKWRIGHT_CUDA_QUERY), query);
    args.latent = {view<Element>(memory_.next(bytes, RACKWRIGHT_CUDA_KEY), cached), kPageTokens, 1,
                   own::kLatentKey, own::KvLayout::hnd};
    args.pages = {table, op.sequences * static_cast<std::int64_t>(pages)};
    args.length = {length, op.sequences};
    args.partial = partial;
    args.sequences = op.sequences, args.heads = heads, args.longest_pages = pages;
    args.splits = splits;
    args.scale = scale_of(kMlaKey);
  };
  const auto run = [=, this](void* stream) {
    const auto at = static_cast<cudaStream_t>(stream);
    cudaError_t code = cudaSuccess;
    if (is_fp8(op)) {
      own::LatentDecodeFp8Args args;
      fill(args);
      code = launch(args, at);
    } else {
      own::LatentDecodeArgs args;
      fill(args);
      code = launch(args, at);
    }
    if (code != cudaSuccess) return static_cast<int>(code);
    const std::size_t out = product_of({rows, own::kLatent});
    return static_cast<int>(
        launch(own::MergeArgs{partial,
                              {},
                              view<own::Bf16>(memory_.next(2 * out, RACKWRIGHT_CUDA_OUTPUT), out),
                              rows,
                              heads,
                              own::kLatent,
                              splits},
               static_cast<cudaStream_t>(stream)));
  };
  return {std::string("own rw_latent_decode") + (is_fp8(op) ? "_fp8, a scale a tensor" : "") +
              ", pages of 64, " + std::to_string(splits) + " parts a sequence",
          run};
}

}  // namespace rackwright::kernels::cuda
