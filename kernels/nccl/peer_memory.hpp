#pragma once

#include <array>
#include <memory>
#include <string>
#include <vector>

#include "kernels/nccl/nccl_comm.hpp"

namespace rackwright::kernels {

/// A block of this rank and those of its peers on the node, for the own all-reduce of engines: a
/// kernel that waits for its peers on the GPU, so an abort of `comm` lets it go. The blocks stay
/// for the life of the process, as peers may still have them. Keeps references.
class PeerMemory {
 public:
  ~PeerMemory();
  PeerMemory(const PeerMemory&) = delete;
  PeerMemory& operator=(const PeerMemory&) = delete;

  /// RACKWRIGHT_PEER_BYTES that the peers read.
  [[nodiscard]] std::byte* values() const;
  /// Puts one execution into `stream` (0: the module's own), which may be capturing. `out` is
  /// copied to `values` first; 0: it lies there. One-shot while engines send so, else two-shot;
  /// sums in the order of ranks, the same bits on all.
  void all_reduce(const void* out, void* in, std::size_t count, int type, void* stream) const;

 private:
  friend struct SharedPeers;
  explicit PeerMemory(NcclComm& comm) : comm_(comm) {}
  int share(std::array<char, RACKWRIGHT_PEER_HANDLE>& handle, char* message);
  int map(const std::vector<std::array<char, RACKWRIGHT_PEER_HANDLE>>& handles, char* message);

  NcclComm& comm_;
  RackwrightPeerCall call_{};
};

/// What came of sharing: the memory, or why a rank has none, the same on all.
struct SharedPeers {
  std::unique_ptr<PeerMemory> memory;
  std::string why_not;

  /// A call of all ranks of `comm`, which are `ranks`: CUDA IPC between GPUs that reach each other
  /// on one host, 2 to 8 of them.
  [[nodiscard]] static SharedPeers among(NcclComm& comm, launch::Communicator& ranks);
};

}  // namespace rackwright::kernels
