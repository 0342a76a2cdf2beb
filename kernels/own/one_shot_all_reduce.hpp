#pragma once

#include "kernels/own/device.hpp"

namespace rackwright::kernels::own {

inline constexpr int kOneShotRanks = 8;  ///< of one NVLink domain whose memory each can map

/// Every rank reads the vectors of all ranks out of their memory and adds them in the same order,
/// so all get the same bits. One step: a rank's link carries (n - 1) S; engines use it up to some
/// hundred KiB (vLLM csrc/custom_all_reduce.cuh). All ranks' inputs are complete before the launch:
/// the caller's flags say so.
struct OneShotArgs {
  View<const Bf16> input[kOneShotRanks];  ///< of each rank, peer memory but the own
  View<Bf16> output;
  int ranks = 0;
  int values = 0;  ///< a multiple of 8
};

inline constexpr int kOneShotThreads = 256;

/// A thread for 8 values.
[[nodiscard]] inline Launch launch_of(const OneShotArgs& args) {
  return {ceil_div(args.values, 8 * kOneShotThreads), 1, 1, kOneShotThreads, 0};
}

template <class Thread>
RW_DEVICE void one_shot_all_reduce(Thread& t, const OneShotArgs& args) noexcept {
  const int first = (t.block_x() * kOneShotThreads + t.thread()) * 8;
  if (first >= args.values) return;
  Word16 words[kOneShotRanks];
  RW_UNROLL
  for (int peer = 0; peer < kOneShotRanks; ++peer) {  // all loads before the first sum
    if (peer < args.ranks) words[peer] = t.read16(args.input[peer], first);
  }
  float sum[8] = {};
  RW_UNROLL
  for (int peer = 0; peer < kOneShotRanks; ++peer) {
    if (peer >= args.ranks) continue;
    RW_UNROLL
    for (int w = 0; w < 4; ++w) {
      sum[2 * w] += low_bf16(words[peer].word[w]);
      sum[2 * w + 1] += high_bf16(words[peer].word[w]);
    }
  }
  Word16 out;
  RW_UNROLL
  for (int w = 0; w < 4; ++w) out.word[w] = pack_bf16(sum[2 * w], sum[2 * w + 1]);
  t.write16(args.output, first, out);
}

}  // namespace rackwright::kernels::own
