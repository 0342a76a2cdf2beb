// A stand-in for the module rackwright_cupti, opened as the real one is. A window of kernels plays
// at its end two kernels of the first operator, one of the second, a copy and a power reading; one
// of graphs a launch a step; counters two samples of 100 us.
//
//   RW_CUPTI_ABI       its interface
//   RW_CUPTI_DROPPED   records that it loses in the window of kernels (0)
//   RW_CUPTI_CHIP      "GH100"; empty: the counters may not be read
//   RW_CUPTI_OVERFLOW  the counters' buffer runs over
//   RW_CUPTI_THREAD    one more kernel, of another thread, 100 us from the last operator's begin
//   RW_CUPTI_NOT_ON    rank without CUPTI, where several are started by RACKWRIGHT_RANK
//
// While a window is open it sets RW_CUPTI_WINDOW for other stand-ins of the process.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <string_view>
#include <vector>

#include "profiler/cupti/cupti_abi.h"

namespace {

RackwrightCuptiSink to;
RackwrightCuptiCounterPlan plan;
bool graph_window;
std::uint64_t window_begin_ns, operator_begin_ns;

std::uint64_t now_ns() {
  timespec time{};
  ::clock_gettime(CLOCK_REALTIME, &time);
  return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000'000 +
         static_cast<std::uint64_t>(time.tv_nsec);
}
const char* setting(const char* name, const char* otherwise) {
  const char* value = std::getenv(name);
  return value == nullptr ? otherwise : value;
}
void kernel(const char* name, std::uint64_t start, std::uint64_t end, std::uint32_t correlation) {
  constexpr std::uint64_t kStartNs = 1'000'000'000;
  const RackwrightCuptiActivity activity{kStartNs + start, kStartNs + end,          0,   0, 7,
                                         correlation,      RACKWRIGHT_CUPTI_KERNEL, name};
  to.activity(to.context, &activity);
}
void sample(std::uint64_t start_ns, double value) {
  const std::vector<double> values(plan.count, value);
  const RackwrightCuptiSample one{start_ns, start_ns + 100'000, values.data()};
  plan.sample(plan.context, &one);
}

}  // namespace

extern "C" {

int rackwright_cupti_abi(void) {
  const char* abi = std::getenv("RW_CUPTI_ABI");
  return abi == nullptr ? RACKWRIGHT_CUPTI_ABI : std::atoi(abi);
}
void* rackwright_cupti_open(const RackwrightCuptiSink* sink, char* text) {
  if (std::string_view(setting("RW_CUPTI_NOT_ON", "none")) == setting("RACKWRIGHT_RANK", "0")) {
    std::snprintf(text, RACKWRIGHT_CUPTI_TEXT, "another tool holds CUPTI");
    return nullptr;
  }
  to = *sink;
  return &to;
}
int rackwright_cupti_start(void*, int graphs, char*) {
  graph_window = graphs != 0;
  window_begin_ns = now_ns();
  ::setenv("RW_CUPTI_WINDOW", "1", 1);
  return 0;
}
void rackwright_cupti_begin(void*, std::uint64_t, const char*) {
  operator_begin_ns = now_ns();
}
void rackwright_cupti_end(void*) {}
void rackwright_cupti_stop(void*, RackwrightCuptiCounts* counts) {
  *counts = {};
  ::unsetenv("RW_CUPTI_WINDOW");
  if (graph_window) {
    const RackwrightCuptiActivity launch{window_begin_ns - 2000,
                                         window_begin_ns - 1000,
                                         0,
                                         0,
                                         7,
                                         1,
                                         RACKWRIGHT_CUPTI_GRAPH,
                                         "graph 4"};
    to.activity(to.context, &launch);
    counts->graphs = 1;
    return;
  }
  to.correlation(to.context, 100, 0);
  to.correlation(to.context, 101, 0);
  to.correlation(to.context, 102, 1);
  kernel("gemm", 1000, 3000, 100);
  kernel("split_k_reduce", 4000, 6000, 101);
  kernel("ncclDevKernel_AllReduce", 7000, 9000, 102);
  if (std::getenv("RW_CUPTI_THREAD") != nullptr) {
    const RackwrightCuptiActivity other{
        operator_begin_ns,       operator_begin_ns + 100'000, 0, 0, 7, 999,
        RACKWRIGHT_CUPTI_KERNEL, "ncclDevKernel_SendRecv"};
    to.activity(to.context, &other);
  }
  const RackwrightCuptiActivity copy{1'000'010'000,         1'000'011'000,        4096, 0, 7, 103,
                                     RACKWRIGHT_CUPTI_COPY, "copy host to device"};
  to.activity(to.context, &copy);
  const RackwrightCuptiReading reading{1'000'005'000, 0, 0, 650.0};
  to.reading(to.context, &reading);
  counts->kernels = 3;
  counts->copies = 1;
  counts->dropped = static_cast<std::uint64_t>(std::atoi(setting("RW_CUPTI_DROPPED", "0")));
}
void rackwright_cupti_close(void*) {}

int rackwright_cupti_chip(std::uint32_t, char* chip, char* text) {
  std::snprintf(chip, RACKWRIGHT_CUPTI_TEXT, "%s", setting("RW_CUPTI_CHIP", "GH100"));
  std::snprintf(text, RACKWRIGHT_CUPTI_TEXT, "this user may not read counters");
  return *chip == '\0' ? 1 : 0;
}
void* rackwright_cupti_counters_open(const RackwrightCuptiCounterPlan* asked, char*) {
  plan = *asked;
  return &plan;
}
int rackwright_cupti_counters_start(void*, char*) {
  window_begin_ns = now_ns();
  return 0;
}
int rackwright_cupti_counters_stop(void*, int* overflow, char*) {
  sample(window_begin_ns, 50);
  sample(window_begin_ns + 100'000, 100);
  *overflow = std::getenv("RW_CUPTI_OVERFLOW") == nullptr ? 0 : 1;
  return 0;
}
void rackwright_cupti_counters_close(void*) {}

}  // extern "C"
