#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <vector>

#include "kernels/backend.hpp"
#include "profiler/kernel_tracer.hpp"
#include "profiler/recording.hpp"

namespace rackwright::profiler {

/// The first steps of a replay, kept to be run once more at its end: untraced, with every kernel
/// traced, with whole graphs traced, and with counters sampled, each in a window of its own.
class TracedSteps {
 public:
  static constexpr std::size_t kMost = 16;

  /// Takes hold of CUPTI; to be made before any CUDA context. `metric_plans`:
  /// `profiler/cupti/metric_plans.json`.
  TracedSteps(const std::filesystem::path& module, const std::filesystem::path& metric_plans);
  ~TracedSteps();
  TracedSteps(const TracedSteps&) = delete;
  TracedSteps& operator=(const TracedSteps&) = delete;

  /// "kernels and graphs of the first steps …", or why there will be none.
  [[nodiscard]] const std::string& status() const { return status_; }
  void keep(const workloads::OperatorGraph& step, const kernels::RankContext& rank);
  /// The backend to run them on, which runs each anew on GPU `device` of CUDA's.
  void use(kernels::Backend& backend, int device);
  /// Runs the windows and adds what they saw, times from `start_ns` (CLOCK_REALTIME). A collector
  /// that fails is a note. Steps with collectives between ranks run as often on every rank,
  /// whatever fails on one: the others wait for it in theirs.
  void run(std::int64_t start_ns, const GpuNumber& gpu, Recording& recording);

 private:
  struct Repetition;
  Repetition repeat(kernels::ReplayMode mode, KernelTracer* tracer);
  void untraced(Recording& recording);
  /// A window cannot be opened: its repetition runs all the same where other ranks wait for it.
  void give_up(const std::string& reason, kernels::ReplayMode mode, Recording& recording);
  void trace_kernels(const GpuNumber& gpu, Recording& recording);
  void trace_graphs(const GpuNumber& gpu, Recording& recording);
  void sample_counters(const GpuNumber& gpu, Recording& recording);
  void add_window(const char* name, std::int64_t begin_ns, bool disturbed, Recording& recording);

  CuptiModule module_;
  std::unique_ptr<KernelTracer> tracer_;
  std::filesystem::path metric_plans_;
  std::string status_;
  kernels::Backend* backend_ = nullptr;
  int device_ = 0;
  bool with_others_ = false;  ///< a step has collectives between ranks
  kernels::RankContext rank_;
  std::vector<workloads::OperatorGraph> graphs_;
  std::int64_t start_ns_ = 0;
  double by_operator_s_ = 0, whole_s_ = 0;  ///< untraced
};

}  // namespace rackwright::profiler
