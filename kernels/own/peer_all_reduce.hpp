#pragma once

#include "kernels/own/device.hpp"

namespace rackwright::kernels::own {

inline constexpr int kPeerRanks = 8;  ///< of one node whose memory each can map
inline constexpr int kPeerThreads = 256;
/// All are on the GPU at once, as each waits for those of its number on the other ranks.
inline constexpr int kPeerBlocks = 64;
/// Flags of the two meetings of a call, by block and sender.
inline constexpr int kPeerFlags = 2 * kPeerBlocks * kPeerRanks;

/// All-reduce of ranks that read each other's memory (vLLM csrc/custom_all_reduce.cuh), in bf16 or
/// float. All get the same bits: a value is added in the order of ranks.
template <class T>
struct PeerReduceArgs {
  View<const T> input[kPeerRanks];        ///< of each rank, peer memory but the own; whole words
  View<T> sums[kPeerRanks];               ///< two-shot: where each rank puts its part
  View<std::uint32_t> flags[kPeerRanks];  ///< kPeerFlags of each rank, 0 at first
  View<std::uint32_t> calls;              ///< of this rank, kPeerBlocks: calls so far, 0 at first
  View<int> leave;                        ///< the host's: not 0 to end without the others
  View<T> output;
  int ranks = 0, rank = 0;
  int values = 0;
  int two_shot = 0;
};

template <class T>
inline constexpr int kPeerWord = 16 / static_cast<int>(sizeof(T));  ///< values of a thread

/// Words of 16 bytes that a rank adds up: all of them, or its part.
template <class T>
RW_BOTH int words_of(const PeerReduceArgs<T>& args) {
  const int words = ceil_div(args.values, kPeerWord<T>);
  return args.two_shot != 0 ? ceil_div(words, args.ranks) : words;
}

/// A thread for a word, several times where there are not blocks enough.
template <class T>
[[nodiscard]] inline Launch launch_of(const PeerReduceArgs<T>& args) {
  return {smaller(ceil_div(words_of(args), kPeerThreads), kPeerBlocks), 1, 1, kPeerThreads, 0};
}

RW_DEVICE void add_word(float (&sum)[8], const Word16& word) {
  RW_UNROLL
  for (int w = 0; w < 4; ++w) {
    sum[2 * w] += low_bf16(word.word[w]);
    sum[2 * w + 1] += high_bf16(word.word[w]);
  }
}
RW_DEVICE void add_word(float (&sum)[4], const Word16& word) {
  RW_UNROLL
  for (int w = 0; w < 4; ++w) sum[w] += float_of(word.word[w]);
}
RW_DEVICE Word16 word_of(const float (&sum)[8]) {
  Word16 out;
  RW_UNROLL
  for (int w = 0; w < 4; ++w) out.word[w] = pack_bf16(sum[2 * w], sum[2 * w + 1]);
  return out;
}
RW_DEVICE Word16 word_of(const float (&sum)[4]) {
  Word16 out;
  RW_UNROLL
  for (int w = 0; w < 4; ++w) out.word[w] = bits_of(sum[w]);
  return out;
}
/// Value `i` of a word.
template <class T>
RW_DEVICE T value_of(const Word16& word, int i);
template <>
RW_DEVICE Bf16 value_of(const Word16& word, int i) {
  return {static_cast<std::uint16_t>(word.word[i / 2] >> 16 * (i % 2))};
}
template <>
RW_DEVICE float value_of(const Word16& word, int i) {
  return float_of(word.word[i]);
}

/// Until this block of every rank has come here. What they wrote before is seen after.
template <class T, class Thread>
RW_DEVICE void meet_peers(Thread& t, const PeerReduceArgs<T>& args, int phase, std::uint32_t call) {
  constexpr unsigned kSpins = 256;  // between looks at the host's word, which is slow to read
  t.sync();
  if (t.warp() == 0) {
    const int slots = (phase * kPeerBlocks + t.block_x()) * kPeerRanks;
    const bool mine = t.lane() < args.ranks;
    if (mine) t.post(args.flags[t.lane()], slots + args.rank, call);
    t.sync_warp();
    for (unsigned spin = 1; mine; ++spin) {
      const std::uint32_t seen = t.look(args.flags[args.rank], slots + t.lane());
      if (static_cast<std::int32_t>(seen - call) >= 0) break;
      if (spin % kSpins == 0 && t.read_volatile(args.leave, 0) != 0) break;
    }
  }
  t.sync();
}

/// Word `word` summed over all ranks.
template <class T, class Thread>
RW_DEVICE Word16 sum_of_ranks(Thread& t, const PeerReduceArgs<T>& args, int word) {
  Word16 words[kPeerRanks];
  RW_UNROLL
  for (int peer = 0; peer < kPeerRanks; ++peer) {  // all loads before the first sum
    if (peer < args.ranks) words[peer] = t.read16_volatile(args.input[peer], word * kPeerWord<T>);
  }
  float sum[kPeerWord<T>] = {};
  RW_UNROLL
  for (int peer = 0; peer < kPeerRanks; ++peer) {
    if (peer < args.ranks) add_word(sum, words[peer]);
  }
  return word_of(sum);
}

/// The last word may reach beyond the values.
template <class T, class Thread>
RW_DEVICE void put_word(Thread& t, const PeerReduceArgs<T>& args, int word, const Word16& sum) {
  const int first = word * kPeerWord<T>;
  if (first + kPeerWord<T> <= args.values) {
    t.write16(args.output, first, sum);
    return;
  }
  RW_UNROLL
  for (int i = 0; i < kPeerWord<T>; ++i) {
    if (first + i < args.values) t.write(args.output, first + i, value_of<T>(sum, i));
  }
}

/// One step: a rank reads the whole of every other, so its link carries (n - 1) S. All have read
/// before anyone goes on and may write its vector anew.
template <class T, class Thread>
RW_DEVICE void one_shot_all_reduce(Thread& t, const PeerReduceArgs<T>& args) noexcept {
  const std::uint32_t call = t.read(args.calls, t.block_x()) + 1;
  const int words = words_of(args);
  meet_peers(t, args, 0, call);
  RW_ROLLED
  for (int word = t.block_x() * kPeerThreads + t.thread(); word < words;
       word += t.blocks_x() * kPeerThreads) {
    put_word(t, args, word, sum_of_ranks(t, args, word));
  }
  meet_peers(t, args, 1, call);
  if (t.thread() == 0) t.write(args.calls, t.block_x(), call);
}

/// Two steps: a rank adds up its part and then reads the parts of the others, each in the block
/// that wrote it: 2 (n - 1) / n S. Nobody writes a part anew before all have begun the next call.
template <class T, class Thread>
RW_DEVICE void two_shot_all_reduce(Thread& t, const PeerReduceArgs<T>& args) noexcept {
  const std::uint32_t call = t.read(args.calls, t.block_x()) + 1;
  const int part = words_of(args);
  const int words = ceil_div(args.values, kPeerWord<T>);
  const int first = t.block_x() * kPeerThreads + t.thread();
  const int stride = t.blocks_x() * kPeerThreads;
  meet_peers(t, args, 0, call);
  RW_ROLLED
  for (int i = first; i < part; i += stride) {
    const int word = args.rank * part + i;
    if (word < words) {
      t.write16(args.sums[args.rank], i * kPeerWord<T>, sum_of_ranks(t, args, word));
    }
  }
  meet_peers(t, args, 1, call);
  RW_ROLLED
  for (int i = first; i < part; i += stride) {
    RW_UNROLL
    for (int peer = 0; peer < kPeerRanks; ++peer) {
      const int word = peer * part + i;
      if (peer < args.ranks && word < words) {
        put_word(t, args, word, t.read16_volatile(args.sums[peer], i * kPeerWord<T>));
      }
    }
  }
  if (t.thread() == 0) t.write(args.calls, t.block_x(), call);
}

template <class T, class Thread>
RW_DEVICE void peer_all_reduce(Thread& t, const PeerReduceArgs<T>& args) noexcept {
  if (args.two_shot != 0) {
    two_shot_all_reduce(t, args);
  } else {
    one_shot_all_reduce(t, args);
  }
}

}  // namespace rackwright::kernels::own
