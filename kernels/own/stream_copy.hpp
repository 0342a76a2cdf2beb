#pragma once

#include "kernels/own/device.hpp"

namespace rackwright::kernels::own {

/// Copies 16-byte words: 32 bytes of HBM traffic a word. The check of a device's memory rate, and
/// the yardstick of every memory-bound kernel.
struct StreamCopyArgs {
  View<const Word16> from;
  View<Word16> to;
  int blocks = 1;  ///< 8 a multiprocessor
};

inline constexpr int kStreamThreads = 256;
inline constexpr int kStreamWords = 4;  ///< of a thread on their way at once

[[nodiscard]] inline Launch launch_of(const StreamCopyArgs& args) {
  return {args.blocks, 1, 1, kStreamThreads, 0};
}

template <class Thread>
RW_DEVICE void stream_copy(Thread& t, const StreamCopyArgs& args) noexcept {
  const std::int64_t tile = static_cast<std::int64_t>(kStreamThreads) * kStreamWords;
  for (std::int64_t first = t.block_x() * tile; first < args.to.count;
       first += t.blocks_x() * tile) {
    Word16 words[kStreamWords];
    RW_UNROLL
    for (int w = 0; w < kStreamWords; ++w) {
      const std::int64_t i = first + w * kStreamThreads + t.thread();
      if (i < args.to.count) words[w] = t.read16(args.from, i);
    }
    RW_UNROLL
    for (int w = 0; w < kStreamWords; ++w) {
      const std::int64_t i = first + w * kStreamThreads + t.thread();
      if (i < args.to.count) t.write16(args.to, i, words[w]);
    }
  }
}

}  // namespace rackwright::kernels::own
