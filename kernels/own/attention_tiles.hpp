#pragma once

#include "kernels/own/device.hpp"

namespace rackwright::kernels::own {

/* What the attention kernels share: tiles of bf16 rows in shared memory, their matrix fragments
   (PTX ISA, mma.m16n8k16), and the running softmax (Milakov and Gimelshein 2018; FlashAttention-2)
   of 16 rows, of which a lane holds row lane / 4 and the one 8 after it. */

inline constexpr float kMasked = -3.0e38F;

/// Element of a tile of rows of kDim bf16 whose 16-byte words are exchanged row by row, so that 8
/// rows of one column meet 8 different banks.
template <int kDim>
RW_BOTH int tile_place(int row, int column) {
  return row * kDim + (column & ~63) + ((((column >> 3) & 7) ^ (row & 7)) << 3) + (column & 7);
}

/// Left operand: rows first_row to + 15, columns first_column to + 15.
template <int kDim, class Thread, class Tile>
RW_DEVICE void load_left(Thread& t, const Tile& tile, int first_row, int first_column,
                         std::uint32_t (&out)[4]) noexcept {
  const int lane = t.lane();
  t.load_matrix(tile, tile_place<kDim>(first_row + lane % 16, first_column + lane / 16 * 8), out);
}
/// Right operand from rows that are its columns (keys of Q x K^T): 16 keys, 16 dimensions; words 0
/// and 1 for the first 8 keys, 2 and 3 for the others.
template <int kDim, class Thread, class Tile>
RW_DEVICE void load_keys(Thread& t, const Tile& tile, int first_key, int first_column,
                         std::uint32_t (&out)[4]) noexcept {
  const int lane = t.lane();
  t.load_matrix(
      tile, tile_place<kDim>(first_key + lane / 16 * 8 + lane % 8, first_column + lane / 8 % 2 * 8),
      out);
}
/// Right operand from rows as they are (values of P x V): 16 keys, 16 dimensions; words 0 and 1 for
/// the first 8 dimensions, 2 and 3 for the others. `beyond`, a multiple of 64, adds to
/// first_column: what the compiler knows of the rest makes it an offset.
template <int kDim, class Thread, class Tile>
RW_DEVICE void load_values(Thread& t, const Tile& tile, int first_key, int first_column,
                           std::uint32_t (&out)[4], int beyond = 0) noexcept {
  const int lane = t.lane();
  t.load_matrix_transposed(
      tile, beyond + tile_place<kDim>(first_key + lane % 16, first_column + lane / 16 * 8), out);
}

/// Running maximum (of scores times log2 e) and sum of one lane's two rows; the sum is the lane's
/// own share.
struct RowSoftmax {
  float largest[2] = {kMasked, kMasked};
  float sum[2] = {0, 0};
};

/// The largest over the four lanes that share a row.
template <class Thread>
RW_DEVICE float row_largest(Thread& t, float value) noexcept {
  value = larger(value, t.shuffle_xor(value, 1));
  return larger(value, t.shuffle_xor(value, 2));
}
template <class Thread>
RW_DEVICE float row_sum(Thread& t, float value) noexcept {
  value += t.shuffle_xor(value, 1);
  return value + t.shuffle_xor(value, 2);
}

/// What exponents are taken from: a row with no key yet has none.
RW_BOTH float softmax_base(float largest) {
  return largest <= kMasked ? 0.0F : largest;
}

/// Takes scores [tile][c], c = 0, 1 of the first row and 2, 3 of the second, into the state; they
/// become exp2(score - largest). Returns the factors of what was summed before.
template <int kTiles, class Thread>
RW_DEVICE void softmax_step(Thread& t, RowSoftmax& state, float (&scores)[kTiles][4],
                            float (&factor)[2]) noexcept {
  RW_UNROLL
  for (int half = 0; half < 2; ++half) {
    float most = state.largest[half];
    RW_UNROLL
    for (int n = 0; n < kTiles; ++n) {
      most = larger(most, larger(scores[n][2 * half], scores[n][2 * half + 1]));
    }
    most = row_largest(t, most);
    const float base = softmax_base(most);
    factor[half] = exp2_of(state.largest[half] - base);
    state.largest[half] = most;
    float sum = 0;
    RW_UNROLL
    for (int n = 0; n < kTiles; ++n) {
      RW_UNROLL
      for (int c = 2 * half; c < 2 * half + 2; ++c) {
        scores[n][c] = exp2_of(scores[n][c] - base);
        sum += scores[n][c];
      }
    }
    state.sum[half] = state.sum[half] * factor[half] + sum;
  }
}

/// Probabilities of 16 keys (two score tiles) as left operand.
RW_BOTH void probabilities(const float (&first)[4], const float (&second)[4],
                           std::uint32_t (&out)[4]) {
  out[0] = pack_bf16(first[0], first[1]);
  out[1] = pack_bf16(first[2], first[3]);
  out[2] = pack_bf16(second[0], second[1]);
  out[3] = pack_bf16(second[2], second[3]);
}

}  // namespace rackwright::kernels::own
