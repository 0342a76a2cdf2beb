#pragma once

#include "kernels/own/device.hpp"

namespace rackwright::kernels::own {

/// sum = input + residual; output = sum / sqrt(mean(sum^2) + epsilon) x weight, row by row. `sum`
/// is rounded to bf16 first and written as the new residual, as engines do. Without a residual (its
/// view is empty) the input is normed and no sum written.
struct RmsNormArgs {
  View<const Bf16> input, residual;  ///< rows x hidden
  View<const Bf16> weight;           ///< hidden
  View<Bf16> output, sum;            ///< rows x hidden
  int rows = 0;
  int hidden = 0;  ///< a multiple of 8
  float epsilon = 0;
};

inline constexpr int kRmsNormThreads = 256;
inline constexpr int kRmsNormNarrow = 8 * kWarp;  ///< rows up to this are a warp's: heads

[[nodiscard]] RW_BOTH constexpr bool is_narrow(const RmsNormArgs& args) {
  return args.hidden <= kRmsNormNarrow && args.residual.count == 0;
}

/// A block a row, with a place for each warp's share of the sum of squares; a warp a narrow row.
[[nodiscard]] inline Launch launch_of(const RmsNormArgs& args) {
  if (is_narrow(args)) {
    return {ceil_div(args.rows, kRmsNormThreads / kWarp), 1, 1, kRmsNormThreads, 0};
  }
  return {args.rows, 1, 1, kRmsNormThreads,
          static_cast<int>(sizeof(float)) * (kRmsNormThreads / kWarp)};
}

/// kVectors: 16-byte words of a row that a thread keeps in registers, so that a row is read once;
/// hidden <= 2048 x kVectors.
template <int kVectors, class Thread>
RW_DEVICE void rms_norm(Thread& t, const RmsNormArgs& args) noexcept {
  const std::int64_t row = static_cast<std::int64_t>(t.block_x()) * args.hidden;
  Word16 kept[kVectors];
  float squares = 0;
  RW_UNROLL
  for (int v = 0; v < kVectors; ++v) {
    const int column = (v * kRmsNormThreads + t.thread()) * 8;
    if (column >= args.hidden) continue;
    const Word16 a = t.read16(args.input, row + column);
    const bool adds = args.residual.count > 0;
    const Word16 b = adds ? t.read16(args.residual, row + column) : Word16{};
    RW_UNROLL
    for (int i = 0; i < 4; ++i) {
      kept[v].word[i] = pack_bf16(low_bf16(a.word[i]) + low_bf16(b.word[i]),
                                  high_bf16(a.word[i]) + high_bf16(b.word[i]));
      const float low = low_bf16(kept[v].word[i]);
      const float high = high_bf16(kept[v].word[i]);
      squares += low * low + high * high;
    }
    if (adds) t.write16(args.sum, row + column, kept[v]);
  }
  for (int mask = kWarp / 2; mask > 0; mask /= 2) squares += t.shuffle_xor(squares, mask);
  auto by_warp = t.template shared<float>(0, kRmsNormThreads / kWarp);
  if (t.lane() == 0) by_warp.set(t.warp(), squares);
  t.sync();
  float total = 0;
  RW_UNROLL
  for (int w = 0; w < kRmsNormThreads / kWarp; ++w) total += by_warp.get(w);
  const float scale = 1.0F / sqrtf(total / static_cast<float>(args.hidden) + args.epsilon);
  RW_UNROLL
  for (int v = 0; v < kVectors; ++v) {
    const int column = (v * kRmsNormThreads + t.thread()) * 8;
    if (column >= args.hidden) continue;
    const Word16 w = t.read16(args.weight, column);
    Word16 out;
    RW_UNROLL
    for (int i = 0; i < 4; ++i) {
      out.word[i] = pack_bf16(low_bf16(kept[v].word[i]) * scale * low_bf16(w.word[i]),
                              high_bf16(kept[v].word[i]) * scale * high_bf16(w.word[i]));
    }
    t.write16(args.output, row + column, out);
  }
}

/// The same of narrow rows without a residual: heads of queries and keys.
template <class Thread>
RW_DEVICE void rms_norm_narrow(Thread& t, const RmsNormArgs& args) noexcept {
  const int row = t.block_x() * (kRmsNormThreads / kWarp) + t.warp();
  if (row >= args.rows) return;
  const int column = t.lane() * 8;
  const bool in = column < args.hidden;
  const std::int64_t at = static_cast<std::int64_t>(row) * args.hidden + column;
  const Word16 x = in ? t.read16(args.input, at) : Word16{};
  float squares = 0;
  RW_UNROLL
  for (int i = 0; i < 4; ++i) {
    const float low = low_bf16(x.word[i]), high = high_bf16(x.word[i]);
    squares += low * low + high * high;
  }
  for (int mask = kWarp / 2; mask > 0; mask /= 2) squares += t.shuffle_xor(squares, mask);
  if (!in) return;
  const float scale = 1.0F / sqrtf(squares / static_cast<float>(args.hidden) + args.epsilon);
  const Word16 w = t.read16(args.weight, column);
  Word16 out;
  RW_UNROLL
  for (int i = 0; i < 4; ++i) {
    out.word[i] = pack_bf16(low_bf16(x.word[i]) * scale * low_bf16(w.word[i]),
                            high_bf16(x.word[i]) * scale * high_bf16(w.word[i]));
  }
  t.write16(args.output, at, out);
}

}  // namespace rackwright::kernels::own
