#include "kernels/cuda/launch_probe.hpp"

#include <algorithm>
#include <array>

#include "kernels/cuda/stopwatch.hpp"

namespace rackwright::kernels::cuda {

namespace {

constexpr std::size_t kRuns = 5;

struct StreamAndGraph {
  explicit StreamAndGraph(CudaCalls& of) : calls(of) {
    check(calls, calls.create_stream(&stream), "cudaStreamCreateWithFlags");
  }
  ~StreamAndGraph() {
    if (graph != nullptr) (void)calls.destroy_graph(graph);
    (void)calls.destroy_stream(stream);
  }
  StreamAndGraph(const StreamAndGraph&) = delete;
  StreamAndGraph& operator=(const StreamAndGraph&) = delete;

  CudaCalls& calls;
  void* stream = nullptr;
  void* graph = nullptr;
};

/// Medians of the host's and the device's seconds.
void measure(CudaCalls& calls, Stopwatch& watch, const Launcher& launch,
             const std::function<double()>& now, double& host_s, double& device_s) {
  std::array<double, kRuns> host{}, device{};
  double launching = 0;
  const Launcher timed = [&](void* stream) {
    const double begin = now();
    const int code = launch(stream);
    launching = now() - begin;
    return code;
  };
  for (std::size_t run = 0; run <= kRuns; ++run) {
    float milliseconds = 0;
    check(calls, watch.time(timed, milliseconds), "launch probe");
    if (run == 0) continue;
    host[run - 1] = launching;
    device[run - 1] = static_cast<double>(milliseconds) * 1e-3;
  }
  std::sort(host.begin(), host.end());
  std::sort(device.begin(), device.end());
  host_s = host[kRuns / 2];
  device_s = device[kRuns / 2];
}

}  // namespace

LaunchTimes launch_overhead(CudaCalls& calls, const Launcher& kernel, int kernels,
                            const std::function<double()>& now) {
  StreamAndGraph held(calls);
  Stopwatch watch(calls, held.stream);
  const Launcher one_by_one = [&](void* stream) {
    for (int i = 0; i < kernels; ++i) {
      if (const int code = kernel(stream); code != 0) return code;
    }
    return 0;
  };
  LaunchTimes out;
  measure(calls, watch, one_by_one, now, out.stream_host_s, out.stream_device_s);
  check(calls, calls.begin_capture(held.stream), "cudaStreamBeginCapture");
  const int code = one_by_one(held.stream);
  const int ended = calls.end_capture(held.stream, &held.graph);
  check(calls, code, "launch probe in capture");
  check(calls, ended, "cudaGraphInstantiate");
  measure(
      calls, watch, [&](void* stream) { return calls.launch_graph(held.graph, stream); }, now,
      out.graph_host_s, out.graph_device_s);
  return out;
}

}  // namespace rackwright::kernels::cuda
