#pragma once

#include "kernels/own/paged_cache.hpp"

namespace rackwright::kernels::own {

/// Rotates queries and keys by their position, (a, b) -> (a cos - b sin, b cos + a sin) with b half
/// a head after a (the NeoX order), and puts keys and values into the paged cache; keys alone where
/// there are no values (MLA).
struct RotaryAppendArgs {
  View<Bf16> query;                   ///< tokens x heads x head_dim, rotated in place
  View<const Bf16> key, value;        ///< tokens x kv_heads x head_dim
  View<const float> cos_sin;          ///< positions x head_dim: cosines, then sines
  View<const std::int32_t> position;  ///< of each token
  View<const std::int32_t> slot;      ///< page x page_size + place in it; negative: not kept
  PagedCache<Bf16> key_cache, value_cache;
  int tokens = 0, heads = 0;
};

inline constexpr int kRotaryThreads = 128;

/// A block a token.
[[nodiscard]] inline Launch launch_of(const RotaryAppendArgs& args) {
  return {args.tokens, 1, 1, kRotaryThreads, 0};
}

/// Rotates 8 elements of the first half of a head and 8 of the second.
template <class Thread>
RW_DEVICE void rotate(Thread& t, const RotaryAppendArgs& args, std::int64_t angle, int half,
                      Word16& first, Word16& second) noexcept {
  RW_UNROLL
  for (int quarter = 0; quarter < 2; ++quarter) {
    const Word16 cosines = t.read16(args.cos_sin, angle + 4 * quarter);
    const Word16 sines = t.read16(args.cos_sin, angle + half + 4 * quarter);
    RW_UNROLL
    for (int pair = 0; pair < 2; ++pair) {
      std::uint32_t& a = first.word[2 * quarter + pair];
      std::uint32_t& b = second.word[2 * quarter + pair];
      const float c0 = float_of(cosines.word[2 * pair]), c1 = float_of(cosines.word[2 * pair + 1]);
      const float s0 = float_of(sines.word[2 * pair]), s1 = float_of(sines.word[2 * pair + 1]);
      const float a0 = low_bf16(a), a1 = high_bf16(a), b0 = low_bf16(b), b1 = high_bf16(b);
      a = pack_bf16(a0 * c0 - b0 * s0, a1 * c1 - b1 * s1);
      b = pack_bf16(b0 * c0 + a0 * s0, b1 * c1 + a1 * s1);
    }
  }
}

template <class Thread>
RW_DEVICE void rotary_append(Thread& t, const RotaryAppendArgs& args) noexcept {
  const int token = t.block_x();
  const int dim = args.key_cache.head_dim, half = dim / 2, kv_heads = args.key_cache.kv_heads;
  const std::int64_t angles = static_cast<std::int64_t>(t.read(args.position, token)) * dim;
  const int slot = t.read(args.slot, token);
  const int words = half / 8;
  for (int item = t.thread(); item < (args.heads + kv_heads) * words; item += kRotaryThreads) {
    const int head = item / words, column = item % words * 8;
    const bool is_query = head < args.heads;
    const std::int64_t from =
        is_query ? (static_cast<std::int64_t>(token) * args.heads + head) * dim + column
                 : (static_cast<std::int64_t>(token) * kv_heads + head - args.heads) * dim + column;
    Word16 first = is_query ? read16_of(t, args.query, from) : t.read16(args.key, from);
    Word16 second =
        is_query ? read16_of(t, args.query, from + half) : t.read16(args.key, from + half);
    rotate(t, args, angles + column, half, first, second);
    if (is_query) {
      t.write16(args.query, from, first);
      t.write16(args.query, from + half, second);
    } else if (slot >= 0) {
      const std::int64_t to = args.key_cache.place(slot, head - args.heads) + column;
      t.write16(args.key_cache.data, to, first);
      t.write16(args.key_cache.data, to + half, second);
    }
  }
  if (slot < 0 || args.value.count == 0) return;
  for (int item = t.thread(); item < kv_heads * 2 * words; item += kRotaryThreads) {
    const int head = item / (2 * words), column = item % (2 * words) * 8;
    t.write16(
        args.value_cache.data, args.value_cache.place(slot, head) + column,
        t.read16(args.value, (static_cast<std::int64_t>(token) * kv_heads + head) * dim + column));
  }
}

}  // namespace rackwright::kernels::own
