#include "kernels/cuda/stopwatch.hpp"

#include <algorithm>

namespace rackwright::kernels::cuda {

Stopwatch::Stopwatch(CudaCalls& calls, void* stream) : calls_(calls), stream_(stream) {
  check(calls_, calls_.create_event(&start_), "cudaEventCreate");
  if (const int code = calls_.create_event(&stop_); code != 0) {
    (void)calls_.destroy_event(start_);
    check(calls_, code, "cudaEventCreate");
  }
}
Stopwatch::~Stopwatch() {
  (void)calls_.destroy_event(start_);
  (void)calls_.destroy_event(stop_);
}

int Stopwatch::time(const Launcher& run, float& milliseconds) {
  int code = calls_.record(start_, stream_);
  if (code == 0) code = run(stream_);
  if (code == 0) code = calls_.record(stop_, stream_);
  if (code == 0) code = calls_.synchronise(stream_);
  return code == 0 ? calls_.elapsed_ms(&milliseconds, start_, stop_) : code;
}

int Stopwatch::median(const Launcher& run, float& milliseconds) {
  std::array<float, 3> times{};
  float warm_up = 0;
  int code = time(run, warm_up);
  for (float& one : times) {
    if (code == 0) code = time(run, one);
  }
  std::sort(times.begin(), times.end());
  milliseconds = times[1];
  return code;
}

}  // namespace rackwright::kernels::cuda
