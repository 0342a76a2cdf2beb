#pragma once

#include "kernels/own/device.hpp"

namespace rackwright::kernels::own {

/// Sorts (token, expert) pairs by local expert, pairs of one expert in their first order; each
/// expert's rows start at a multiple of `padding`. Four kernels: count, offsets, place, rows.
struct PermuteArgs {
  View<const std::int32_t> expert;  ///< of each pair; tokens x top_k
  View<std::int32_t> count;         ///< chunks x experts: pairs, then where the chunk's begin
  View<std::int32_t> offset;        ///< experts + 1: first row of each, the rows in all
  View<std::int32_t> row;           ///< of each pair; -1: its expert is not here
  View<const Bf16> input;           ///< tokens x hidden
  View<Bf16> output;                ///< padded rows x hidden; padding is left as it is
  int pairs = 0, top_k = 1;
  int first_expert = 0, experts = 0;  ///< those of this rank; experts <= 1024
  int padding = 1;
  int hidden = 0;  ///< a multiple of 8
};

inline constexpr int kPermuteThreads = 256;  ///< pairs of a chunk
inline constexpr int kPermuteWarps = kPermuteThreads / kWarp;

enum class PermuteStage { count, offsets, place, rows };

[[nodiscard]] inline Launch launch_of(const PermuteArgs& args, PermuteStage stage) {
  const int table = static_cast<int>(sizeof(int)) * kPermuteWarps * args.experts;
  const int chunks = ceil_div(args.pairs, kPermuteThreads);
  switch (stage) {
    case PermuteStage::offsets:
      return {1, 1, 1, kPermuteThreads, static_cast<int>(sizeof(int)) * args.experts};
    case PermuteStage::rows:
      return {args.pairs, 1, 1, 128, 0};
    default:
      return {chunks, 1, 1, kPermuteThreads, table};
  }
}

/// The local expert of this thread's pair, -1 where it is none of this rank.
template <class Thread>
RW_DEVICE int local_expert(Thread& t, const PermuteArgs& args) noexcept {
  const int pair = t.block_x() * kPermuteThreads + t.thread();
  if (pair >= args.pairs) return -1;
  const int expert = t.read(args.expert, pair) - args.first_expert;
  return expert >= 0 && expert < args.experts ? expert : -1;
}

/// Fills warps x experts with the pairs of each warp; returns how many lanes before this one have
/// its expert.
template <class Thread, class Table>
RW_DEVICE int count_by_warp(Thread& t, const PermuteArgs& args, int expert, Table& table) noexcept {
  for (int i = t.thread(); i < kPermuteWarps * args.experts; i += kPermuteThreads) table.set(i, 0);
  t.sync();
  int before = 0, after = 0;
  for (int lane = 0; lane < kWarp; ++lane) {
    const int other = t.shuffle(expert, lane);
    before += other == expert && lane < t.lane() ? 1 : 0;
    after += other == expert && lane > t.lane() ? 1 : 0;
  }
  if (expert >= 0 && after == 0) table.set(t.warp() * args.experts + expert, before + 1);
  t.sync();
  return before;
}

template <class Thread>
RW_DEVICE void permute_count(Thread& t, const PermuteArgs& args) noexcept {
  auto table = t.template shared<int>(0, kPermuteWarps * args.experts);
  count_by_warp(t, args, local_expert(t, args), table);
  for (int e = t.thread(); e < args.experts; e += kPermuteThreads) {
    int count = 0;
    for (int w = 0; w < kPermuteWarps; ++w) count += table.get(w * args.experts + e);
    t.write(args.count, static_cast<std::int64_t>(t.block_x()) * args.experts + e, count);
  }
}

template <class Thread>
RW_DEVICE void permute_offsets(Thread& t, const PermuteArgs& args) noexcept {
  const int chunks = ceil_div(args.pairs, kPermuteThreads);
  auto padded = t.template shared<int>(0, args.experts);
  for (int e = t.thread(); e < args.experts; e += kPermuteThreads) {
    int total = 0;
    for (int c = 0; c < chunks; ++c) {
      const std::int64_t at = static_cast<std::int64_t>(c) * args.experts + e;
      const int count = t.read(args.count, at);
      t.write(args.count, at, total);
      total += count;
    }
    padded.set(e, ceil_div(total, args.padding) * args.padding);
  }
  t.sync();
  for (int e = t.thread(); e <= args.experts; e += kPermuteThreads) {
    int first = 0;
    for (int before = 0; before < e; ++before) first += padded.get(before);
    t.write(args.offset, e, first);
  }
}

template <class Thread>
RW_DEVICE void permute_place(Thread& t, const PermuteArgs& args) noexcept {
  auto table = t.template shared<int>(0, kPermuteWarps * args.experts);
  const int expert = local_expert(t, args);
  int row = count_by_warp(t, args, expert, table);
  const int pair = t.block_x() * kPermuteThreads + t.thread();
  if (pair >= args.pairs) return;
  if (expert >= 0) {
    for (int w = 0; w < t.warp(); ++w) row += table.get(w * args.experts + expert);
    row += t.read(args.count, static_cast<std::int64_t>(t.block_x()) * args.experts + expert) +
           t.read(args.offset, expert);
  }
  t.write(args.row, pair, expert < 0 ? -1 : row);
}

template <class Thread>
RW_DEVICE void permute_rows(Thread& t, const PermuteArgs& args) noexcept {
  const int row = t.read(args.row, t.block_x());
  if (row < 0) return;
  const std::int64_t from = static_cast<std::int64_t>(t.block_x() / args.top_k) * args.hidden;
  for (int column = t.thread() * 8; column < args.hidden; column += t.threads() * 8) {
    t.write16(args.output, static_cast<std::int64_t>(row) * args.hidden + column,
              t.read16(args.input, from + column));
  }
}

/// output = sum over a token's pairs of weight x the row of the pair; pairs of other ranks add
/// none.
struct UnpermuteArgs {
  View<const Bf16> input;        ///< padded rows x hidden
  View<const std::int32_t> row;  ///< of each pair
  View<const float> weight;      ///< of each pair
  View<Bf16> output;             ///< tokens x hidden
  int tokens = 0, top_k = 1;
  int hidden = 0;  ///< a multiple of 8
};

[[nodiscard]] inline Launch launch_of(const UnpermuteArgs& args) {
  return {args.tokens, 1, 1, 128, 0};
}

template <class Thread>
RW_DEVICE void unpermute_rows(Thread& t, const UnpermuteArgs& args) noexcept {
  const std::int64_t first = static_cast<std::int64_t>(t.block_x()) * args.top_k;
  for (int column = t.thread() * 8; column < args.hidden; column += t.threads() * 8) {
    float sum[8] = {};
    for (int k = 0; k < args.top_k; ++k) {
      const int row = t.read(args.row, first + k);
      if (row < 0) continue;
      const float weight = t.read(args.weight, first + k);
      const Word16 word =
          t.read16(args.input, static_cast<std::int64_t>(row) * args.hidden + column);
      RW_UNROLL
      for (int i = 0; i < 4; ++i) {
        sum[2 * i] += weight * low_bf16(word.word[i]);
        sum[2 * i + 1] += weight * high_bf16(word.word[i]);
      }
    }
    Word16 out;
    RW_UNROLL
    for (int i = 0; i < 4; ++i) out.word[i] = pack_bf16(sum[2 * i], sum[2 * i + 1]);
    t.write16(args.output, static_cast<std::int64_t>(t.block_x()) * args.hidden + column, out);
  }
}

}  // namespace rackwright::kernels::own
