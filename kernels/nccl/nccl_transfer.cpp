#include "kernels/nccl/nccl_transfer.hpp"

#include <algorithm>

namespace rackwright::kernels {

NcclBuffer::NcclBuffer(NcclComm& comm, std::size_t bytes, bool window)
    : comm_(comm), bytes_(std::max<std::size_t>(bytes, sizeof(float))) {
  comm.enqueue("allocate",
               [&](void*, char* text) { return comm_.calls().allocate(bytes_, &memory_, text); });
  if (!window) return;
  comm.enqueue("ncclCommWindowRegister", [&](void* handle, char* text) {
    return comm_.calls().open_window(handle, memory_, bytes_, &window_, text);
  });
}

NcclBuffer::~NcclBuffer() {
  char text[RACKWRIGHT_NCCL_TEXT] = "";
  if (window_ != nullptr && !comm_.aborted()) {
    comm_.calls().close_window(comm_.handle(), window_, text);
  }
  if (memory_ != nullptr) comm_.calls().release(memory_, text);
}

int exchange(const RackwrightNccl& calls, void* comm, RackwrightNcclCall call,
             const std::vector<NcclPiece>& pieces, char* message) {
  const std::size_t width = call.type == RACKWRIGHT_NCCL_BF16 ? 2 : sizeof(float);
  int code = calls.group(1, message);
  const auto put = [&](int peer, std::size_t count, auto function) {
    if (count == 0) return;
    call.peer = peer;
    call.count = count;
    const int next = function(comm, &call, message);
    code = code == 0 ? next : code;
  };
  for (const NcclPiece& piece : pieces) {
    put(piece.to, piece.sent, calls.send);
    put(piece.from, piece.taken, calls.receive);
    call.out = static_cast<const std::byte*>(call.out) + piece.sent * width;
    call.in = static_cast<std::byte*>(call.in) + piece.taken * width;
  }
  const int ended = calls.group(0, message);
  return code == 0 ? ended : code;
}

}  // namespace rackwright::kernels
