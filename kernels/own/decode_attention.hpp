#pragma once

#include "kernels/own/attention_tiles.hpp"
#include "kernels/own/number_formats.hpp"
#include "kernels/own/paged_cache.hpp"

namespace rackwright::kernels::own {

/// Partial results of split attention: row = (sequence x heads + head) x splits + split.
struct SplitResults {
  View<float> sums;     ///< rows x head_dim: sum of exp2(score - largest) x value
  View<float> largest;  ///< rows: of scores times log2 e
  View<float> total;    ///< rows: sum of exp2(score - largest)
};

/// One query token a sequence against its paged keys and values, each sequence in `splits` parts.
/// The query heads of one KV head are the 16 rows of the matrix products. `Kv` is Bf16, or
/// std::uint8_t for a cache in E4M3, which becomes bf16 on its way to shared memory.
template <class Kv>
struct DecodeArgsOf {
  View<const Bf16> query;  ///< sequences x heads x head_dim
  PagedCache<const Kv> key, value;
  View<const std::int32_t> pages;   ///< sequences x longest_pages
  View<const std::int32_t> length;  ///< keys of each sequence
  SplitResults partial;
  int sequences = 0, heads = 0;
  int longest_pages = 0;
  int splits = 1;
  int window = 0;         ///< last keys seen; 0: all
  float scale = 1;        ///< of the scores; the scale of an E4M3 key included
  float value_scale = 1;  ///< of an E4M3 value
};
using DecodeArgs = DecodeArgsOf<Bf16>;
using DecodeFp8Args = DecodeArgsOf<std::uint8_t>;

inline constexpr int kDecodeThreads = 128;
inline constexpr int kDecodeKeys = 64;  ///< of a tile, 16 a warp

/// A block for a part of one sequence, and up to 16 query heads of one KV head. Queries, two tiles
/// of keys and values; the warps' sums take their place in the end.
template <class Kv>
[[nodiscard]] Launch launch_of(const DecodeArgsOf<Kv>& args, int head_dim) {
  const int group = ceil_div(args.heads / args.key.kv_heads, 16);
  return {args.splits, args.key.kv_heads * group, args.sequences, kDecodeThreads,
          (16 + 4 * kDecodeKeys) * head_dim * static_cast<int>(sizeof(Bf16)) +
              2 * 4 * 16 * static_cast<int>(sizeof(float))};
}

/// Where a block works.
struct DecodeBlock {
  int kv_head, first_head, heads;  ///< query heads of the block
  int length, first, last;         ///< keys of the sequence; those of the part
};

template <class Thread, class Kv>
RW_DEVICE DecodeBlock decode_block(Thread& t, const DecodeArgsOf<Kv>& args) noexcept {
  DecodeBlock block{};
  const int group = args.heads / args.key.kv_heads;
  const int tiles = ceil_div(group, 16);
  block.kv_head = t.block_y() / tiles;
  block.first_head = block.kv_head * group + t.block_y() % tiles * 16;
  block.heads = smaller(16, (block.kv_head + 1) * group - block.first_head);
  block.length = t.read(args.length, t.block_z());
  const int lowest = args.window == 0 ? 0 : larger(block.length - args.window, 0);
  const int first_tile = lowest / kDecodeKeys;
  const int tiles_in_all = ceil_div(block.length, kDecodeKeys) - first_tile;
  const int share = ceil_div(tiles_in_all, args.splits);
  block.first = (first_tile + t.block_x() * share) * kDecodeKeys;
  block.last = smaller(block.first + share * kDecodeKeys, block.length);
  return block;
}

/// 16 E4M3 of the cache as two words of bf16.
template <int kDim, class Thread, class Tile>
RW_DEVICE void store_widened(Tile& tile, int row, int column, const Word16& codes) noexcept {
  RW_UNROLL
  for (int half = 0; half < 2; ++half) {
    Word16 wide{};
    widen_e4m3(codes.word[2 * half], wide.word[0], wide.word[1]);
    widen_e4m3(codes.word[2 * half + 1], wide.word[2], wide.word[3]);
    tile.set16(tile_place<kDim>(row, column + 8 * half), wide);
  }
}

/// First element of `key` of this block's sequence and KV head.
template <class Thread, class Kv>
RW_DEVICE std::int64_t place_of(Thread& t, const DecodeArgsOf<Kv>& args,
                                const PagedCache<const Kv>& cache, const DecodeBlock& block,
                                int key) noexcept {
  const int page = t.read(args.pages, static_cast<std::int64_t>(t.block_z()) * args.longest_pages +
                                          key / cache.page_size);
  return cache.place(page, key % cache.page_size, block.kv_head);
}

/// 64 keys or values of E4M3 pages into a tile; zeros past the end.
template <int kDim, class Thread, class Tile>
RW_DEVICE void load_pages(Thread& t, const DecodeFp8Args& args,
                          const PagedCache<const std::uint8_t>& cache, const DecodeBlock& block,
                          int first, Tile& tile) noexcept {
  constexpr int kWords = kDim / 16;
  RW_UNROLL
  for (int i = 0; i < kDecodeKeys * kWords / kDecodeThreads; ++i) {
    const int word = i * kDecodeThreads + t.thread();
    const int row = word / kWords, column = word % kWords * 16;
    Word16 codes{};
    if (first + row < block.last) {
      codes = t.read16(cache.data, place_of(t, args, cache, block, first + row) + column);
    }
    store_widened<kDim, Thread>(tile, row, column, codes);
  }
}

/// 64 keys or values of pages into a tile; zeros past the end.
template <int kDim, class Thread, class Tile>
RW_DEVICE void load_pages(Thread& t, const DecodeArgs& args, const PagedCache<const Bf16>& cache,
                          const DecodeBlock& block, int first, Tile& tile) noexcept {
  constexpr int kWords = kDim / 8;
  RW_UNROLL
  for (int i = 0; i < kDecodeKeys * kWords / kDecodeThreads; ++i) {
    const int word = i * kDecodeThreads + t.thread();
    const int row = word / kWords, column = word % kWords * 8;
    const int key = first + row;
    const bool valid = key < block.last;
    const std::int64_t at = valid ? place_of(t, args, cache, block, key) + column : 0;
    t.copy_async16(tile, tile_place<kDim>(row, column), cache.data, at, valid);
  }
}

/// This warp's 16 keys of a tile: scores, softmax, values.
template <int kDim, class Thread, class Kv, class Tile>
RW_DEVICE void decode_tile(Thread& t, const DecodeArgsOf<Kv>& args, const DecodeBlock& block,
                           int first, const std::uint32_t (&query)[kDim / 16][4], const Tile& keys,
                           const Tile& values, RowSoftmax& state,
                           float (&sums)[kDim / 8][4]) noexcept {
  float scores[2][4] = {};
  RW_UNROLL
  for (int k = 0; k < kDim / 16; ++k) {
    std::uint32_t b[4];
    load_keys<kDim>(t, keys, 16 * t.warp(), 16 * k, b);
    t.mma(scores[0], query[k], b[0], b[1]);
    t.mma(scores[1], query[k], b[2], b[3]);
  }
  const int lowest = args.window == 0 ? 0 : block.length - args.window;
  RW_UNROLL
  for (int n = 0; n < 2; ++n) {
    RW_UNROLL
    for (int c = 0; c < 4; ++c) {
      const int key = first + 16 * t.warp() + 8 * n + 2 * (t.lane() % 4) + c % 2;
      const bool seen = key < block.last && key >= lowest;
      scores[n][c] = seen ? scores[n][c] * args.scale * kLog2E : kMasked;
    }
  }
  float factor[2];
  softmax_step(t, state, scores, factor);
  std::uint32_t a[4];
  probabilities(scores[0], scores[1], a);
  RW_UNROLL
  for (int d = 0; d < kDim / 16; ++d) {
    RW_UNROLL
    for (int c = 0; c < 4; ++c) {
      sums[2 * d][c] *= factor[c / 2];
      sums[2 * d + 1][c] *= factor[c / 2];
    }
    std::uint32_t b[4];
    load_values<kDim>(t, values, 16 * t.warp(), 16 * d, b);
    t.mma(sums[2 * d], a, b[0], b[1]);
    t.mma(sums[2 * d + 1], a, b[2], b[3]);
  }
}

/// Adds the four warps' sums and writes the block's partial result.
template <int kDim, class Thread, class Kv>
RW_DEVICE void write_partial(Thread& t, const DecodeArgsOf<Kv>& args, const DecodeBlock& block,
                             const RowSoftmax& state, const float (&sums)[kDim / 8][4]) noexcept {
  auto shared_sums = t.template shared<float>(0, 4 * 16 * kDim);
  const int after = (16 + 4 * kDecodeKeys) * kDim * static_cast<int>(sizeof(Bf16));
  auto largest = t.template shared<float>(after, 64);
  auto total = t.template shared<float>(after + 64 * static_cast<int>(sizeof(float)), 64);
  RW_UNROLL
  for (int half = 0; half < 2; ++half) {
    const float sum = row_sum(t, state.sum[half]);
    const int row = 16 * t.warp() + t.lane() / 4 + 8 * half;
    if (t.lane() % 4 == 0) {
      largest.set(row, state.largest[half]);
      total.set(row, sum);
    }
    RW_UNROLL
    for (int d = 0; d < kDim / 8; ++d) {
      const int at = row * kDim + 8 * d + 2 * (t.lane() % 4);
      shared_sums.set(at, sums[d][2 * half]);
      shared_sums.set(at + 1, sums[d][2 * half + 1]);
    }
  }
  t.sync();
  for (int i = t.thread(); i < block.heads * kDim; i += kDecodeThreads) {
    const int row = i / kDim, d = i % kDim;
    float most = kMasked;
    for (int w = 0; w < 4; ++w) most = larger(most, largest.get(16 * w + row));
    const float base = softmax_base(most);
    float value = 0, all = 0;
    for (int w = 0; w < 4; ++w) {
      const float factor = exp2_of(largest.get(16 * w + row) - base);
      value += factor * shared_sums.get((16 * w + row) * kDim + d);
      all += factor * total.get(16 * w + row);
    }
    const std::int64_t to =
        (static_cast<std::int64_t>(t.block_z()) * args.heads + block.first_head + row) *
            args.splits +
        t.block_x();
    t.write(args.partial.sums, to * kDim + d, value * args.value_scale);
    if (d == 0) {
      t.write(args.partial.largest, to, most);
      t.write(args.partial.total, to, all);
    }
  }
}

template <int kDim, class Thread, class Kv>
RW_DEVICE void decode_attention(Thread& t, const DecodeArgsOf<Kv>& args) noexcept {
  const DecodeBlock block = decode_block(t, args);
  constexpr int kTile = kDecodeKeys * kDim;
  constexpr int kBytes = kTile * static_cast<int>(sizeof(Bf16));
  constexpr int kQueryBytes = 16 * kDim * static_cast<int>(sizeof(Bf16));
  const auto fetch = [&](int first) {
    const int buffer = first / kDecodeKeys % 2;
    auto keys = t.template shared<Bf16>(kQueryBytes + 2 * kBytes * buffer, kTile);
    auto values = t.template shared<Bf16>(kQueryBytes + 2 * kBytes * buffer + kBytes, kTile);
    if (first < block.last) {
      load_pages<kDim>(t, args, args.key, block, first, keys);
      load_pages<kDim>(t, args, args.value, block, first, values);
    }
    t.commit_async();
  };
  auto queries = t.template shared<Bf16>(0, 16 * kDim);
  for (int word = t.thread(); word < 16 * kDim / 8; word += kDecodeThreads) {
    const int row = word / (kDim / 8), column = word % (kDim / 8) * 8;
    const std::int64_t from =
        (static_cast<std::int64_t>(t.block_z()) * args.heads + block.first_head + row) * kDim;
    t.copy_async16(queries, tile_place<kDim>(row, column), args.query, from + column,
                   row < block.heads);
  }
  t.commit_async();
  fetch(block.first);
  t.template wait_async<1>();
  t.sync();
  std::uint32_t query[kDim / 16][4];
  RW_UNROLL
  for (int k = 0; k < kDim / 16; ++k) load_left<kDim>(t, queries, 0, 16 * k, query[k]);

  RowSoftmax state;
  float sums[kDim / 8][4] = {};
  for (int first = block.first; first < block.last; first += kDecodeKeys) {
    fetch(first + kDecodeKeys);
    t.template wait_async<1>();
    t.sync();
    const int place = kQueryBytes + 2 * kBytes * (first / kDecodeKeys % 2);
    const auto keys = t.template shared<Bf16>(place, kTile);
    const auto values = t.template shared<Bf16>(place + kBytes, kTile);
    decode_tile<kDim>(t, args, block, first, query, keys, values, state, sums);
    t.sync();
  }
  t.template wait_async<0>();
  t.sync();
  write_partial<kDim>(t, args, block, state, sums);
}

/// output = sum of the parts over their total; a sink adds to the total only.
struct MergeArgs {
  SplitResults partial;
  View<const float> sinks;  ///< heads; empty: none
  View<Bf16> output;        ///< rows x head_dim
  int rows = 0;             ///< sequences x heads
  int heads = 0, head_dim = 0, splits = 1;
};

/// A block a row, a thread per 4 dimensions.
[[nodiscard]] inline Launch launch_of(const MergeArgs& args) {
  return {args.rows, 1, 1, 128, 0};
}

template <class Thread>
RW_DEVICE void merge_attention(Thread& t, const MergeArgs& args) noexcept {
  const std::int64_t row = t.block_x();
  const bool has_sink = args.sinks.count > 0;
  const float sink = has_sink ? t.read(args.sinks, t.block_x() % args.heads) * kLog2E : kMasked;
  float most = sink;
  for (int s = 0; s < args.splits; ++s) {
    most = larger(most, t.read(args.partial.largest, row * args.splits + s));
  }
  const float base = softmax_base(most);
  float total = has_sink ? exp2_of(sink - base) : 0.0F;
  for (int s = 0; s < args.splits; ++s) {
    total += exp2_of(t.read(args.partial.largest, row * args.splits + s) - base) *
             t.read(args.partial.total, row * args.splits + s);
  }
  const float inverse = total > 0 ? 1.0F / total : 0.0F;
  View<std::uint32_t> pairs{reinterpret_cast<std::uint32_t*>(args.output.data),
                            args.output.count / 2};
  const View<const float> sums{args.partial.sums.data, args.partial.sums.count};
  for (int d = 4 * t.thread(); d < args.head_dim; d += 4 * t.threads()) {
    float value[4] = {};
    for (int s = 0; s < args.splits; ++s) {
      const std::int64_t part = row * args.splits + s;
      const float factor = exp2_of(t.read(args.partial.largest, part) - base);
      const Word16 four = t.read16(sums, part * args.head_dim + d);
      RW_UNROLL
      for (int i = 0; i < 4; ++i) value[i] += factor * float_of(four.word[i]);
    }
    t.write(pairs, (row * args.head_dim + d) / 2,
            pack_bf16(value[0] * inverse, value[1] * inverse));
    t.write(pairs, (row * args.head_dim + d) / 2 + 1,
            pack_bf16(value[2] * inverse, value[3] * inverse));
  }
}

}  // namespace rackwright::kernels::own
