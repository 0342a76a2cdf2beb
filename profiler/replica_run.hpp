#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "profiler/late_request_counter.hpp"
#include "profiler/replay.hpp"
#include "profiler/request_metrics.hpp"
#include "profiler/step_pricer.hpp"

namespace rackwright::profiler {

/// What one run of the capacity search found out.
struct Probe {
  bool holds = false;
  bool broken_off = false;
  bool late_first_tokens = false;  ///< the TTFT limit was missed too often
  bool slow_answers = false;       ///< the TPOT limit was missed too often
  /// Worse of the two over its limit; 0 when broken off.
  double worst_ratio = 0;
  double ttft_s = 0;  ///< the worst that is not an allowed miss; of runs not broken off
  double tpot_s = 0;
  double cache_share = 0;  ///< highest share of the KV cache in use
  double batch_share = 0;  ///< highest share of the allowed batch in use
};

/// One replica of a workload, ready to be run on any traffic, any number of times.
class ReplicaRun {
 public:
  /// Keeps references. Throws InputError when model and longest request do not fit.
  ReplicaRun(const workloads::Workload& workload, const ReplicaSetup& setup,
             kernels::Backend& backend);

  [[nodiscard]] Trace record(const workloads::RequestTrace& traffic, const ReplayOptions& options,
                             const ProgressCallback& progress);
  /// Requests only, broken off when more than `allowance` have missed the SLO.
  [[nodiscard]] Probe probe(const workloads::RequestTrace& traffic, MissAllowance allowance,
                            const ProgressCallback& progress);

 private:
  [[nodiscard]] workloads::EngineOptions engine_options() const;
  [[nodiscard]] Trace empty_trace(const ReplayOptions& options) const;

  const workloads::Workload& workload_;
  ReplicaSetup setup_;
  kernels::Backend& backend_;
  StepPricer pricer_;
  double kv_tokens_ = 0;
};

/// What one of `replicas` gets of `load_factor` copies each, dealt in turn in order of arrival.
[[nodiscard]] workloads::RequestTrace traffic_of_replica(const workloads::RequestTrace& traffic,
                                                         double load_factor, int replicas,
                                                         std::uint64_t seed);
/// The requests of the window of `seconds` in which most tokens arrive; all for 0.
[[nodiscard]] workloads::RequestTrace busiest_window(const workloads::RequestTrace& traffic,
                                                     double seconds);
/// The requests of `traffic` that arrive before `seconds`; all of them for 0.
[[nodiscard]] workloads::RequestTrace beginning(workloads::RequestTrace traffic, double seconds);

}  // namespace rackwright::profiler
