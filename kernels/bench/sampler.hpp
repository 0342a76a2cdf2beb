#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/progress.hpp"
#include "kernels/bench/bench_device.hpp"
#include "kernels/bench/sample_summary.hpp"
#include "kernels/bench/stopping.hpp"

namespace rackwright::kernels {

/// One operator to measure, under a name that says its shape: "qkv_proj/m:16/n:6144/k:4096".
struct BenchCase {
  std::string name;
  workloads::Operator op;
};

struct BenchOptions {
  SamplingLimits limits;
  double warm_up_s = 3;       ///< at most; ends when the time settles
  bool cold = true;           ///< buffers rotate through twice the last-level cache
  double power_window_s = 5;  ///< one operator in a loop; 0 = none. Counters lie over shorter ones
  std::uint64_t seed = 1;     ///< of data, order and interval
};

struct BenchResult {
  std::string name;
  workloads::OperatorWork work;  ///< of one execution, as this device runs it
  workloads::DataType math = workloads::DataType::bf16;
  std::string skipped;  ///< why it did not run; "" when it did
  std::string choice;   ///< library and algorithm taken; "" where there is one only
  int copies = 1;
  bool cold = false;  ///< the copies together are twice the cache
  double warm_up_s = 0;
  bool settled = false;         ///< at the end of the warm-up
  std::vector<Sample> samples;  ///< kept ones, in order
  std::size_t discarded = 0;    ///< for a low clock
  StopReason stopped = StopReason::running;
  SampleSummary summary;                     ///< of `samples`, seconds
  std::optional<double> watts, joules;       ///< mean over the power window; of one execution
  [[nodiscard]] double bytes_per_s() const;  ///< at the median; 0 without samples
  [[nodiscard]] double flop_per_s() const;
};

/// Sets of buffers of `bytes` that rotate so that none is still in a cache of `cache_bytes`: twice
/// the cache in all, two at least; as many as `memory_bytes` hold. 1 where the cache is not known.
[[nodiscard]] int rotating_copies(double bytes, double cache_bytes, double memory_bytes);

/// Measures `cases`. Those whose buffers fit into the device's memory together form a group; in a
/// group the order is drawn anew each round, so that a drift of the machine falls on all alike.
/// Each is warmed up first, then sampled until the limits are met. An operator that cannot run is
/// kept with the reason. Calls `progress` with the cases done.
[[nodiscard]] std::vector<BenchResult> run_benchmarks(const std::vector<BenchCase>& cases,
                                                      BenchDevice& device,
                                                      const BenchOptions& options,
                                                      const ProgressCallback& progress);

}  // namespace rackwright::kernels
