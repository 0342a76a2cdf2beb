#pragma once

#include "kernels/own/device.hpp"

namespace rackwright::kernels::own {

/// C[m,n] = A[m,k] x B[n,k]^T with MXFP4 weights B: E2M1, two a byte, the lower k in the lower
/// half, an E8M0 scale for 32 of k. The weights become bf16 in registers, which loses nothing.
/// With `groups` > 1 the rows of A are those of one expert after the other, each with weights of
/// its own, and `m` is the most rows of one.
struct MxGemmArgs {
  View<const Bf16> left;             ///< m x k
  View<const std::uint32_t> weight;  ///< n x k / 8
  View<const std::uint8_t> scale;    ///< n x k / 32
  View<Bf16> output;                 ///< m x n
  int m = 0;
  int n = 0;  ///< a multiple of 8
  int k = 0;  ///< a multiple of 32
  int groups = 1;
  View<const std::int32_t> first_row = {};  ///< of each group, and the end; not read for one group
};

inline constexpr int kMxThreads = 128;
inline constexpr int kMxColumns = 64;  ///< of a block, 16 a warp
inline constexpr int kMxDepth = 128;   ///< of a step: a lane reads 16 bytes, 32 of k, of a column
inline constexpr int kMxPitch = 36;    ///< 8-byte words between rows of A in shared memory

/// Rows of a block: 16 for decode, else 64.
[[nodiscard]] RW_BOTH constexpr int mx_rows(int m) {
  return m <= 16 ? 16 : 64;
}

/// Two tiles of A in shared memory; weights go to registers.
[[nodiscard]] inline Launch launch_of(const MxGemmArgs& args) {
  const int rows = mx_rows(args.m);
  return {ceil_div(args.n, kMxColumns), ceil_div(args.m, rows), args.groups, kMxThreads,
          2 * rows * kMxPitch * static_cast<int>(sizeof(std::uint64_t))};
}

/// Four E2M1 of the low half of `codes`, as two pairs of bf16 times `scale` (two equal bf16).
RW_BOTH void widen_e2m1(std::uint32_t codes, std::uint32_t scale, std::uint32_t& first,
                        std::uint32_t& second) {
  // Bytes of the bf16 of 0, 0.5, 1, 1.5, 2, 3, 4, 6, by magnitude.
  const std::uint32_t magnitude = codes & 0x7777U;
  const std::uint32_t high = permute_bytes(0x3f3f3f00U, 0x40404040U, magnitude);
  const std::uint32_t low = permute_bytes(0xc0800000U, 0xc0804000U, magnitude);
  const std::uint32_t signs = codes & 0x8888U;
  first = permute_bytes(low, high, 0x5140U) | (signs & 0x8U) << 12 | (signs & 0x80U) << 24;
  second = permute_bytes(low, high, 0x7362U) | (signs & 0x800U) << 4 | (signs & 0x8000U) << 16;
  first = multiply_bf16(first, scale);
  second = multiply_bf16(second, scale);
}

/// The group of a block.
struct MxGroup {
  int first_row, rows;
  std::int64_t first_column;  ///< of the weights of all groups
};

template <class Thread>
RW_DEVICE MxGroup mx_group(Thread& t, const MxGemmArgs& args) noexcept {
  if (args.groups == 1) return {0, args.m, 0};
  const int first = t.read(args.first_row, t.block_z());
  return {first, t.read(args.first_row, t.block_z() + 1) - first,
          static_cast<std::int64_t>(t.block_z()) * args.n};
}

/// Weights of one step of a lane: 32 of k of two columns, with their scales as pairs of bf16.
struct MxWeights {
  Word16 codes[2];
  std::uint32_t scale[2];
};

template <class Thread>
RW_DEVICE MxWeights load_mx_weights(Thread& t, const MxGemmArgs& args, const MxGroup& group,
                                    int step) noexcept {
  MxWeights weights{};
  const int k = step * kMxDepth + t.lane() % 4 * 32;
  RW_UNROLL
  for (int j = 0; j < 2; ++j) {
    const int column = t.block_x() * kMxColumns + t.warp() * 16 + j * 8 + t.lane() / 4;
    if (column >= args.n || k >= args.k) continue;
    const std::int64_t at = (group.first_column + column) * args.k + k;
    weights.codes[j] = t.read16(args.weight, at / 8);
    const std::uint32_t code = t.read(args.scale, at / 32);
    const std::uint32_t bits = code == 0 ? 0x40U : code << 7;
    weights.scale[j] = bits | bits << 16;
  }
  return weights;
}

/// A's tile, its 16-byte words ordered so that those of one step of four lanes lie together.
template <int kRows, class Thread, class Tile>
RW_DEVICE void load_mx_left(Thread& t, const MxGemmArgs& args, const MxGroup& group, int step,
                            Tile& tile) noexcept {
  RW_UNROLL
  for (int i = 0; i < kRows * 16 / kMxThreads; ++i) {
    const int word = i * kMxThreads + t.thread();
    const int row = t.block_y() * kRows + word / 16, chunk = word % 16;
    const int k = step * kMxDepth + chunk * 8;
    t.copy_async16(tile, word / 16 * kMxPitch + (chunk % 4 * 4 + chunk / 4) * 2, args.left,
                   static_cast<std::int64_t>(group.first_row + row) * args.k + k,
                   row < group.rows && k < args.k);
  }
}

template <int kRows, class Thread>
RW_DEVICE void write_mx_output(Thread& t, const MxGemmArgs& args, const MxGroup& group,
                               const float (&sums)[kRows / 16][2][4]) noexcept {
  View<std::uint32_t> pairs{reinterpret_cast<std::uint32_t*>(args.output.data),
                            args.output.count / 2};
  RW_UNROLL
  for (int i = 0; i < kRows / 16; ++i) {
    RW_UNROLL
    for (int j = 0; j < 2; ++j) {
      RW_UNROLL
      for (int half = 0; half < 2; ++half) {
        const int row = t.block_y() * kRows + 16 * i + t.lane() / 4 + 8 * half;
        const int column = t.block_x() * kMxColumns + t.warp() * 16 + j * 8 + t.lane() % 4 * 2;
        if (row >= group.rows || column >= args.n) continue;
        t.write(pairs, (static_cast<std::int64_t>(group.first_row + row) * args.n + column) / 2,
                pack_bf16(sums[i][j][2 * half], sums[i][j][2 * half + 1]));
      }
    }
  }
}

/// The k of a matrix product may come in any order that both operands share: lane q of four takes
/// the 4 at 32 q + 4 s in step s, of A by one 8-byte word and of B by half a word of codes.
template <int kRows, class Thread, class Tile>
RW_DEVICE void multiply_mx(Thread& t, const Tile& tile, const MxWeights& weights,
                           float (&sums)[kRows / 16][2][4]) noexcept {
  RW_UNROLL
  for (int s = 0; s < 8; ++s) {
    std::uint32_t b[2][2];
    RW_UNROLL
    for (int j = 0; j < 2; ++j) {
      widen_e2m1(weights.codes[j].word[s / 2] >> (16 * (s % 2)), weights.scale[j], b[j][0],
                 b[j][1]);
    }
    RW_UNROLL
    for (int i = 0; i < kRows / 16; ++i) {
      const int at = (16 * i + t.lane() / 4) * kMxPitch + (s / 2 * 4 + t.lane() % 4) * 2 + s % 2;
      const std::uint64_t upper = tile.get(at), lower = tile.get(at + 8 * kMxPitch);
      const std::uint32_t a[4] = {
          static_cast<std::uint32_t>(upper), static_cast<std::uint32_t>(lower),
          static_cast<std::uint32_t>(upper >> 32), static_cast<std::uint32_t>(lower >> 32)};
      RW_UNROLL
      for (int j = 0; j < 2; ++j) t.mma(sums[i][j], a, b[j][0], b[j][1]);
    }
  }
}

template <int kRows, class Thread>
RW_DEVICE void mxfp4_gemm(Thread& t, const MxGemmArgs& args) noexcept {
  const MxGroup group = mx_group(t, args);
  if (t.block_y() * kRows >= group.rows) return;
  constexpr int kTile = kRows * kMxPitch;
  const auto buffer = [&](int step) {
    return t.template shared<std::uint64_t>(
        step % 2 * kTile * static_cast<int>(sizeof(std::uint64_t)), kTile);
  };
  const int steps = ceil_div(args.k, kMxDepth);
  auto first = buffer(0);
  load_mx_left<kRows>(t, args, group, 0, first);
  t.commit_async();
  MxWeights weights = load_mx_weights(t, args, group, 0);
  float sums[kRows / 16][2][4] = {};
  for (int step = 0; step < steps; ++step) {
    auto next = buffer(step + 1);
    if (step + 1 < steps) load_mx_left<kRows>(t, args, group, step + 1, next);
    t.commit_async();
    const MxWeights coming = load_mx_weights(t, args, group, step + 1);
    t.template wait_async<1>();
    t.sync();
    multiply_mx<kRows>(t, buffer(step), weights, sums);
    weights = coming;
    t.sync();
  }
  write_mx_output<kRows>(t, args, group, sums);
}

}  // namespace rackwright::kernels::own
