#pragma once

#include "kernels/own/device.hpp"

namespace rackwright::kernels::own {

/// output = gate / (1 + exp(-gate)) x up. A row of `gate_up` holds the gates, then the ups.
struct SiluMulArgs {
  View<const Bf16> gate_up;  ///< rows x 2 width
  View<Bf16> output;         ///< rows x width
  int rows = 0;
  int width = 0;  ///< a multiple of 8
};

inline constexpr int kSiluMulThreads = 256;

/// A thread per 8 outputs; a grid row per row.
[[nodiscard]] inline Launch launch_of(const SiluMulArgs& args) {
  return {args.rows, ceil_div(args.width, 8 * kSiluMulThreads), 1, kSiluMulThreads, 0};
}

RW_BOTH float silu(float x) {
  return x / (1.0F + exp_of(-x));
}

template <class Thread>
RW_DEVICE void silu_mul(Thread& t, const SiluMulArgs& args) noexcept {
  const int column = (t.block_y() * kSiluMulThreads + t.thread()) * 8;
  if (column >= args.width) return;
  const std::int64_t row = t.block_x();
  const Word16 gate = t.read16(args.gate_up, row * 2 * args.width + column);
  const Word16 up = t.read16(args.gate_up, row * 2 * args.width + args.width + column);
  Word16 out;
  RW_UNROLL
  for (int i = 0; i < 4; ++i) {
    out.word[i] = pack_bf16(silu(low_bf16(gate.word[i])) * low_bf16(up.word[i]),
                            silu(high_bf16(gate.word[i])) * high_bf16(up.word[i]));
  }
  t.write16(args.output, row * args.width + column, out);
}

}  // namespace rackwright::kernels::own
