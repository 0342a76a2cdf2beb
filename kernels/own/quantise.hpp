#pragma once

#include "kernels/own/number_formats.hpp"

namespace rackwright::kernels::own {

/// How activations are quantised: elements, and what shares a scale.
enum class QuantScheme {
  fp8_token,  ///< E4M3, a float scale a row
  fp8_group,  ///< E4M3, a float scale for 128 of a row
  mxfp8,      ///< E4M3, an E8M0 scale for 32
  mxfp4,      ///< E2M1, an E8M0 scale for 32
  nvfp4       ///< E2M1, an E4M3 scale for 16 times `tensor_scale`
};

/// value ~ element x scale, both row by row. Scales lie plainly, not in the tiles that cuBLASLt
/// reads.
struct QuantiseArgs {
  View<const Bf16> input;          ///< rows x width
  View<std::uint32_t> output;      ///< rows x width elements, packed from the low bits on
  View<float> scale;               ///< of fp8_token, fp8_group
  View<std::uint8_t> block_scale;  ///< of the others
  int rows = 0;
  int width = 0;  ///< a multiple of the group; of 16 for fp8_token
  float tensor_scale = 1;
};

inline constexpr int kQuantiseThreads = 256;

[[nodiscard]] RW_BOTH constexpr bool is_fp4(QuantScheme scheme) {
  return scheme == QuantScheme::mxfp4 || scheme == QuantScheme::nvfp4;
}
/// Elements of a row that share a scale; 0: all.
[[nodiscard]] RW_BOTH constexpr int group_of(QuantScheme scheme) {
  switch (scheme) {
    case QuantScheme::fp8_token:
      return 0;
    case QuantScheme::fp8_group:
      return 128;
    case QuantScheme::nvfp4:
      return 16;
    default:
      return 32;
  }
}

/// A block a row for fp8_token; else 16 elements a thread.
[[nodiscard]] inline Launch launch_of(const QuantiseArgs& args, QuantScheme scheme) {
  if (scheme == QuantScheme::fp8_token) {
    return {args.rows, 1, 1, kQuantiseThreads,
            static_cast<int>(sizeof(float)) * (kQuantiseThreads / kWarp)};
  }
  return {args.rows, ceil_div(args.width, 16 * kQuantiseThreads), 1, kQuantiseThreads, 0};
}

/// 16 activations of one thread.
struct SixteenValues {
  Word16 word[2];
  RW_BOTH float at(int i) const {
    const std::uint32_t pair = word[i / 8].word[i % 8 / 2];
    return i % 2 == 0 ? low_bf16(pair) : high_bf16(pair);
  }
  RW_BOTH float largest() const {
    float most = 0;
    RW_UNROLL
    for (int i = 0; i < 16; ++i) most = larger(most, magnitude_of(at(i)));
    return most;
  }
};

template <class Thread>
RW_DEVICE void write_e4m3(Thread& t, const QuantiseArgs& args, std::int64_t first,
                          const SixteenValues& values, float per_scale) noexcept {
  Word16 out;
  RW_UNROLL
  for (int w = 0; w < 4; ++w) {
    out.word[w] = 0;
    RW_UNROLL
    for (int i = 0; i < 4; ++i) out.word[w] |= to_e4m3(values.at(4 * w + i) * per_scale) << (8 * i);
  }
  t.write16(args.output, first / 4, out);
}

template <class Thread>
RW_DEVICE void write_e2m1(Thread& t, const QuantiseArgs& args, std::int64_t first,
                          const SixteenValues& values, float per_scale) noexcept {
  RW_UNROLL
  for (int w = 0; w < 2; ++w) {
    std::uint32_t out = 0;
    RW_UNROLL
    for (int i = 0; i < 8; ++i) out |= to_e2m1(values.at(8 * w + i) * per_scale) << (4 * i);
    t.write(args.output, first / 8 + w, out);
  }
}

/// The float by which the group's values are multiplied; its scale is written by lane `first`.
template <QuantScheme kScheme, class Thread>
RW_DEVICE float scale_group(Thread& t, const QuantiseArgs& args, std::int64_t group, float most,
                            bool first) noexcept {
  if constexpr (kScheme == QuantScheme::fp8_group) {
    const float scale = larger(most, 1e-30F) / kLargestE4M3;
    if (first) t.write(args.scale, group, scale);
    return 1.0F / scale;
  } else if constexpr (kScheme == QuantScheme::nvfp4) {
    const std::uint32_t code = to_e4m3(most / (kLargestE2M1 * args.tensor_scale));
    if (first) t.write(args.block_scale, group, static_cast<std::uint8_t>(code));
    return code == 0 ? 0.0F : 1.0F / (from_e4m3(code) * args.tensor_scale);
  } else {
    const std::uint32_t code = to_e8m0(most, kScheme == QuantScheme::mxfp4 ? 2 : 8);
    if (first) t.write(args.block_scale, group, static_cast<std::uint8_t>(code));
    return from_e8m0(254U - code);
  }
}

template <QuantScheme kScheme, class Thread>
RW_DEVICE void quantise_groups(Thread& t, const QuantiseArgs& args) noexcept {
  constexpr int kGroup = group_of(kScheme);
  const int column = (t.block_y() * kQuantiseThreads + t.thread()) * 16;
  const bool in = column < args.width;
  const std::int64_t first = static_cast<std::int64_t>(t.block_x()) * args.width + column;
  SixteenValues values{};
  if (in) {
    values.word[0] = t.read16(args.input, first);
    values.word[1] = t.read16(args.input, first + 8);
  }
  float most = values.largest();
  RW_UNROLL
  for (int mask = kGroup / 32; mask > 0; mask /= 2) most = larger(most, t.shuffle_xor(most, mask));
  if (!in) return;
  const float per_scale = scale_group<kScheme>(t, args, first / kGroup, most, column % kGroup == 0);
  if constexpr (is_fp4(kScheme)) {
    write_e2m1(t, args, first, values, per_scale);
  } else {
    write_e4m3(t, args, first, values, per_scale);
  }
}

/// width <= 4096 x kVectors: a row is read once.
template <int kVectors, class Thread>
RW_DEVICE void quantise_rows(Thread& t, const QuantiseArgs& args) noexcept {
  const std::int64_t row = static_cast<std::int64_t>(t.block_x()) * args.width;
  SixteenValues values[kVectors];
  float most = 0;
  RW_UNROLL
  for (int v = 0; v < kVectors; ++v) {
    const int column = (v * kQuantiseThreads + t.thread()) * 16;
    if (column >= args.width) continue;
    values[v].word[0] = t.read16(args.input, row + column);
    values[v].word[1] = t.read16(args.input, row + column + 8);
    most = larger(most, values[v].largest());
  }
  for (int mask = kWarp / 2; mask > 0; mask /= 2) most = larger(most, t.shuffle_xor(most, mask));
  auto by_warp = t.template shared<float>(0, kQuantiseThreads / kWarp);
  if (t.lane() == 0) by_warp.set(t.warp(), most);
  t.sync();
  RW_UNROLL
  for (int w = 0; w < kQuantiseThreads / kWarp; ++w) most = larger(most, by_warp.get(w));
  const float scale = larger(most, 1e-30F) / kLargestE4M3;
  if (t.thread() == 0) t.write(args.scale, t.block_x(), scale);
  const float per_scale = 1.0F / scale;
  RW_UNROLL
  for (int v = 0; v < kVectors; ++v) {
    const int column = (v * kQuantiseThreads + t.thread()) * 16;
    if (column < args.width) write_e4m3(t, args, row + column, values[v], per_scale);
  }
}

}  // namespace rackwright::kernels::own
