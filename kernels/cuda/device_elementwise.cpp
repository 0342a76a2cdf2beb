#include <algorithm>
#include <numeric>
#include <string>
#include <utility>

#include "kernels/cuda/device_operators.hpp"
#include "kernels/cuda/own_kernels.cuh"
#include "kernels/cuda/product_padding.hpp"
#include "kernels/cuda/runtime_checks.hpp"
#include "kernels/cuda/shuffled.hpp"

namespace rackwright::kernels::cuda {
namespace {

constexpr int kWord = 8;          ///< bf16 of a 16-byte word
constexpr int kPositions = 4096;  ///< of the table of angles; longer contexts walk it again
// What engines draw from unless a request says otherwise: top_k of Hugging Face's generation
// (GenerationConfig), top_p and temperature of Llama 3.1 (its generation_config.json).
constexpr int kSampled = 50;
constexpr float kNucleus = 0.9F;
constexpr float kTemperature = 0.6F;

const char* kernel_name(int kernel) {
  switch (kernel) {
    case RACKWRIGHT_CUDA_GATHER:
      return "rw_copy_pages, a page a row";
    case RACKWRIGHT_CUDA_NORM:
      return "rw_rms_norm without a residual";
    case RACKWRIGHT_CUDA_RESIDUAL_NORM:
      return "rw_rms_norm";
    case RACKWRIGHT_CUDA_ROTARY_APPEND:
      return "rw_rotary_append";
    case RACKWRIGHT_CUDA_GATED_ACTIVATION:
      return "rw_silu_mul";
    case RACKWRIGHT_CUDA_ROUTE:
      return "rw_route, softmax";
    case RACKWRIGHT_CUDA_EXPERT_SUM:
      return "rw_unpermute_rows";
    case RACKWRIGHT_CUDA_TOP_K:
      return "rw_index_largest";
    default:
      return "rw_sample from fp32 logits, top 50, top_p 0.9";
  }
}

/// Why the own kernel does not hold the shape; nothing where it does.
std::string not_held(const RackwrightCudaOperator& op) {
  const bool rows_of_words = op.width % kWord == 0;
  switch (op.kernel) {
    case RACKWRIGHT_CUDA_NORM:
    case RACKWRIGHT_CUDA_RESIDUAL_NORM:
      return rows_of_words && op.width <= 16384 ? "" : "rows of 8 to 16384, in eights";
    case RACKWRIGHT_CUDA_GATHER:
    case RACKWRIGHT_CUDA_EXPERT_SUM:
      return rows_of_words ? "" : "rows in eights";
    case RACKWRIGHT_CUDA_ROTARY_APPEND:
      return op.head_dim % 16 == 0 && op.latent % kWord == 0 ? "" : "heads in sixteens";
    case RACKWRIGHT_CUDA_ROUTE:
      return op.top_k <= own::kRouterTopK && op.top_k <= op.width && op.width <= 1024
                 ? ""
                 : "at most 32 of 1024 experts";
    default:
      return "";
  }
}

std::string size_text(const RackwrightCudaOperator& op) {
  if (op.kernel == RACKWRIGHT_CUDA_ROTARY_APPEND) {
    std::string text = ", " + std::to_string(op.rows) + " tokens, " + std::to_string(op.heads) +
                       " + " + std::to_string(op.kv_heads) + " heads of " +
                       std::to_string(op.head_dim) + ", pages of 64 HND, slots shuffled";
    if (op.latent > 0) text += "; rw_copy_pages for the latents";
    if (op.kv_type == RACKWRIGHT_CUDA_FP8) text += "; the FP8 cache is written as BF16";
    return text;
  }
  std::string text = ", " + std::to_string(op.rows) + " rows of " + std::to_string(op.width);
  if (op.kernel == RACKWRIGHT_CUDA_ROUTE || op.kernel == RACKWRIGHT_CUDA_TOP_K) {
    text += ", top " + std::to_string(op.top_k);
  }
  if (op.kernel == RACKWRIGHT_CUDA_EXPERT_SUM) {
    text += ", " + std::to_string(op.pairs) + " rows summed";
  }
  return text;
}

}  // namespace

Prepared DeviceOperators::elementwise(const RackwrightCudaOperator& op) {
  if (const std::string held = not_held(op); !held.empty()) {
    Prepared stream = stream_bytes(op);
    stream.choice += std::string("; own ") + kernel_name(op.kernel) + " holds " + held;
    return stream;
  }
  const auto launcher = [&]() -> Launcher {
    switch (op.kernel) {
      case RACKWRIGHT_CUDA_GATHER:
        return gather(op);
      case RACKWRIGHT_CUDA_NORM:
      case RACKWRIGHT_CUDA_RESIDUAL_NORM:
        return norm(op);
      case RACKWRIGHT_CUDA_ROTARY_APPEND:
        return rotary_append(op);
      case RACKWRIGHT_CUDA_GATED_ACTIVATION:
        return gated_activation(op.rows, op.width);
      case RACKWRIGHT_CUDA_ROUTE:
        return route(op);
      case RACKWRIGHT_CUDA_EXPERT_SUM:
        return expert_sum(op);
      case RACKWRIGHT_CUDA_TOP_K:
        return top_k(op);
      case RACKWRIGHT_CUDA_SAMPLE:
        return sample(op);
      default:
        throw CudaError(cudaErrorNotSupported, false,
                        "the CUDA module has no kernel " + std::to_string(op.kernel));
    }
  };
  return {launcher(),
          std::string("own ") + kernel_name(op.kernel) + size_text(op) + "; cold cache"};
}

/// Rows of a table in no order.
Launcher DeviceOperators::gather(const RackwrightCudaOperator& op) {
  const int* from = memory_.table(shuffled(op.rows));
  const int words = op.width / kWord;
  return [=, this](void* stream) {
    const std::size_t all = product_of({op.rows, words});
    own::PageCopyArgs args;
    args.from = view<const own::Word16>(memory_.next(16 * all), all);
    args.to = view<own::Word16>(memory_.next(16 * all), all);
    args.from_page = {from, op.rows};
    args.pages = op.rows, args.words = words;
    return static_cast<int>(launch(args, static_cast<cudaStream_t>(stream)));
  };
}

Launcher DeviceOperators::norm(const RackwrightCudaOperator& op) {
  const bool adds = op.kernel == RACKWRIGHT_CUDA_RESIDUAL_NORM;
  return [=, this](void* stream) {
    const std::size_t all = product_of({op.rows, op.width});
    own::RmsNormArgs args;
    args.input = view<const own::Bf16>(memory_.next(2 * all), all);
    args.output = view<own::Bf16>(memory_.next(2 * all), all);
    if (adds) {
      args.residual = view<const own::Bf16>(memory_.next(2 * all), all);
      args.sum = view<own::Bf16>(memory_.next(2 * all), all);
    }
    const std::size_t width = product_of({op.width});
    args.weight = view<const own::Bf16>(memory_.next(2 * width), width);
    args.rows = op.rows, args.hidden = op.width, args.epsilon = 1e-5F;
    return static_cast<int>(launch(args, static_cast<cudaStream_t>(stream)));
  };
}

/// MLA's key has no values beside it: its latents are copied into the cache, a page a token.
Launcher DeviceOperators::rotary_append(const RackwrightCudaOperator& op) {
  const int slots = own::ceil_div(op.rows, kPageTokens) * kPageTokens;
  std::vector<int> slot = shuffled(slots);
  slot.resize(static_cast<std::size_t>(op.rows));
  std::vector<int> position(slot.size());
  for (std::size_t i = 0; i < position.size(); ++i) position[i] = static_cast<int>(i) % kPositions;
  const int* slot_table = memory_.table(slot);
  const int* positions = memory_.table(position);
  const std::size_t angles = product_of({kPositions, op.head_dim});
  const float* cos_sin = memory_.table(std::vector<float>(angles, 0.5F));
  Launcher rotate = [=, this](void* stream) {
    const std::size_t query = product_of({op.rows, op.heads, op.head_dim});
    const std::size_t key = product_of({op.rows, op.kv_heads, op.head_dim});
    const std::size_t cached = product_of({slots, op.kv_heads, op.head_dim});
    own::RotaryAppendArgs args;
    args.query = view<own::Bf16>(memory_.next(2 * query), query);
    args.key = view<const own::Bf16>(memory_.next(2 * key), key);
    args.key_cache = {view<own::Bf16>(memory_.next(2 * cached), cached), kPageTokens, op.kv_heads,
                      op.head_dim, own::KvLayout::hnd};
    if (op.latent == 0) {
      args.value = view<const own::Bf16>(memory_.next(2 * key), key);
      args.value_cache = args.key_cache;
      args.value_cache.data = view<own::Bf16>(memory_.next(2 * cached), cached);
    }
    args.cos_sin = {cos_sin, static_cast<std::int64_t>(angles)};
    args.position = {positions, op.rows};
    args.slot = {slot_table, op.rows};
    args.tokens = op.rows, args.heads = op.heads;
    return static_cast<int>(launch(args, static_cast<cudaStream_t>(stream)));
  };
  if (op.latent == 0) return rotate;
  return in_turn({std::move(rotate), append_latents(op, slot_table)});
}

Launcher DeviceOperators::append_latents(const RackwrightCudaOperator& op, const int* slots) {
  std::vector<int> order(static_cast<std::size_t>(op.rows));
  std::iota(order.begin(), order.end(), 0);
  const int* from = memory_.table(order);
  const int words = op.latent / kWord;
  const int cached = own::ceil_div(op.rows, kPageTokens) * kPageTokens;
  return [=, this](void* stream) {
    const std::size_t in = product_of({op.rows, words}), out = product_of({cached, words});
    own::PageCopyArgs args;
    args.from = view<const own::Word16>(memory_.next(16 * in), in);
    args.to = view<own::Word16>(memory_.next(16 * out), out);
    args.from_page = {from, op.rows};
    args.to_page = {slots, op.rows};
    args.pages = op.rows, args.words = words;
    return static_cast<int>(launch(args, static_cast<cudaStream_t>(stream)));
  };
}

Launcher DeviceOperators::gated_activation(int rows, int given_width) {
  const int width = round_up(given_width, kWord);
  return [=, this](void* stream) {
    const std::size_t out = product_of({rows, width});
    return static_cast<int>(
        launch(own::SiluMulArgs{view<const own::Bf16>(memory_.next(4 * out), 2 * out),
                                view<own::Bf16>(memory_.next(2 * out), out), rows, width},
               static_cast<cudaStream_t>(stream)));
  };
}

Launcher DeviceOperators::route(const RackwrightCudaOperator& op) {
  return [=, this](void* stream) {
    const std::size_t scores = product_of({op.rows, op.width});
    const std::size_t chosen = product_of({op.rows, op.top_k});
    own::RouterArgs args;
    args.logits = view<const float>(memory_.next(4 * scores), scores);
    args.expert = view<std::int32_t>(memory_.next(4 * chosen), chosen);
    args.weight = view<float>(memory_.next(4 * chosen), chosen);
    args.tokens = op.rows, args.experts = op.width, args.top_k = op.top_k;
    return static_cast<int>(launch(args, static_cast<cudaStream_t>(stream)));
  };
}

/// `pairs` rows in no order, spread evenly over the tokens' top_k; the others are on other ranks.
Launcher DeviceOperators::expert_sum(const RackwrightCudaOperator& op) {
  const std::int64_t places = static_cast<std::int64_t>(op.rows) * op.top_k;
  const int pairs = static_cast<int>(std::min<std::int64_t>(op.pairs, places));
  const std::vector<int> order = shuffled(pairs);
  std::vector<int> row;
  for (std::int64_t i = 0; i < places; ++i) {
    const std::int64_t before = i * pairs / places, after = (i + 1) * pairs / places;
    row.push_back(after > before ? order[static_cast<std::size_t>(before)] : -1);
  }
  const int* rows = memory_.table(row);
  const float* weights =
      memory_.table(std::vector<float>(row.size(), 1.0F / static_cast<float>(op.top_k)));
  return [=, this](void* stream) {
    const std::size_t in = product_of({pairs, op.width}), out = product_of({op.rows, op.width});
    own::UnpermuteArgs args;
    args.input = view<const own::Bf16>(memory_.next(2 * in), in);
    args.row = {rows, places};
    args.weight = {weights, places};
    args.output = view<own::Bf16>(memory_.next(2 * out), out);
    args.tokens = op.rows, args.top_k = op.top_k, args.hidden = op.width;
    return static_cast<int>(launch(args, static_cast<cudaStream_t>(stream)));
  };
}

Launcher DeviceOperators::top_k(const RackwrightCudaOperator& op) {
  const int* length = memory_.table(std::vector<int>(static_cast<std::size_t>(op.rows), op.width));
  return [=, this](void* stream) {
    const std::size_t scores = product_of({op.rows, op.width});
    const std::size_t chosen = product_of({op.rows, op.top_k});
    own::IndexerArgs args;
    args.score = view<const float>(memory_.next(4 * scores), scores);
    args.length = {length, op.rows};
    args.chosen = view<std::int32_t>(memory_.next(4 * chosen), chosen);
    args.rows = op.rows, args.longest = op.width, args.top_k = op.top_k;
    return static_cast<int>(launch(args, static_cast<cudaStream_t>(stream)));
  };
}

Launcher DeviceOperators::sample(const RackwrightCudaOperator& op) {
  std::vector<float> draws(static_cast<std::size_t>(op.rows));
  for (std::size_t i = 0; i < draws.size(); ++i) {
    draws[i] = static_cast<float>(own::mixed(static_cast<std::uint32_t>(i)) >> 8) / 16777216.0F;
  }
  const float* uniform = memory_.table(draws);
  return [=, this](void* stream) {
    const std::size_t logits = product_of({op.rows, op.width});
    own::SamplingArgs args;
    args.logits = view<const float>(memory_.next(4 * logits), logits);
    args.uniform = {uniform, op.rows};
    args.token = view<std::int32_t>(memory_.next(4 * product_of({op.rows})), product_of({op.rows}));
    args.rows = op.rows, args.vocabulary = op.width, args.top_k = std::min(kSampled, op.width);
    args.top_p = kNucleus, args.temperature = kTemperature;
    return static_cast<int>(launch(args, static_cast<cudaStream_t>(stream)));
  };
}

}  // namespace rackwright::kernels::cuda
