#pragma once

#include "kernels/own/decode_attention.hpp"

namespace rackwright::kernels::own {

/// Absorbed MLA decode (DeepSeek-V2, section 2.1.3): all heads of a sequence against one latent
/// cache of 512 + 64 dimensions, whose first 512 are the values too. About 242 FLOP a byte with 128
/// heads, so on tensor cores.
struct LatentDecodeArgs {
  View<const Bf16> query;          ///< sequences x heads x 576
  PagedCache<const Bf16> latent;   ///< one head of 576
  View<const std::int32_t> pages;  ///< sequences x longest_pages
  View<const std::int32_t> length;
  SplitResults partial;          ///< of 512 dimensions
  int sequences = 0, heads = 0;  ///< a multiple of 64
  int longest_pages = 0;
  int splits = 1;
  float scale = 1;
};

inline constexpr int kLatent = 512;
inline constexpr int kLatentKey = 576;
inline constexpr int kLatentThreads = 256;
inline constexpr int kLatentRows = 64;  ///< heads of a block
inline constexpr int kLatentKeys = 32;  ///< of a tile

/// Byte offsets in shared memory: queries, two tiles of keys, probabilities, and each row's largest
/// and sum by half of the keys.
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
[[nodiscard]] inline Launch launch_of(const LatentDecodeArgs& args) {
  return {args.splits, args.heads / kLatentRows, args.sequences, kLatentThreads,
          LatentShared::kBytes};
}

template <class Thread, class Tile>
RW_DEVICE void load_latent(Thread& t, const LatentDecodeArgs& args, int first, int last,
                           Tile& tile) noexcept {
  constexpr int kWords = kLatentKey / 8;
  RW_ROLLED
  for (int word = t.thread(); word < kLatentKeys * kWords; word += kLatentThreads) {
    const int row = word / kWords, column = word % kWords * 8;
    const int key = first + row, size = args.latent.page_size;
    const bool valid = key < last;
    std::int64_t at = 0;
    if (valid) {
      const int page = t.read(
          args.pages, static_cast<std::int64_t>(t.block_z()) * args.longest_pages + key / size);
      at = args.latent.place(page, key % size, 0) + column;
    }
    t.copy_async16(tile, tile_place<kLatentKey>(row, column), args.latent.data, at, valid);
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
template <class Thread, class Rows>
RW_DEVICE void write_latent(Thread& t, const LatentDecodeArgs& args, int row, int dimension,
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
      t.write(args.partial.sums, first + 8 * d, sums[d][2 * half]);
      t.write(args.partial.sums, first + 8 * d + 1, sums[d][2 * half + 1]);
    }
    if (side == 0 && t.lane() % 4 == 0) {
      t.write(args.partial.largest, to, state.largest[half]);
      t.write(args.partial.total, to, total.get(at) + total.get(kLatentRows + at));
    }
  }
}

template <class Thread>
RW_DEVICE void latent_decode(Thread& t, const LatentDecodeArgs& args) noexcept {
  using Shared = LatentShared;
  const int length = t.read(args.length, t.block_z());
  const int share = ceil_div(ceil_div(length, kLatentKeys), args.splits) * kLatentKeys;
  const int begin = t.block_x() * share, last = smaller(begin + share, length);
  const auto buffer = [&](int first) {
    return t.template shared<Bf16>(Shared::kKeys + first / kLatentKeys % 2 * Shared::kTileBytes,
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
    const auto keys = buffer(first);
    float scores[2][4];
    latent_scores(t, queries, keys, row, 16 * side, scores);
    float factor[2];
    latent_softmax(t, args.scale, first, last, row, 16 * side, largest, pairs, scores, state,
                   factor);
    latent_values(t, tile, keys, row, 256 * side, factor, sums);
    t.sync();
  }
  t.template wait_async<0>();
  write_latent(t, args, row, 256 * side, largest, state, sums);
}

}  // namespace rackwright::kernels::own
