#pragma once

#include <cstddef>
#include <vector>

#include "kernels/nccl/nccl_comm.hpp"

namespace rackwright::kernels {

/// Device memory of one side, in a window when asked for. Keeps a reference.
class NcclBuffer {
 public:
  NcclBuffer(NcclComm& comm, std::size_t bytes, bool window);
  ~NcclBuffer();
  NcclBuffer(const NcclBuffer&) = delete;
  NcclBuffer& operator=(const NcclBuffer&) = delete;

  template <class T = std::byte>
  [[nodiscard]] T* at(std::size_t element = 0) const {
    return static_cast<T*>(memory_) + element;
  }
  [[nodiscard]] std::size_t bytes() const { return bytes_; }

 private:
  NcclComm& comm_;
  std::size_t bytes_;
  void* memory_ = nullptr;
  void* window_ = nullptr;
};

/// Elements to a peer and from one; 0: nothing, on both sides.
struct NcclPiece {
  int to = 0;
  std::size_t sent = 0;
  int from = 0;
  std::size_t taken = 0;
};
/// One group of sends and receives; the pieces follow each other in the buffers of `call`.
[[nodiscard]] int exchange(const RackwrightNccl& calls, void* comm, RackwrightNcclCall call,
                           const std::vector<NcclPiece>& pieces, char* message);

}  // namespace rackwright::kernels
