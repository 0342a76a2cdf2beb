#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "kernels/cuda/cuda_calls.hpp"

namespace rackwright::kernels::cuda {

/// Copies between GPUs; codes are CUDA's. The runtime in the module, a stand-in in the tests.
class PeerCalls {
 public:
  virtual ~PeerCalls() = default;
  virtual int can_access(int device, int peer, bool& can) = 0;
  /// Lets kernels and copies of `device` reach the memory of `peer`.
  virtual int enable(int device, int peer) = 0;
  virtual int allocate(int device, std::size_t bytes, void** memory) = 0;
  virtual void release(int device, void* memory) = 0;
  virtual int copy(void* to, int to_device, const void* from, int from_device, std::size_t bytes,
                   void* stream) = 0;
  /// One call for all; 801 where the toolkit of this build or the driver has none.
  virtual int copy_batch(const std::vector<void*>& to, const std::vector<const void*>& from,
                         std::size_t bytes_each, void* stream) = 0;
};

/// A KV cache of `pages` pages on its way from one GPU to another, seconds.
struct PeerCopy {
  bool peer_access = false;  ///< off: the driver stages the copy through the host
  double whole_s = 0;        ///< one copy of all bytes
  double pages_s = 0;        ///< a copy a page, pages in shuffled order
  double batch_s = 0;        ///< the same pages by one cudaMemcpyBatchAsync; 0: not to be had
  std::string path;          ///< "peer access on", and what could not be measured and why
};

/// Medians of three after one to warm up, timed by events of device `from`, which must be current.
/// Throws CudaError.
[[nodiscard]] PeerCopy copy_between(CudaCalls& calls, PeerCalls& peers, int from, int to,
                                    std::size_t page_bytes, int pages);

}  // namespace rackwright::kernels::cuda
