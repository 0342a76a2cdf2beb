#pragma once

#include "kernels/own/radix_select.hpp"

namespace rackwright::kernels::own {

/// Draws a token a row: from the top_k highest logits, of these the fewest whose probability is at
/// least top_p, by the uniform number of the row. Softmax at `temperature` over the top_k.
struct SamplingArgs {
  View<const float> logits;   ///< rows x vocabulary
  View<const float> uniform;  ///< rows, in [0, 1)
  View<std::int32_t> token;   ///< rows
  int rows = 0, vocabulary = 0;
  int top_k = 1;  ///< at most 1024
  float top_p = 1;
  float temperature = 1;
};

inline constexpr int kSamplingMost = 1024;
/// Keys and indices to sort, after what the selection needs.
inline constexpr int kSamplingKeys = ceil_div(kSelectBytes, 16) * 16;

/// A block a row.
[[nodiscard]] inline Launch launch_of(const SamplingArgs& args) {
  return {args.rows, 1, 1, kSelectThreads,
          kSamplingKeys + 2 * kSamplingMost * static_cast<int>(sizeof(int))};
}

/// Bitonic: highest key first, of equals the lower index.
template <class Thread, class Keys, class Indices>
RW_DEVICE void sort_descending(Thread& t, int count, Keys& keys, Indices& indices) noexcept {
  for (int size = 2; size <= count; size *= 2) {
    for (int stride = size / 2; stride > 0; stride /= 2) {
      for (int pair = t.thread(); pair < count / 2; pair += kSelectThreads) {
        const int low = pair / stride * 2 * stride + pair % stride, high = low + stride;
        const std::uint32_t a = keys.get(low), b = keys.get(high);
        const int i = indices.get(low), j = indices.get(high);
        const bool in_order = a > b || (a == b && i <= j);
        const bool wanted = (low & size) == 0;
        if (in_order == wanted) continue;
        keys.set(low, b);
        keys.set(high, a);
        indices.set(low, j);
        indices.set(high, i);
      }
      t.sync();
    }
  }
}

/// The first thread walks the sorted candidates: what is kept, then where the draw falls.
template <class Thread, class Keys>
RW_DEVICE int draw(Thread& t, const SamplingArgs& args, int count, const Keys& keys) noexcept {
  const float most = unordered(keys.get(0));
  const float slope = kLog2E / args.temperature;
  float total = 0;
  for (int i = 0; i < count; ++i) total += exp2_of((unordered(keys.get(i)) - most) * slope);
  float kept = 0;
  int last = 0;
  for (; last < count; ++last) {
    kept += exp2_of((unordered(keys.get(last)) - most) * slope);
    if (kept >= args.top_p * total) break;
  }
  const float target = t.read(args.uniform, t.block_x()) * kept;
  float passed = 0;
  for (int i = 0; i < smaller(last, count - 1); ++i) {
    passed += exp2_of((unordered(keys.get(i)) - most) * slope);
    if (passed > target) return i;
  }
  return smaller(last, count - 1);
}

template <class Thread>
RW_DEVICE void sample(Thread& t, const SamplingArgs& args) noexcept {
  const std::int64_t first = static_cast<std::int64_t>(t.block_x()) * args.vocabulary;
  const auto key = [&](int i) { return ordered(t.read(args.logits, first + i)); };
  const int count = smaller(args.top_k, args.vocabulary);
  auto keys = t.template shared<std::uint32_t>(kSamplingKeys, kSamplingMost);
  auto indices = t.template shared<int>(
      kSamplingKeys + kSamplingMost * static_cast<int>(sizeof(int)), kSamplingMost);
  int padded = 1;
  while (padded < count) padded *= 2;
  for (int i = t.thread(); i < padded; i += kSelectThreads) {
    keys.set(i, 0);
    indices.set(i, args.vocabulary);
  }
  t.sync();
  const Selected selected = radix_select(t, 0, args.vocabulary, count, key);
  collect_largest(t, 0, args.vocabulary, selected, key, [&](int place, int i) {
    keys.set(place, key(i));
    indices.set(place, i);
  });
  t.sync();
  sort_descending(t, padded, keys, indices);
  if (t.thread() != 0) return;
  t.write(args.token, t.block_x(), indices.get(draw(t, args, count, keys)));
}

}  // namespace rackwright::kernels::own
