#pragma once

#include <cstddef>
#include <vector>

#include "kernels/cuda/cuda_calls.hpp"

namespace rackwright::kernels::cuda {

/// Memory that an operator reads or writes.
struct Placed {
  int role = 0;
  void* place = nullptr;
  std::size_t bytes = 0;
};

/// Device memory of a step: one block of random bf16 that reads and writes walk through, so that
/// repeats of an operator do not find their data in the L2, and small tables of their own. Every
/// byte of the block is also a finite E4M3.
class StepMemory {
 public:
  /// Throws CudaError. `largest` bytes are what one operator touches at most.
  StepMemory(CudaCalls& calls, int device, std::size_t largest);
  ~StepMemory();
  StepMemory(const StepMemory&) = delete;
  StepMemory& operator=(const StepMemory&) = delete;

  /// The next `bytes` of the block, 256-byte aligned; from its beginning where they do not fit.
  /// `role` is what an operator reads or writes there (RACKWRIGHT_CUDA_LEFT …; 0: nobody asks).
  void* next(std::size_t bytes, int role = 0);
  /// Random data of `seed` in the whole block; what is placed from now on, from its beginning, is
  /// kept.
  void begin_trial(unsigned seed);
  /// What has been placed since, in order.
  [[nodiscard]] std::vector<Placed> end_trial();
  void* own(std::size_t bytes);
  /// Memory of its own that holds these.
  const int* table(const std::vector<int>& values);
  float* table(const std::vector<float>& values);
  void* table(const std::vector<unsigned char>& values);

 private:
  void fill(unsigned seed);
  void* copy(const void* values, std::size_t bytes);

  CudaCalls& calls_;
  std::vector<void*> blocks_;
  std::size_t bytes_ = 0;
  std::size_t used_ = 0;
  int blocks_of_fill_ = 1;
  bool keeps_ = false;
  std::vector<Placed> placed_;
};

}  // namespace rackwright::kernels::cuda
