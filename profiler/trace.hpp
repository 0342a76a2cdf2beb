#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "common/estimate.hpp"
#include "workloads/engine.hpp"
#include "workloads/operator.hpp"
#include "workloads/serving_plan.hpp"
#include "workloads/workload.hpp"

namespace rackwright::profiler {

/// Time spent in one operator class during one step, on one GPU (the heaviest rank). Exact edges:
/// slices of a step follow each other; between steps the GPU is idle.
struct Slice {
  double start_s = 0;
  float duration_s = 0;
  float watts = 0;  ///< per GPU at module input, mean over the slice
  std::uint32_t step = 0;
  workloads::OperatorClass op_class = workloads::OperatorClass::gemm;
};

/// Totals of one operator class over the whole replay, per GPU. Seconds are the operators' own:
/// where lanes overlap their sum exceeds the busy time.
struct ClassTotal {
  double seconds = 0;
  double joules = 0;
  double flops = 0;
  double memory_bytes = 0;
  double wire_bytes = 0;
};

/// Bytes each GPU of the replica sends, by what they cross. By algorithm volume, not busbw.
struct Traffic {
  double scale_up_bytes = 0;
  double scale_out_bytes = 0;
  double collectives = 0;                ///< count
  double scale_up_peak_bytes_per_s = 0;  ///< highest 1 s mean
  double scale_out_peak_bytes_per_s = 0;
};

/// What a percentile of a request metric is, with its order-statistic 90 % interval.
struct RequestMetrics {
  std::uint64_t requests = 0;
  double ttft_p50 = 0, ttft_p90 = 0, ttft_p99 = 0;
  double ttft_p99_low = 0, ttft_p99_high = 0;
  double tpot_p50 = 0, tpot_p90 = 0, tpot_p99 = 0;
  double tpot_p99_low = 0, tpot_p99_high = 0;
  double attainment = 0;  ///< share of requests that meet both SLO limits
  double output_tokens_per_s = 0;
  double prompt_tokens_per_s = 0;
};

/// The replay of ONE replica (plan.gpus() GPUs that run in step).
struct Trace {
  // meta
  std::string workload;
  std::string device;
  std::string backend;
  workloads::ServingPlan plan;
  std::uint64_t seed = 0;
  Origin origin = Origin::modelled;
  bool extrapolated = false;
  double relative_error = 0;  ///< of step time, 90 % half-width, time-weighted over operators
  double load_factor = 1;     ///< superposed copies of the recorded traffic
  bool incomplete = false;
  std::string incomplete_reason;

  // content
  std::vector<Slice> slices;  ///< by start
  double idle_w = 0;          ///< per GPU between steps, module input
  bool idle_unknown = false;  ///< idle power is blank: gaps count as 0 W, energy is a lower bound
  /// The backend could not measure power: watts and joules are 0 and say nothing.
  bool power_unknown = false;
  double end_s = 0;
  std::array<ClassTotal, workloads::kOperatorClassCount> totals;
  Traffic traffic;
  workloads::EngineResult engine;
  RequestMetrics metrics;

  [[nodiscard]] double busy_share() const;
  /// Joules per GPU over [0, end_s], idle gaps included.
  [[nodiscard]] double joules_per_gpu() const;
};

/// End of slice `index`. The length of a slice is a float: within a busy stretch its exact end is
/// the start of the next slice (or the end of the trace).
[[nodiscard]] double slice_end_s(const Trace& trace, std::size_t index);

/// Power of one GPU as a piecewise-constant function: value w[i] holds on [t[i], t[i+1]).
struct PowerTimeline {
  std::vector<double> t;  ///< edges, ascending, one more than w
  std::vector<double> w;
  [[nodiscard]] double integral() const;  ///< J
};
/// From slices and idle power over [0, end_s]. Throws std::invalid_argument for a trace that was
/// recorded without slices.
[[nodiscard]] PowerTimeline power_timeline(const Trace& trace);
/// Means over consecutive windows of `window_s` (exact integrals over edges); the last window may
/// be shorter and is the mean over what there is of it.
[[nodiscard]] std::vector<double> windowed_means(const PowerTimeline& timeline, double window_s);
/// SLO shares and percentiles of finished requests, by nearest rank; P99 with its order-statistic
/// 90 % interval (with fewer than 299 requests its upper end is only the largest value seen). TPOT
/// of single-token answers is left out.
[[nodiscard]] RequestMetrics request_metrics(const std::vector<workloads::RequestOutcome>& requests,
                                             const workloads::Slo& slo, double duration_s);

}  // namespace rackwright::profiler
