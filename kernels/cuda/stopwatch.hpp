#pragma once

#include <array>

#include "kernels/cuda/algorithm_choice.hpp"

namespace rackwright::kernels::cuda {

/// Two events of a stream and the time between them. Throws CudaError where there are no events.
class Stopwatch {
 public:
  explicit Stopwatch(CudaCalls& calls, void* stream = nullptr);
  ~Stopwatch();
  Stopwatch(const Stopwatch&) = delete;
  Stopwatch& operator=(const Stopwatch&) = delete;

  /// Runs and waits; a CUDA error code.
  int time(const Launcher& run, float& milliseconds);
  /// The median of three after one to warm up; the code of the first that fails.
  int median(const Launcher& run, float& milliseconds);

 private:
  CudaCalls& calls_;
  void* stream_;
  void* start_ = nullptr;
  void* stop_ = nullptr;
};

}  // namespace rackwright::kernels::cuda
