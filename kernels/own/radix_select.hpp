#pragma once

#include "kernels/own/device.hpp"

namespace rackwright::kernels::own {

inline constexpr int kSelectThreads = 256;
inline constexpr int kSelectBytes = (256 + 8 + 2) * static_cast<int>(sizeof(int));

/// An integer in the order of the float.
RW_BOTH std::uint32_t ordered(float value) {
  const std::uint32_t bits = bits_of(value);
  return bits & 0x80000000U ? ~bits : bits | 0x80000000U;
}
RW_BOTH float unordered(std::uint32_t key) {
  return float_of(key & 0x80000000U ? key & 0x7fffffffU : ~key);
}

/// The k-th largest of a row, and how many of its equals are among the k largest.
struct Selected {
  std::uint32_t threshold;
  int equals;
};

/// Descends by 8 bits a pass: counts the keys that share the prefix found so far, and takes the
/// digit in which the k-th lies. 256 threads; kSelectBytes of shared memory at `offset`.
template <class Thread, class Key>
RW_DEVICE Selected radix_select(Thread& t, int offset, int count, int k, const Key& key) noexcept {
  auto histogram = t.template shared<int>(offset, 256);
  auto found = t.template shared<int>(offset + (256 + 8) * static_cast<int>(sizeof(int)), 2);
  Selected selected{0, k};
  for (int shift = 24; shift >= 0; shift -= 8) {
    histogram.set(t.thread(), 0);
    t.sync();
    const std::uint32_t mask = shift == 24 ? 0U : ~0U << (shift + 8);
    for (int i = t.thread(); i < count; i += kSelectThreads) {
      const std::uint32_t one = key(i);
      if ((one & mask) == selected.threshold) {
        (void)histogram.atomic_add(static_cast<int>(one >> shift & 255U), 1);
      }
    }
    t.sync();
    int above = 0;
    for (int digit = t.thread() + 1; digit < 256; ++digit) above += histogram.get(digit);
    if (above < selected.equals && above + histogram.get(t.thread()) >= selected.equals) {
      found.set(0, t.thread());
      found.set(1, selected.equals - above);
    }
    t.sync();
    selected.threshold |= static_cast<std::uint32_t>(found.get(0)) << shift;
    selected.equals = found.get(1);
    t.sync();
  }
  return selected;
}

/// Calls take(place, i) for the k largest in the order of i; of equals the first.
template <class Thread, class Key, class Take>
RW_DEVICE void collect_largest(Thread& t, int offset, int count, const Selected& selected,
                               const Key& key, const Take& take) noexcept {
  auto by_warp = t.template shared<int>(offset + 256 * static_cast<int>(sizeof(int)), 8);
  int taken = 0, equals = 0;  // before this round, of all threads
  const std::uint32_t below = (1U << t.lane()) - 1U;
  for (int first = 0; first < count; first += kSelectThreads) {
    const int i = first + t.thread();
    const std::uint32_t one = i < count ? key(i) : 0;
    const bool above = i < count && one > selected.threshold;
    const bool equal = i < count && one == selected.threshold;
    const std::uint32_t above_here = t.ballot(above), equal_here = t.ballot(equal);
    if (t.lane() == 0) {
      by_warp.set(t.warp(), count_bits(above_here) | count_bits(equal_here) << 16);
    }
    t.sync();
    int before_above = 0, before_equal = 0, all_above = 0, all_equal = 0;
    for (int w = 0; w < kSelectThreads / kWarp; ++w) {
      const int both = by_warp.get(w);
      before_above += w < t.warp() ? both & 0xffff : 0;
      before_equal += w < t.warp() ? both >> 16 : 0;
      all_above += both & 0xffff;
      all_equal += both >> 16;
    }
    const int my_equal = equals + before_equal + count_bits(equal_here & below);
    const int my_above = taken + before_above + count_bits(above_here & below);
    if (above || (equal && my_equal < selected.equals)) {
      take(my_above + smaller(my_equal, selected.equals), i);
    }
    taken += all_above;
    equals += all_equal;
    t.sync();
  }
}

/// Sparse indexer: the places of the `top_k` highest scores of each row, in rising order; -1 where
/// a row has fewer.
struct IndexerArgs {
  View<const float> score;          ///< rows x longest
  View<const std::int32_t> length;  ///< of each row
  View<std::int32_t> chosen;        ///< rows x top_k
  int rows = 0, longest = 0, top_k = 0;
};

/// A block a row.
[[nodiscard]] inline Launch launch_of(const IndexerArgs& args) {
  return {args.rows, 1, 1, kSelectThreads, kSelectBytes};
}

template <class Thread>
RW_DEVICE void index_largest(Thread& t, const IndexerArgs& args) noexcept {
  const std::int64_t first = static_cast<std::int64_t>(t.block_x()) * args.longest;
  const std::int64_t to = static_cast<std::int64_t>(t.block_x()) * args.top_k;
  const int length = t.read(args.length, t.block_x());
  if (length <= args.top_k) {
    for (int i = t.thread(); i < args.top_k; i += kSelectThreads) {
      t.write(args.chosen, to + i, i < length ? i : -1);
    }
    return;
  }
  const auto key = [&](int i) { return ordered(t.read(args.score, first + i)); };
  const Selected selected = radix_select(t, 0, length, args.top_k, key);
  collect_largest(t, 0, length, selected, key,
                  [&](int place, int i) { t.write(args.chosen, to + place, i); });
}

}  // namespace rackwright::kernels::own
