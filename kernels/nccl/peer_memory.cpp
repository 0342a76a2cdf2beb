#include "kernels/nccl/peer_memory.hpp"

#include <algorithm>
#include <span>

#include <fmt/format.h>

#include "common/launch/launch.hpp"
#include "workloads/operator.hpp"

namespace rackwright::kernels {

namespace {

using Handle = std::array<char, RACKWRIGHT_PEER_HANDLE>;

/// The first rank with something to say, on every rank; "" when none has.
std::string first_of(launch::Communicator& ranks, const std::string& text) {
  const auto texts = ranks.gather_texts(text);
  for (std::size_t rank = 0; rank < texts.size(); ++rank) {
    if (!texts[rank].empty()) return fmt::format("rank {}: {}", rank, texts[rank]);
  }
  return "";
}

}  // namespace

PeerMemory::~PeerMemory() {
  comm_.before_abort({});
  if (comm_.aborted()) return;  // a kernel may still be on its way out
  char text[RACKWRIGHT_NCCL_TEXT] = "";
  for (int rank = 0; rank < call_.ranks; ++rank) {
    if (rank != call_.rank && call_.blocks[rank] != nullptr) {
      (void)comm_.calls().unmap(call_.blocks[rank], text);
    }
  }
}

std::byte* PeerMemory::values() const {
  return static_cast<std::byte*>(call_.blocks[call_.rank]) + RACKWRIGHT_PEER_VALUES;
}

void PeerMemory::all_reduce(const void* out, void* in, std::size_t count, int type,
                            void* stream) const {
  RackwrightPeerCall call = call_;
  call.out = out, call.in = in, call.count = count, call.type = type, call.stream = stream;
  const std::size_t width = type == RACKWRIGHT_NCCL_BF16 ? 2 : sizeof(float);
  const auto bytes = static_cast<double>(count * width);
  call.two_shot = workloads::engine_sends_one_shot(call.ranks, bytes) ? 0 : 1;
  comm_.enqueue("all_reduce",
                [&](void*, char* text) { return comm_.calls().peer_all_reduce(&call, text); });
}

int PeerMemory::share(Handle& handle, char* message) {
  call_.ranks = comm_.size();
  call_.rank = comm_.rank();
  return comm_.calls().share(&call_.blocks[call_.rank], handle.data(), &call_.leave, message);
}

int PeerMemory::map(const std::vector<Handle>& handles, char* message) {
  for (int rank = 0; rank < call_.ranks; ++rank) {
    if (rank == call_.rank) continue;
    const Handle& handle = handles[static_cast<std::size_t>(rank)];
    if (const int code = comm_.calls().map(handle.data(), &call_.blocks[rank], message))
      return code;
  }
  return 0;
}

SharedPeers SharedPeers::among(NcclComm& comm, launch::Communicator& ranks) {
  if (ranks.size() < 2 || ranks.size() > RACKWRIGHT_PEER_RANKS) {
    return {nullptr,
            fmt::format("it takes 2 to {} ranks, not {}", RACKWRIGHT_PEER_RANKS, ranks.size())};
  }
  const auto hosts = ranks.gather_texts(launch::host_name());
  if (std::ranges::any_of(hosts, [&](const auto& host) { return host != hosts[0]; })) {
    return {nullptr, "ranks on several hosts, and CUDA IPC is within one"};
  }
  SharedPeers peers{std::unique_ptr<PeerMemory>(new PeerMemory(comm)), ""};
  char message[RACKWRIGHT_NCCL_TEXT] = "";
  Handle own{};
  (void)peers.memory->share(own, message);
  peers.why_not = first_of(ranks, message);
  if (peers.why_not.empty()) {
    std::vector<Handle> handles(hosts.size());
    ranks.all_gather(std::as_bytes(std::span(own)), std::as_writable_bytes(std::span(handles)));
    (void)peers.memory->map(handles, message);
    peers.why_not = first_of(ranks, message);
  }
  if (!peers.why_not.empty()) {
    peers.memory.reset();
  } else {
    comm.before_abort(
        [leave = peers.memory->call_.leave] { *static_cast<volatile int*>(leave) = 1; });
  }
  return peers;
}

}  // namespace rackwright::kernels
