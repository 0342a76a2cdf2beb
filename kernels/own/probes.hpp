#pragma once

#include "kernels/own/device.hpp"

namespace rackwright::kernels::own {

/// A kernel that does nothing: what a launch costs.
struct LaunchProbeArgs {
  int unused = 0;
};
[[nodiscard]] inline Launch launch_of(const LaunchProbeArgs&) {
  return {};
}
template <class Thread>
RW_DEVICE void launch_probe(Thread&, const LaunchProbeArgs&) noexcept {}

/// Holds a stream until the host lets it go, or for so long: what is queued meanwhile then runs
/// without waiting for launches.
struct HoldArgs {
  View<int> let_go;     ///< in memory that the host writes: not 0 to go on
  View<int> timed_out;  ///< becomes 1 when the time came first
  std::uint64_t nanoseconds = 0;
};
[[nodiscard]] inline Launch launch_of(const HoldArgs&) {
  return {};
}
template <class Thread>
RW_DEVICE void hold_stream(Thread& t, const HoldArgs& args) noexcept {
  if (t.thread() != 0) return;
  const std::uint64_t start = t.clock_ns();
  while (t.read_volatile(args.let_go, 0) == 0) {
    if (t.clock_ns() - start < args.nanoseconds) continue;
    t.write(args.timed_out, 0, 1);
    return;
  }
}

/// Keeps the tensor cores busy for a time: the high level of the power wave.
struct BurnArgs {
  View<float> sum;  ///< a place a block, so that the products are not dropped
  std::uint64_t nanoseconds = 0;
  int blocks = 1;
};

inline constexpr int kBurnThreads = 256;

[[nodiscard]] inline Launch launch_of(const BurnArgs& args) {
  return {args.blocks, 1, 1, kBurnThreads, 0};
}

template <class Thread>
RW_DEVICE void burn(Thread& t, const BurnArgs& args) noexcept {
  const std::uint64_t start = t.clock_ns();
  float sums[4][4] = {};
  // Random-looking operands: zeros draw less.
  const auto seed = static_cast<std::uint32_t>(t.thread() * 2654435761U);
  const std::uint32_t a[4] = {0x3f80bf80U ^ (seed & 0x7f007fU),
                              0xbf003f40U ^ (seed >> 9 & 0x7f007fU),
                              0x3f20bfa0U ^ (seed >> 5 & 0x7f007fU), 0xbf603fc0U};
  bool going = true;
  while (going) {
    RW_UNROLL
    for (int i = 0; i < 16; ++i) t.mma(sums[i % 4], a, a[i % 4], a[(i + 1) % 4]);
    const bool mine = t.clock_ns() - start < args.nanoseconds;
    going = t.shuffle(mine ? 1 : 0, 0) != 0;
  }
  if (t.thread() == 0) t.write(args.sum, t.block_x(), sums[0][0] + sums[1][0]);
}

}  // namespace rackwright::kernels::own
