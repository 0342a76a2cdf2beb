#pragma once

#include <functional>
#include <optional>

#include "common/progress.hpp"
#include "kernels/backend.hpp"
#include "profiler/trace.hpp"
#include "workloads/workload.hpp"

namespace rackwright::profiler {

/// One replica to be replayed: plan, memory and place.
struct ReplicaSetup {
  workloads::ServingPlan plan;
  double gpu_memory_bytes = 0;
  kernels::RankContext rank;
  /// Per GPU between steps, module input. Blank: what the backend's device facts say, else 0 with
  /// `Trace::idle_unknown`.
  std::optional<double> idle_w;
  /// Replicas that share the traffic in turn: this one gets every n-th request of n x load_factor
  /// copies. A burst of the recorded traffic then meets n replicas, as behind a load balancer;
  /// 1: each replica has its own copies and takes their bursts alone.
  int replicas = 1;
};

struct ReplayOptions {
  std::uint64_t seed = 1;
  double load_factor = 1;   ///< superposed copies of the workload's traffic
  bool keep_slices = true;  ///< false: totals and requests only (capacity search)
  double stop_after_s = 0;  ///< > 0: only this much of the traffic
  double give_up_wait_s = 0;
  /// On Ctrl-C (Interrupted from `progress`) and kernels::RankFailure return what was recorded,
  /// marked incomplete: slices and totals up to there, no requests. False: they go on to the caller.
  bool keep_partial = false;
  /// Called with what is recorded so far, at most twice a second; for writers that a kill must not
  /// rob.
  std::function<void(const Trace&)> checkpoint = {};
};

/// Runs the engine with the backend's step times and collects the trace. The KV cache is what
/// `workloads::memory_use` leaves of `gpu_memory_bytes`. Throws InputError when the model does not
/// fit or the longest request does not, Interrupted from `progress`.
///
/// Within a step the slices of a class are merged and follow each other in operator order; they
/// fill the step exactly. Collective time that overlaps compute is hidden, and the compute slices
/// carry its energy; launch gaps belong to the host class. `ClassTotal` keeps the operators' own
/// time and energy. A speculative draft counts as `draft_tokens` x `draft_cost` of a plain decode
/// step.
[[nodiscard]] Trace replay(const workloads::Workload& workload, const ReplicaSetup& setup,
                           kernels::Backend& backend, const ReplayOptions& options,
                           const ProgressCallback& progress = {});

/// The highest load one replica carries with the SLO held.
struct SloCapacity {
  double load_factor =
      0;  ///< copies of the recorded traffic; 0 when even an idle replica misses it
  /// Of finished requests over the longer of traffic and replay.
  double output_tokens_per_s = 0;
  double requests_per_s = 0;
  /// 90 % half-width from step-time error and search tolerance. An error e of step time moves the
  /// capacity by e / (1 - idle / limit), idle being the metric of a request alone: with the time of
  /// a queue or batch s / (1 - load x s) <= limit the highest load is (1 - s / limit) / s. At
  /// most 1.
  double relative_error = 0;
  /// "TTFT P99", "TPOT P99", "KV cache", "max batch"; "never meets TPOT P99" when an idle replica
  /// misses it; "not reached" when the highest load tried still holds it.
  std::string limited_by;
  /// At that load, with slices. Load 0: requests one at a time on an idle replica (answers cut
  /// short), so that its metrics show by how much the SLO is missed.
  Trace trace;
  int engine_runs = 0;  ///< for cost
};

/// Bracketing and interpolation on the load factor to `tolerance` (relative), first on the
/// beginning of the traffic (2,000 requests or a tenth), then on all of it; the load returned is
/// verified on all of it. A run is broken off once more requests have missed a limit than the
/// percentile allows. The same arguments give the same result.
[[nodiscard]] SloCapacity find_slo_capacity(const workloads::Workload& workload,
                                            const ReplicaSetup& setup, kernels::Backend& backend,
                                            std::uint64_t seed, double tolerance = 0.03,
                                            const ProgressCallback& progress = {});

}  // namespace rackwright::profiler
