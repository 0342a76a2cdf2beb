#include "kernels/cuda/gpu_step.hpp"

#include <algorithm>
#include <string>
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
  std::vector<void*> events;   ///< start, stop, then one a lane, then one before each operator + 1
  void* graph = nullptr;
};

GpuStep::GpuStep(CudaCalls& calls, std::unique_ptr<StepWork> work)
    : calls_(calls), work_(std::move(work)), held_(std::make_unique<Resources>(calls)) {
  int lanes = 1;
  for (int i = 0; i < work_->count(); ++i) lanes = std::max(lanes, work_->lane(i) + 1);
  for (int lane = 0; lane < lanes; ++lane) held_->stream();
  for (int event = 0; event < 2 + lanes + work_->count() + 1; ++event) held_->event();
  if (work_->count() == 0) return;
  (void)run_by_operator({});  // loads every kernel: a capture may not
  capture();
}

GpuStep::~GpuStep() = default;

/// Lanes fork from the first and join it again.
void GpuStep::run_lanes() {
  void* main = held_->streams[0];
  const std::size_t lanes = held_->streams.size();
  check(calls_, calls_.record(held_->events[2], main), "cudaEventRecord");
  for (std::size_t lane = 1; lane < lanes; ++lane) {
    check(calls_, calls_.wait(held_->streams[lane], held_->events[2]), "cudaStreamWaitEvent");
  }
  for (int i = 0; i < work_->count(); ++i) {
    check(calls_, work_->enqueue(i, held_->streams[static_cast<std::size_t>(work_->lane(i))]),
          "operator " + std::to_string(i));
  }
  for (std::size_t lane = 1; lane < lanes; ++lane) {
    check(calls_, calls_.record(held_->events[2 + lane], held_->streams[lane]), "cudaEventRecord");
    check(calls_, calls_.wait(main, held_->events[2 + lane]), "cudaStreamWaitEvent");
  }
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
  return timed([this] {
    check(calls_, calls_.launch_graph(held_->graph, held_->streams[0]), "cudaGraphLaunch");
  });
}

StepTimes GpuStep::run_eager() {
  return timed([this] { run_lanes(); });
}

/// From the first lane's start to its end.
StepTimes GpuStep::timed(const std::function<void()>& work) {
  StepTimes times;
  if (work_->count() == 0) return times;
  void* main = held_->streams[0];
  check(calls_, calls_.record(held_->events[0], main), "cudaEventRecord");
  work();
  check(calls_, calls_.record(held_->events[1], main), "cudaEventRecord");
  check(calls_, calls_.synchronise(main), "cudaStreamSynchronize");
  float milliseconds = 0;
  check(calls_, calls_.elapsed_ms(&milliseconds, held_->events[0], held_->events[1]),
        "cudaEventElapsedTime");
  times.total = static_cast<double>(milliseconds) * 1e-3;
  return times;
}

StepTimes GpuStep::run_by_operator(const StepObserver& observer) {
  StepTimes times;
  if (work_->count() == 0) return times;
  void* main = held_->streams[0];
  void** before = held_->events.data() + 2 + held_->streams.size();
  for (int i = 0; i < work_->count(); ++i) {
    if (observer) observer(i, true);
    check(calls_, calls_.record(before[i], main), "cudaEventRecord");
    check(calls_, work_->enqueue(i, main), "operator " + std::to_string(i));
    check(calls_, calls_.record(before[i + 1], main), "cudaEventRecord");
    if (!observer) continue;
    check(calls_, calls_.synchronise(main), "operator " + std::to_string(i));
    float milliseconds = 0;
    check(calls_, calls_.elapsed_ms(&milliseconds, before[i], before[i + 1]),
          "cudaEventElapsedTime");
    times.operators.push_back(static_cast<double>(milliseconds) * 1e-3);
    times.total += times.operators.back();
    observer(i, false);
  }
  check(calls_, calls_.synchronise(main), "cudaStreamSynchronize");
  if (observer) return times;
  for (int i = 0; i < work_->count(); ++i) {
    float milliseconds = 0;
    check(calls_, calls_.elapsed_ms(&milliseconds, before[i], before[i + 1]),
          "cudaEventElapsedTime");
    times.operators.push_back(static_cast<double>(milliseconds) * 1e-3);
    times.total += times.operators.back();
  }
  return times;
}

}  // namespace rackwright::kernels::cuda
