#pragma once

#include "kernels/own/decode_attention.hpp"

namespace rackwright::kernels::own {

/// Absorbed MLA decode (DeepSeek-V2, section 2.1.3): all heads of a sequence against one latent
/// cache of 512 + 64 dimensions, whose first 512 are the values too. About 242 FLOP a byte with 128
/// heads, so on tensor cores. `Kv` is Bf16, or std::uint8_t for a cache of 576 E4M3 with one scale
/// a tensor (not FlashMLA's rows of 656 bytes, which keep the rotated 64 in bf16), which becomes
/// bf16 in shared memory.
template <class Kv>
struct LatentDecodeArgsOf {
  View<const Bf16> query;          ///< sequences x heads x 576
  PagedCache<const Kv> latent;     ///< one head of 576
  View<const std::int32_t> pages;  ///< sequences x longest_pages
  View<const std::int32_t> length;
  SplitResults partial;          ///< of 512 dimensions
  int sequences = 0, heads = 0;  ///< a multiple of 64
  int longest_pages = 0;
  int splits = 1;
  float scale = 1;         ///< of the scores
  float latent_scale = 1;  ///< of an E4M3 latent
};
using LatentDecodeArgs = LatentDecodeArgsOf<Bf16>;
using LatentDecodeFp8Args = LatentDecodeArgsOf<std::uint8_t>;

inline constexpr int kLatent = 512;
inline constexpr int kLatentKey = 576;
inline constexpr int kLatentThreads = 256;
inline constexpr int kLatentRows = 64;  ///< heads of a block
inline constexpr int kLatentKeys = 32;  ///< of a tile

/// Byte offsets in shared memory: queries, two tiles of keys (of E4M3: a tile, and two of codes in
/// the place of the other), probabilities, and each row's largest and sum by half of the keys.
struct LatentShared {
  static constexpr int kTileBytes = kLatentKeys * kLatentKey * static_cast<int>(sizeof(Bf16));
  static constexpr int kQueries = 0;
  static constexpr int kKeys = kLatentRows * kLatentKey * static_cast<int>(sizeof(Bf16));
  static constexpr int kProbabilities = kKeys + 2 * kTileBytes;
  /// Rows of 64 bf16, of which 32 are used: the exchange of words needs 8 of them.
  static constexpr int kProbabilityRow = 64;
  static constexpr int kLargest =
      kProbabilities + kLatentRows * kProbabilityRow * static_cast<int>(sizeof(Bf16));
  static constexpr int kBytes = kLargest + 2 * kLatentRows * static_cast<int>(sizeof(float));
};

/// A block for a part of one sequence and 64 heads. Warp w: heads 16 (w % 4) on, and with w / 4
/// half of a tile's keys for the scores and half of the values' dimensions for the sums.
template <class Kv>
[[nodiscard]] Launch launch_of(const LatentDecodeArgsOf<Kv>& args) {
  return {args.splits, args.heads / kLatentRows, args.sequences, kLatentThreads,
          LatentShared::kBytes};
}

template <class Kv>
RW_DEVICE float latent_scale_of(const LatentDecodeArgsOf<Kv>& args) noexcept {
  return sizeof(Kv) == 1 ? args.latent_scale : 1.0F;
}

/// First element of `key` of this block's sequence.
template <class Thread, class Kv>
RW_DEVICE std::int64_t latent_place(Thread& t, const LatentDecodeArgsOf<Kv>& args,
                                    int key) noexcept {
  const int size = args.latent.page_size;
  const int page =
      t.read(args.pages, static_cast<std::int64_t>(t.block_z()) * args.longest_pages + key / size);
  return args.latent.place(page, key % size, 0);
}

template <class Thread, class Tile>
RW_DEVICE void load_latent(Thread& t, const LatentDecodeArgs& args, int first, int last,
                           Tile& tile) noexcept {
  constexpr int kWords = kLatentKey / 8;
  RW_ROLLED
  for (int word = t.thread(); word < kLatentKeys * kWords; word += kLatentThreads) {
    const int row = word / kWords, column = word % kWords * 8;
    const bool valid = first + row < last;
    const std::int64_t at = valid ? latent_place(t, args, first + row) + column : 0;
    t.copy_async16(tile, tile_place<kLatentKey>(row, column), args.latent.data, at, valid);
  }
}

/// The codes of a tile, row by row; zeros past the end.
template <class Thread, class Codes>
RW_DEVICE void load_latent(Thread& t, const LatentDecodeFp8Args& args, int first, int last,
                           Codes& codes) noexcept {
  constexpr int kWords = kLatentKey / 16;
  RW_ROLLED
  for (int word = t.thread(); word < kLatentKeys * kWords; word += kLatentThreads) {
    const int row = word / kWords, column = word % kWords * 16;
    const bool valid = first + row < last;
    const std::int64_t at = valid ? latent_place(t, args, first + row) + column : 0;
    t.copy_async16(codes, row * kLatentKey + column, args.latent.data, at, valid);
  }
}

template <class Thread, class Codes, class Tile>
RW_DEVICE void widen_latent(Thread& t, const Codes& codes, Tile& tile) noexcept {
  constexpr int kWords = kLatentKey / 16;
  RW_ROLLED
  for (int word = t.thread(); word < kLatentKeys * kWords; word += kLatentThreads) {
    const int row = word / kWords, column = word % kWords * 16;
    store_widened<kLatentKey, Thread>(tile, row, column, codes.get16(row * kLatentKey + column));
  }
}

/// Scores of the warp's 16 heads against its 16 keys of the tile.
template <class Thread, class Tile>
RW_DEVICE void latent_scores(Thread& t, const Tile& queries, const Tile& keys, int row, int key,
                             float (&scores)[2][4]) noexcept {
  RW_UNROLL
  for (int n = 0; n < 2; ++n) {
    RW_UNROLL
    for (int c = 0; c < 4; ++c) scores[n][c] = 0;
  }
  RW_ROLLED
  for (int k = 0; k < kLatentKey / 16; ++k) {
    std::uint32_t a[4], b[4];
    load_left<kLatentKey>(t, queries, row, 16 * k, a);
    load_keys<kLatentKey>(t, keys, key, 16 * k, b);
    t.mma(scores[0], a, b[0], b[1]);
    t.mma(scores[1], a, b[2], b[3]);
  }
}

/// Scales, masks, and takes the tile into the running softmax; the two warps of a row agree on its
/// largest. Probabilities go to shared memory for both.
template <class Thread, class Rows, class Pairs>
RW_DEVICE void latent_softmax(Thread& t, float scale, int first_key, int last, int row,
                              int half_key, Rows& largest, Pairs& pairs, float (&scores)[2][4],
                              RowSoftmax& state, float (&factor)[2]) noexcept {
  float mine[2] = {kMasked, kMasked};
  RW_UNROLL
  for (int n = 0; n < 2; ++n) {
    RW_UNROLL
    for (int c = 0; c < 4; ++c) {
      const int key = first_key + half_key + 8 * n + 2 * (t.lane() % 4) + c % 2;
      scores[n][c] = key < last ? scores[n][c] * scale * kLog2E : kMasked;
      mine[c / 2] = larger(mine[c / 2], scores[n][c]);
    }
  }
  const int side = half_key / 16;
  RW_UNROLL
  for (int half = 0; half < 2; ++half) {
    mine[half] = row_largest(t, mine[half]);
    if (t.lane() % 4 == 0)
      largest.set(side * kLatentRows + row + t.lane() / 4 + 8 * half, mine[half]);
  }
  t.sync();
  RW_UNROLL
  for (int half = 0; half < 2; ++half) {
    const int at = row + t.lane() / 4 + 8 * half;
    const float most =
        larger(state.largest[half], larger(largest.get(at), largest.get(kLatentRows + at)));
    const float base = softmax_base(most);
    factor[half] = exp2_of(state.largest[half] - base);
    state.largest[half] = most;
    state.sum[half] *= factor[half];
    RW_UNROLL
    for (int n = 0; n < 2; ++n) {
      const float low = exp2_of(scores[n][2 * half] - base);
      const float high = exp2_of(scores[n][2 * half + 1] - base);
      state.sum[half] += low + high;
      const int place =
          tile_place<LatentShared::kProbabilityRow>(at, half_key + 8 * n + 2 * (t.lane() % 4));
      pairs.set(place / 2, pack_bf16(low, high));
    }
  }
  t.sync();
}

/// Adds 32 keys to the warp's 16 heads and 256 dimensions.
template <class Thread, class Tile>
RW_DEVICE void latent_values(Thread& t, const Tile& tile, const Tile& keys, int row, int dimension,
                             const float (&factor)[2], float (&sums)[32][4]) noexcept {
  std::uint32_t a[2][4];
  RW_UNROLL
  for (int k = 0; k < 2; ++k) {
    load_left<LatentShared::kProbabilityRow>(t, tile, row, 16 * k, a[k]);
  }
  RW_UNROLL
  for (int d = 0; d < 16; ++d) {
    RW_UNROLL
    for (int c = 0; c < 4; ++c) {
      sums[2 * d][c] *= factor[c / 2];
      sums[2 * d + 1][c] *= factor[c / 2];
    }
    RW_UNROLL
    for (int k = 0; k < 2; ++k) {
      std::uint32_t b[4];
      load_values<kLatentKey>(t, keys, 16 * k, 16 * d, b, dimension);
      t.mma(sums[2 * d], a[k], b[0], b[1]);
      t.mma(sums[2 * d + 1], a[k], b[2], b[3]);
    }
  }
}

/// `total` holds each row's sum by half of the keys.
template <class Thread, class Kv, class Rows>
RW_DEVICE void write_latent(Thread& t, const LatentDecodeArgsOf<Kv>& args, int row, int dimension,
                            Rows& total, const RowSoftmax& state,
                            const float (&sums)[32][4]) noexcept {
  const int side = dimension / 256;
  t.sync();
  RW_UNROLL
  for (int half = 0; half < 2; ++half) {
    const float sum = row_sum(t, state.sum[half]);
    if (t.lane() % 4 == 0) total.set(side * kLatentRows + row + t.lane() / 4 + 8 * half, sum);
  }
  t.sync();
  RW_UNROLL
  for (int half = 0; half < 2; ++half) {
    const int at = row + t.lane() / 4 + 8 * half;
    const std::int64_t to =
        (static_cast<std::int64_t>(t.block_z()) * args.heads + t.block_y() * kLatentRows + at) *
            args.splits +
        t.block_x();
    const std::int64_t first = to * kLatent + dimension + 2 * (t.lane() % 4);
    RW_UNROLL
    for (int d = 0; d < 32; ++d) {
      t.write(args.partial.sums, first + 8 * d, sums[d][2 * half] * latent_scale_of(args));
      t.write(args.partial.sums, first + 8 * d + 1, sums[d][2 * half + 1] * latent_scale_of(args));
    }
    if (side == 0 && t.lane() % 4 == 0) {
      t.write(args.partial.largest, to, state.largest[half]);
      t.write(args.partial.total, to, total.get(at) + total.get(kLatentRows + at));
    }
  }
}

template <class Thread, class Kv>
RW_DEVICE void latent_decode(Thread& t, const LatentDecodeArgsOf<Kv>& args) noexcept {
  using Shared = LatentShared;
  constexpr bool kCodes = sizeof(Kv) == 1;
  // Where key `first` lands: a tile of bf16, or its codes behind the one tile.
  constexpr int kStart = kCodes ? Shared::kKeys + Shared::kTileBytes : Shared::kKeys;
  constexpr int kLanded = kLatentKeys * kLatentKey * static_cast<int>(sizeof(Kv));
  const int length = t.read(args.length, t.block_z());
  const int share = ceil_div(ceil_div(length, kLatentKeys), args.splits) * kLatentKeys;
  const int begin = t.block_x() * share, last = smaller(begin + share, length);
  const auto buffer = [&](int first) {
    return t.template shared<Kv>(kStart + first / kLatentKeys % 2 * kLanded,
                                 kLatentKeys * kLatentKey);
  };
  const auto fetch = [&](int first) {
    auto keys = buffer(first);
    if (first < last) load_latent(t, args, first, last, keys);
    t.commit_async();
  };
  auto queries = t.template shared<Bf16>(Shared::kQueries, kLatentRows * kLatentKey);
  RW_ROLLED
  for (int word = t.thread(); word < kLatentRows * kLatentKey / 8; word += kLatentThreads) {
    const int row = word / (kLatentKey / 8), column = word % (kLatentKey / 8) * 8;
    const std::int64_t head =
        static_cast<std::int64_t>(t.block_z()) * args.heads + t.block_y() * kLatentRows + row;
    t.copy_async16(queries, tile_place<kLatentKey>(row, column), args.query,
                   head * kLatentKey + column, true);
  }
  fetch(begin);
  auto largest = t.template shared<float>(Shared::kLargest, 2 * kLatentRows);
  auto tile =
      t.template shared<Bf16>(Shared::kProbabilities, kLatentRows * Shared::kProbabilityRow);
  auto pairs = t.template shared<std::uint32_t>(Shared::kProbabilities,
                                                kLatentRows * Shared::kProbabilityRow / 2);
  const int row = t.warp() % 4 * 16, side = t.warp() / 4;
  RowSoftmax state;
  float sums[32][4] = {};
  for (int first = begin; first < last; first += kLatentKeys) {
    fetch(first + kLatentKeys);
    t.template wait_async<1>();
    t.sync();
    auto keys = t.template shared<Bf16>(
        kCodes ? Shared::kKeys : Shared::kKeys + first / kLatentKeys % 2 * Shared::kTileBytes,
        kLatentKeys * kLatentKey);
    if constexpr (kCodes) {
      widen_latent(t, buffer(first), keys);
      t.sync();
    }
    float scores[2][4];
    latent_scores(t, queries, keys, row, 16 * side, scores);
    float factor[2];
    latent_softmax(t, args.scale * latent_scale_of(args), first, last, row, 16 * side, largest,
                   pairs, scores, state, factor);
    latent_values(t, tile, keys, row, 256 * side, factor, sums);
    t.sync();
  }
  t.template wait_async<0>();
  write_latent(t, args, row, 256 * side, largest, state, sums);
}

}  // namespace rackwright::kernels::own
