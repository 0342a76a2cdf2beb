#pragma once

#include "kernels/own/device.hpp"

namespace rackwright::kernels::own {

/// Uniform bf16 in [-1, 1), the same for the same seed: zeros would be quicker and cooler than the
/// data of a model. No byte is a NaN when it is read as E4M3: sums over one would be NaN and cool.
struct FillRandomArgs {
  View<Bf16> out;
  std::uint32_t seed = 1;
  int blocks = 1;
};

inline constexpr int kFillThreads = 256;

[[nodiscard]] inline Launch launch_of(const FillRandomArgs& args) {
  return {args.blocks, 1, 1, kFillThreads, 0};
}

/// 32 well-mixed bits of a counter (the finaliser of MurmurHash3).
RW_BOTH std::uint32_t mixed(std::uint32_t x) {
  x ^= x >> 16;
  x *= 0x85ebca6bU;
  x ^= x >> 13;
  x *= 0xc2b2ae35U;
  return x ^ x >> 16;
}

template <class Thread>
RW_DEVICE void fill_random(Thread& t, const FillRandomArgs& args) noexcept {
  const std::int64_t stride = static_cast<std::int64_t>(t.blocks_x()) * kFillThreads;
  for (std::int64_t i = static_cast<std::int64_t>(t.block_x()) * kFillThreads + t.thread();
       i < args.out.count; i += stride) {
    const std::uint32_t bits = mixed(static_cast<std::uint32_t>(i) ^
                                     mixed(args.seed + static_cast<std::uint32_t>(i >> 32)));
    Bf16 value = to_bf16(static_cast<float>(bits >> 8) * (1.0F / 8388608) - 1);
    if ((value.bits & 0x7fU) == 0x7fU) value.bits ^= 1U;
    t.write(args.out, i, value);
  }
}

}  // namespace rackwright::kernels::own
