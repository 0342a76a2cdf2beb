#pragma once

#include "kernels/nccl/nccl_abi.h"
#include "kernels/own/peer_all_reduce.hpp"

/// The kernel's arguments for a call: each block holds its rank's flags, then its counts, from
/// RACKWRIGHT_PEER_VALUES on its values, from RACKWRIGHT_PEER_SUMS on the sums of its part.
template <class T>
rackwright::kernels::own::PeerReduceArgs<T> peer_args(const RackwrightPeerCall& call) {
  namespace own = rackwright::kernels::own;
  static_assert((own::kPeerFlags + own::kPeerBlocks) * sizeof(std::uint32_t) <=
                RACKWRIGHT_PEER_VALUES);
  static_assert(own::kPeerRanks == RACKWRIGHT_PEER_RANKS);
  own::PeerReduceArgs<T> args;
  for (int rank = 0; rank < call.ranks; ++rank) {
    auto* block = static_cast<char*>(call.blocks[rank]);
    args.flags[rank] = {reinterpret_cast<std::uint32_t*>(block), own::kPeerFlags};
    args.input[rank] = {reinterpret_cast<const T*>(block + RACKWRIGHT_PEER_VALUES),
                        RACKWRIGHT_PEER_BYTES / static_cast<int>(sizeof(T))};
    args.sums[rank] = {reinterpret_cast<T*>(block + RACKWRIGHT_PEER_SUMS),
                       RACKWRIGHT_PEER_BYTES / 2 / static_cast<int>(sizeof(T))};
    if (rank == call.rank) {
      args.calls = {args.flags[rank].data + own::kPeerFlags, own::kPeerBlocks};
    }
  }
  args.leave = {call.leave, 1};
  args.output = {static_cast<T*>(call.in), static_cast<std::int64_t>(call.count)};
  args.ranks = call.ranks;
  args.rank = call.rank;
  args.values = static_cast<int>(call.count);
  args.two_shot = call.two_shot;
  return args;
}
