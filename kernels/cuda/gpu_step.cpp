#include "kernels/cuda/gpu_step.hpp"

#include <algorithm>
#include <chrono>
#include <string>
#include <thread>
#include <utility>

namespace rackwright::kernels::cuda {

struct GpuStep::Resources {
  explicit Resources(CudaCalls& of) : calls(of) {}
  ~Resources() {
    if (graph != nullptr) (void)calls.destroy_graph(graph);
    for (void* event : events) (void)calls.destroy_event(event);
    for (void* stream : streams) (void)calls.destroy_stream(stream);
  }
  Resources(const Resources&) = delete;
  Resources& operator=(const Resources&) = delete;

  void* stream() {
    void* stream = nullptr;
    check(calls, calls.create_stream(&stream), "cudaStreamCreateWithFlags");
    streams.push_back(stream);
    return stream;
  }
  void* event() {
    void* event = nullptr;
    check(calls, calls.create_event(&event), "cudaEventCreate");
    events.push_back(event);
    return event;
  }

  CudaCalls& calls;
  std::vector<void*> streams;  ///< by lane
  std::vector<void*> events;   ///< start, stop, then one a lane
  void* graph = nullptr;
};

GpuStep::GpuStep(CudaCalls& calls, std::unique_ptr<StepWork> work)
    : calls_(calls), work_(std::move(work)), held_(std::make_unique<Resources>(calls)) {
  int lanes = 1;
  for (int i = 0; i < work_->count(); ++i) lanes = std::max(lanes, work_->lane(i) + 1);
  for (int lane = 0; lane < lanes; ++lane) held_->stream();
  for (int event = 0; event < 2 + lanes; ++event) held_->event();
  if (work_->count() == 0) return;
  load();
  capture();
}

GpuStep::~GpuStep() = default;

/// Runs every kernel once: loading one waits for the device, which neither a capture nor a held
/// stream may.
void GpuStep::load() {
  void* main = held_->streams[0];
  for (int i = 0; i < work_->count(); ++i) {
    const std::string what = "operator " + std::to_string(i);
    check(calls_, work_->enqueue(i, main), what);
    drain(main, what);
  }
  check(calls_, calls_.hold(main), "hold kernel");
  calls_.let_go();
  check(calls_, calls_.synchronise(main), "cudaStreamSynchronize");
}

/// Each operator of a graph depends on the one before it: where the lane changes, the new lane waits
/// for the old one. The first lane begins and ends.
void GpuStep::run_lanes() {
  int lane = 0;
  const auto go_to = [&](int next) {
    if (next == lane) return;
    const auto from = static_cast<std::size_t>(lane), to = static_cast<std::size_t>(next);
    check(calls_, calls_.record(held_->events[2 + from], held_->streams[from]), "cudaEventRecord");
    check(calls_, calls_.wait(held_->streams[to], held_->events[2 + from]), "cudaStreamWaitEvent");
    lane = next;
  };
  for (int i = 0; i < work_->count(); ++i) {
    go_to(work_->lane(i));
    check(calls_, work_->enqueue(i, held_->streams[static_cast<std::size_t>(lane)]),
          "operator " + std::to_string(i));
  }
  go_to(0);
}

void GpuStep::capture() {
  void* main = held_->streams[0];
  check(calls_, calls_.begin_capture(main), "cudaStreamBeginCapture");
  try {
    run_lanes();
  } catch (...) {
    (void)calls_.end_capture(main, &held_->graph);
    throw;
  }
  check(calls_, calls_.end_capture(main, &held_->graph), "cudaGraphInstantiate");
}

StepTimes GpuStep::run_whole() {
  StepTimes times;
  if (work_->count() == 0) return times;
  times.total = timed(
      "cudaGraphLaunch", true,
      [this] {
        check(calls_, calls_.launch_graph(held_->graph, held_->streams[0]), "cudaGraphLaunch");
      },
      times);
  return times;
}

StepTimes GpuStep::run_eager() {
  StepTimes times;
  if (work_->count() == 0) return times;
  times.total = timed(
      "step", false, [this] { run_lanes(); }, times);
  return times;
}

void GpuStep::drain(void* stream, const std::string& what) {
  if (!work_->among_ranks()) return check(calls_, calls_.synchronise(stream), what);
  using Clock = std::chrono::steady_clock;
  const auto start = Clock::now();
  for (;;) {
    const int code = calls_.query(stream);
    if (code != kNotReady) return check(calls_, code, what);
    if (work_->look(std::chrono::duration<double>(Clock::now() - start).count()) != 0) {
      throw CudaError(kUnknownError, false, what + ": a rank failed");
    }
    std::this_thread::yield();
  }
}

/// From the first lane's start to its end.
double GpuStep::timed(const std::string& what, bool hold, const std::function<void()>& work,
                      StepTimes& times) {
  void* main = held_->streams[0];
  if (hold) check(calls_, calls_.hold(main), "hold kernel");
  try {
    check(calls_, calls_.record(held_->events[0], main), "cudaEventRecord");
    work();
    check(calls_, calls_.record(held_->events[1], main), "cudaEventRecord");
  } catch (...) {
    if (hold) calls_.let_go();
    throw;
  }
  if (hold) calls_.let_go();
  drain(main, what);
  if (!hold || calls_.hold_timed_out()) times.launch_included = true;
  float milliseconds = 0;
  check(calls_, calls_.elapsed_ms(&milliseconds, held_->events[0], held_->events[1]),
        "cudaEventElapsedTime");
  return static_cast<double>(milliseconds) * 1e-3;
}

StepTimes GpuStep::run_by_operator(const StepObserver& observer) {
  StepTimes times;
  for (int i = 0; i < work_->count(); ++i) {
    const std::string what = "operator " + std::to_string(i);
    if (observer) observer(i, true);
    times.operators.push_back(timed(
        what, true, [&] { check(calls_, work_->enqueue(i, held_->streams[0]), what); }, times));
    times.total += times.operators.back();
    if (observer) observer(i, false);
  }
  return times;
}

}  // namespace rackwright::kernels::cuda
