// A stand-in for the module rackwright_cupti, opened as the real one is. At the end of the window
// it plays two kernels of the first operator, one of the second, a copy and a power reading.
#include <cstdint>
#include <cstdlib>

#include "profiler/cupti/cupti_abi.h"

namespace {

RackwrightCuptiSink to;

void kernel(const char* name, std::uint64_t start, std::uint64_t end, std::uint32_t correlation) {
  constexpr std::uint64_t kStartNs = 1'000'000'000;
  const RackwrightCuptiActivity activity{
      kStartNs + start, kStartNs + end, 0, 0, 7, correlation, 0, name};
  to.activity(to.context, &activity);
}

}  // namespace

extern "C" {

int rackwright_cupti_abi(void) {
  const char* abi = std::getenv("RW_CUPTI_ABI");
  return abi == nullptr ? RACKWRIGHT_CUPTI_ABI : std::atoi(abi);
}
void* rackwright_cupti_open(const RackwrightCuptiSink* sink, char*) {
  to = *sink;
  return &to;
}
int rackwright_cupti_start(void*, char*) {
  return 0;
}
void rackwright_cupti_begin(void*, std::uint64_t, const char*) {}
void rackwright_cupti_end(void*) {}
void rackwright_cupti_stop(void*, RackwrightCuptiCounts* counts) {
  to.correlation(to.context, 100, 0);
  to.correlation(to.context, 101, 0);
  to.correlation(to.context, 102, 1);
  kernel("gemm", 1000, 3000, 100);
  kernel("split_k_reduce", 4000, 6000, 101);
  kernel("ncclDevKernel_AllReduce", 7000, 9000, 102);
  const RackwrightCuptiActivity copy{1'000'010'000,        1'000'011'000, 4096, 0, 7, 103, 1,
                                     "copy host to device"};
  to.activity(to.context, &copy);
  const RackwrightCuptiReading reading{1'000'005'000, 0, 0, 650.0};
  to.reading(to.context, &reading);
  *counts = {3, 1, 0, 0, 0, 1, 0, 0, 0};
}
void rackwright_cupti_close(void*) {}

}  // extern "C"
