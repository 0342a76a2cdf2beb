#pragma once

#include "kernels/own/attention_tiles.hpp"

namespace rackwright::kernels::own {

/// softmax(scale x Q K^T) V of ragged sequences, causal: the last query of a sequence sees all its
/// keys. With `window` > 0 a query sees that many last keys, its own included. A sink is a logit a
/// head that takes probability and gives nothing. Keys of 192 dimensions have values of 128 (MLA
/// before absorption). Portable (sm_80 on): of the class of
/// FlashAttention-2, not of kernels made for one GPU.
struct PrefillArgs {
  View<const Bf16> query;                ///< query tokens x heads x head_dim
  View<const Bf16> key, value;           ///< key tokens x kv_heads x their dimensions
  View<const std::int32_t> first_query;  ///< of each sequence, and the end
  View<const std::int32_t> first_key;    ///< the same
  View<const float> sinks;               ///< heads; empty: none
  View<Bf16> output;                     ///< query tokens x heads x dimensions of a value
  int sequences = 0, longest_query = 0;
  int heads = 0, kv_heads = 0;
  int window = 0;
  float scale = 1;
  bool full = false;  ///< every query sees all keys (encoders)
};

inline constexpr int kPrefillThreads = 128;
inline constexpr int kPrefillRows = 64;  ///< queries of a block, 16 a warp
inline constexpr int kPrefillKeys = 64;  ///< keys of a tile

/// Dimensions of a value where a key has `head_dim`.
[[nodiscard]] RW_BOTH constexpr int prefill_value_dim(int head_dim) {
  return head_dim == 192 ? 128 : head_dim;
}

/// A block for 64 queries of one head; later queries, which see more keys, first. Queries and two
/// tiles of keys and values in shared memory.
[[nodiscard]] inline Launch launch_of(const PrefillArgs& args, int head_dim) {
  const int row = head_dim + 2 * (head_dim + prefill_value_dim(head_dim));
  return {ceil_div(args.longest_query, kPrefillRows), args.heads, args.sequences, kPrefillThreads,
          kPrefillRows * row * static_cast<int>(sizeof(Bf16))};
}

/// Where a block works.
struct PrefillBlock {
  int head, kv_head;
  int first_query, queries;  ///< of the sequence
  int first_key, keys;
  int row;     ///< first query of the block within the sequence
  int before;  ///< keys before the first query; all of them where every query sees all
};

/// Rows `first` to + 63 of tokens x heads x kDim into a tile; zeros from row `rows` on.
template <int kDim, class Thread, class Tile>
RW_DEVICE void load_rows(Thread& t, const View<const Bf16>& from, int token, int heads, int head,
                         int first, int rows, Tile& tile) noexcept {
  constexpr int kWords = kDim / 8;
  RW_UNROLL
  for (int i = 0; i < kPrefillKeys * kWords / kPrefillThreads; ++i) {
    const int word = i * kPrefillThreads + t.thread();
    const int row = word / kWords, column = word % kWords * 8;
    const std::int64_t at =
        (static_cast<std::int64_t>(token + first + row) * heads + head) * kDim + column;
    t.copy_async16(tile, tile_place<kDim>(row, column), from, at, first + row < rows);
  }
}

/// Query fragments that stay in registers; with 192 dimensions they are read anew for each tile.
template <int kDim>
inline constexpr int kHeldFragments = kDim > 128 ? 1 : kDim / 16;

/// Adds 16 dimensions to the scores.
template <int kDim, class Thread, class Tile>
RW_DEVICE void score_step(Thread& t, const std::uint32_t (&query)[4], const Tile& keys, int column,
                          float (&scores)[kPrefillKeys / 8][4]) noexcept {
  RW_UNROLL
  for (int n = 0; n < kPrefillKeys / 16; ++n) {
    std::uint32_t b[4];
    load_keys<kDim>(t, keys, 16 * n, column, b);
    t.mma(scores[2 * n], query, b[0], b[1]);
    t.mma(scores[2 * n + 1], query, b[2], b[3]);
  }
}

/// Scores of this warp's 16 rows against 64 keys.
template <int kDim, class Thread, class Tile>
RW_DEVICE void score_tile(Thread& t, std::uint32_t (&held)[kHeldFragments<kDim>][4],
                          const Tile& queries, const Tile& keys,
                          float (&scores)[kPrefillKeys / 8][4]) noexcept {
  RW_UNROLL
  for (int n = 0; n < kPrefillKeys / 8; ++n) {
    RW_UNROLL
    for (int c = 0; c < 4; ++c) scores[n][c] = 0;
  }
  if constexpr (kHeldFragments < kDim >> 1) {
    RW_UNROLL
    for (int k = 0; k < kDim / 16; ++k) score_step<kDim>(t, held[k], keys, 16 * k, scores);
  } else {
    RW_ROLLED
    for (int part = 0; part < kDim; part += 64) {
      RW_UNROLL
      for (int k = part; k < part + 64; k += 16) {
        load_left<kDim>(t, queries, 16 * t.warp(), k, held[0]);
        score_step<kDim>(t, held[0], keys, k, scores);
      }
    }
  }
}

/// Scales by `scale` x log2 e; masks keys after the query, before its window, or past the end.
template <class Thread>
RW_DEVICE void mask_tile(Thread& t, const PrefillArgs& args, const PrefillBlock& block,
                         int first_key, float (&scores)[kPrefillKeys / 8][4]) noexcept {
  const float scale = args.scale * kLog2E;
  const int row = block.row + 16 * t.warp() + t.lane() / 4;
  RW_UNROLL
  for (int n = 0; n < kPrefillKeys / 8; ++n) {
    RW_UNROLL
    for (int c = 0; c < 4; ++c) {
      const int key = first_key + 8 * n + 2 * (t.lane() % 4) + c % 2;
      const int position = block.before + row + 8 * (c / 2);
      const bool seen =
          key <= position && key < block.keys && (args.window == 0 || key > position - args.window);
      scores[n][c] = seen ? scores[n][c] * scale : kMasked;
    }
  }
}

template <int kDim, class Thread, class Tile>
RW_DEVICE void add_values(Thread& t, const float (&scores)[kPrefillKeys / 8][4],
                          const float (&factor)[2], const Tile& values,
                          float (&sums)[kDim / 8][4]) noexcept {
  RW_UNROLL
  for (int d = 0; d < kDim / 8; ++d) {
    RW_UNROLL
    for (int c = 0; c < 4; ++c) sums[d][c] *= factor[c / 2];
  }
  RW_UNROLL
  for (int k = 0; k < kPrefillKeys / 16; ++k) {
    std::uint32_t a[4];
    probabilities(scores[2 * k], scores[2 * k + 1], a);
    RW_UNROLL
    for (int d = 0; d < kDim / 16; ++d) {
      std::uint32_t b[4];
      load_values<kDim>(t, values, 16 * k, 16 * d, b);
      t.mma(sums[2 * d], a, b[0], b[1]);
      t.mma(sums[2 * d + 1], a, b[2], b[3]);
    }
  }
}

template <int kDim, class Thread>
RW_DEVICE void write_rows(Thread& t, const PrefillArgs& args, const PrefillBlock& block,
                          const RowSoftmax& state, const float (&sums)[kDim / 8][4]) noexcept {
  View<std::uint32_t> pairs{reinterpret_cast<std::uint32_t*>(args.output.data),
                            args.output.count / 2};
  RW_UNROLL
  for (int half = 0; half < 2; ++half) {
    const float total = row_sum(t, state.sum[half]);
    const float inverse = total > 0 ? 1.0F / total : 0.0F;
    const int row = block.row + 16 * t.warp() + t.lane() / 4 + 8 * half;
    if (row >= block.queries) continue;
    const std::int64_t first =
        (static_cast<std::int64_t>(block.first_query + row) * args.heads + block.head) *
            (kDim / 2) +
        t.lane() % 4;
    RW_UNROLL
    for (int d = 0; d < kDim / 8; ++d) {
      t.write(pairs, first + 4 * d,
              pack_bf16(sums[d][2 * half] * inverse, sums[d][2 * half + 1] * inverse));
    }
  }
}

template <class Thread>
RW_DEVICE PrefillBlock prefill_block(Thread& t, const PrefillArgs& args) noexcept {
  PrefillBlock block{};
  block.head = t.block_y();
  block.kv_head = block.head / (args.heads / args.kv_heads);
  block.first_query = t.read(args.first_query, t.block_z());
  block.queries = t.read(args.first_query, t.block_z() + 1) - block.first_query;
  block.first_key = t.read(args.first_key, t.block_z());
  block.keys = t.read(args.first_key, t.block_z() + 1) - block.first_key;
  block.row = (t.blocks_x() - 1 - t.block_x()) * kPrefillRows;
  block.before = args.full ? block.keys : block.keys - block.queries;
  return block;
}

template <int kDim, class Thread>
RW_DEVICE void prefill_attention(Thread& t, const PrefillArgs& args) noexcept {
  const PrefillBlock block = prefill_block(t, args);
  if (block.row >= block.queries) return;
  constexpr int kValueDim = prefill_value_dim(kDim);
  constexpr int kTile = kPrefillKeys * kDim, kValueTile = kPrefillKeys * kValueDim;
  constexpr int kKeyBytes = kTile * static_cast<int>(sizeof(Bf16));
  constexpr int kPairBytes = kKeyBytes + kValueTile * static_cast<int>(sizeof(Bf16));
  const auto keys_of = [&](int tile) {
    return t.template shared<Bf16>(kKeyBytes + kPairBytes * (tile % 2), kTile);
  };
  const auto values_of = [&](int tile) {
    return t.template shared<Bf16>(2 * kKeyBytes + kPairBytes * (tile % 2), kValueTile);
  };
  const int last = smaller(block.before + block.row + kPrefillRows, block.keys);
  const int lowest = args.window == 0 ? 0 : larger(block.before + block.row - args.window + 1, 0);
  const int begin = lowest / kPrefillKeys, end = ceil_div(last, kPrefillKeys);
  const auto fetch = [&](int tile) {
    auto keys = keys_of(tile);
    auto values = values_of(tile);
    if (tile < end) {
      load_rows<kDim>(t, args.key, block.first_key, args.kv_heads, block.kv_head,
                      tile * kPrefillKeys, block.keys, keys);
      load_rows<kValueDim>(t, args.value, block.first_key, args.kv_heads, block.kv_head,
                           tile * kPrefillKeys, block.keys, values);
    }
    t.commit_async();
  };
  auto queries = t.template shared<Bf16>(0, kTile);
  load_rows<kDim>(t, args.query, block.first_query, args.heads, block.head, block.row,
                  block.queries, queries);
  t.commit_async();
  fetch(begin);
  t.template wait_async<1>();
  t.sync();
  std::uint32_t held[kHeldFragments<kDim>][4];
  RW_UNROLL
  for (int k = 0; k < kHeldFragments<kDim>; ++k) {
    load_left<kDim>(t, queries, 16 * t.warp(), 16 * k, held[k]);
  }

  RowSoftmax state;
  if (args.sinks.count > 0) {
    const float sink = t.read(args.sinks, block.head) * kLog2E;
    state.largest[0] = state.largest[1] = sink;
    state.sum[0] = state.sum[1] = t.lane() % 4 == 0 ? 1.0F : 0.0F;
  }
  float sums[kValueDim / 8][4] = {};
  for (int tile = begin; tile < end; ++tile) {
    fetch(tile + 1);
    t.template wait_async<1>();
    t.sync();
    float scores[kPrefillKeys / 8][4];
    score_tile<kDim>(t, held, queries, keys_of(tile), scores);
    mask_tile(t, args, block, tile * kPrefillKeys, scores);
    float factor[2];
    softmax_step(t, state, scores, factor);
    add_values<kValueDim>(t, scores, factor, values_of(tile), sums);
    t.sync();
  }
  write_rows<kValueDim>(t, args, block, state, sums);
}

}  // namespace rackwright::kernels::own
