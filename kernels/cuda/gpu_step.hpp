#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "kernels/cuda/cuda_calls.hpp"

namespace rackwright::kernels::cuda {

/// The operators of a step as work for streams.
class StepWork {
 public:
  virtual ~StepWork() = default;
  [[nodiscard]] virtual int count() const = 0;
  /// Lane 0 is compute. Each lane has a stream; an operator waits for the one before it, whichever
  /// lane that is on.
  [[nodiscard]] virtual int lane(int i) const = 0;
  /// Puts all repeats of operator i into a stream; a CUDA error code.
  virtual int enqueue(int i, void* stream) = 0;
  /// Whether it waits for other ranks: the host then polls and looks instead of waiting blindly.
  [[nodiscard]] virtual bool among_ranks() const { return false; }
  /// Not 0 when the ranks have failed.
  virtual int look(double /*waited_s*/) { return 0; }
};

/// Times of one run, seconds.
struct StepTimes {
  double total = 0;               ///< first operator's start to last one's end, on the device
  std::vector<double> operators;  ///< each alone, all its repeats
  bool launch_included = false;   ///< some of it waited for its launch
};

/// Operator i begins (true) or has ended (false) on the device.
using StepObserver = std::function<void(int i, bool begin)>;

/// A step ready to run: one graph over a stream a lane, and the same work operator by operator.
/// A step among ranks is never waited for without looking at them.
/// Throws CudaError, freeing what it holds.
class GpuStep {
 public:
  GpuStep(CudaCalls& calls, std::unique_ptr<StepWork> work);
  ~GpuStep();
  GpuStep(const GpuStep&) = delete;
  GpuStep& operator=(const GpuStep&) = delete;

  /// One graph launch; `operators` of the times stays empty. Here and below the stream is held
  /// until all is queued, so that a launch is in no time.
  StepTimes run_whole();
  /// The same work on the same lanes, launched kernel by kernel and not held: what the graph saves.
  StepTimes run_eager();
  /// Operator after operator in one stream, which is drained around each.
  StepTimes run_by_operator(const StepObserver& observer);

 private:
  struct Resources;
  void run_lanes();
  void drain(void* stream, const std::string& what);
  /// Seconds on the device; says in `times` where launches are among them.
  double timed(const std::string& what, bool hold, const std::function<void()>& work,
               StepTimes& times);
  void load();
  void capture();

  CudaCalls& calls_;
  std::unique_ptr<StepWork> work_;
  std::unique_ptr<Resources> held_;
};

}  // namespace rackwright::kernels::cuda
