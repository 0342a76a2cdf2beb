#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "profiler/cupti/metric_plan.hpp"
#include "profiler/cupti_loader.hpp"
#include "profiler/recording.hpp"

namespace rackwright::profiler {

/// What a sampled counter is in the run file: a rate where the sample counts bytes.
struct CounterValue {
  std::string name;  ///< "cupti_dram_read_rate"
  std::string unit;  ///< "B/s"
  double scale = 1;  ///< of a sample that lasts `seconds`
};
[[nodiscard]] CounterValue counter_value(const cupti::PlannedMetric& metric, double seconds);

/// Shift from the GPU's clock, which the samples carry, to CLOCK_REALTIME, ns. The first sample
/// starts while sampling is started, so half of what that call takes bounds the error. A first
/// sample within the call's own times needs no shift.
struct CounterClock {
  std::int64_t shift_ns = 0;
  std::int64_t bound_ns = 0;
};
[[nodiscard]] CounterClock counter_clock(std::uint64_t first_sample_ns, std::int64_t before_start,
                                         std::int64_t after_start);

/// Counters of one GPU over time by CUPTI's PM sampling: DRAM, NVLink, PCIe, tensor cores, in a
/// window of its own. Never run on a GPU.
class CounterSampler {
 public:
  /// Takes hold of the counters. Null with the reason: no right to them, the tool that holds them,
  /// or a chip without a plan.
  [[nodiscard]] static std::unique_ptr<CounterSampler> open(
      const CuptiModule& module, const std::vector<cupti::MetricPlan>& plans, int device,
      double period_s, std::string& reason);
  ~CounterSampler();
  CounterSampler(const CounterSampler&) = delete;
  CounterSampler& operator=(const CounterSampler&) = delete;

  /// "" or why it failed.
  [[nodiscard]] std::string start();
  /// Ends the window and adds rows of `counters` under GPU `gpu`, times from `start_ns`
  /// (CLOCK_REALTIME). Lost samples make the recording incomplete.
  void finish(std::int64_t start_ns, int gpu, Recording& recording);

 private:
  struct Impl;
  explicit CounterSampler(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace rackwright::profiler
