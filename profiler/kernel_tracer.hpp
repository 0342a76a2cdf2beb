#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>

#include "kernels/backend.hpp"
#include "profiler/cupti_loader.hpp"
#include "profiler/recording.hpp"

namespace rackwright::profiler {

/// From the call that ran a step to its return, CLOCK_REALTIME, ns.
struct StepSpan {
  std::int64_t begin_ns = 0, end_ns = 0;
};

/// Index of a GPU in the run file by CUDA's index of it.
using GpuNumber = std::function<int(std::uint32_t)>;

/// Kernels, copies and links as CUPTI sees them, through the module `rackwright_cupti`, which holds
/// CUPTI from construction to the end of this. First a window of kernels, in which each operator is
/// a range and kernels inside libraries map back to it by their external correlation, those that
/// another thread launched (NCCL's may) by time, as the host waits for each operator; then one of
/// whole graph launches, which map to their steps by time: CUDA 13.0 mixes up their correlation in
/// every window after the first.
class KernelTracer final : public kernels::OperatorObserver {
 public:
  /// To be made before any CUDA context. Null with the reason: no driver, or the tool that holds
  /// CUPTI.
  [[nodiscard]] static std::unique_ptr<KernelTracer> open(const CuptiModule& module,
                                                          std::string& reason);
  ~KernelTracer() override;
  KernelTracer(const KernelTracer&) = delete;
  KernelTracer& operator=(const KernelTracer&) = delete;

  /// Starts the window of kernels; "" or why it failed. Steps are prepared after it, so that graphs
  /// are captured while CUPTI watches.
  [[nodiscard]] std::string start();
  /// The step whose operators follow.
  void step(const workloads::OperatorGraph& graph);
  void begin(OperatorId id) override;
  void end(OperatorId id) override;
  /// Ends the window when the GPU is idle and adds to `recording` what was seen, times from
  /// `start_ns` (CLOCK_REALTIME). Dropped, untimed and cut records make it incomplete.
  void finish(std::int64_t start_ns, const GpuNumber& gpu, Recording& recording);

  [[nodiscard]] std::string start_graphs();
  /// As `finish`; a launch belongs to the step in whose span its middle lies.
  void finish_graphs(std::int64_t start_ns, const GpuNumber& gpu, std::span<const StepSpan> steps,
                     Recording& recording);

 private:
  struct Impl;
  explicit KernelTracer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace rackwright::profiler
