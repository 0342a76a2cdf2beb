#pragma once

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
};

struct ReplayOptions {
  std::uint64_t seed = 1;
  double load_factor = 1;   ///< superposed copies of the workload's traffic
  bool keep_slices = true;  ///< false: totals and requests only (capacity search)
  double stop_after_s = 0;  ///< > 0: only this much of the traffic
  double give_up_wait_s = 0;
};

/// Runs the engine with the backend's step times and collects the trace. Throws InputError when the
/// model does not fit, Interrupted from `progress`.
[[nodiscard]] Trace replay(const workloads::Workload& workload, const ReplicaSetup& setup,
                           kernels::Backend& backend, const ReplayOptions& options,
                           const ProgressCallback& progress = {});

/// The highest load one replica carries with the SLO held.
struct SloCapacity {
  double load_factor = 0;  ///< copies of the recorded traffic; 0 when even an idle replica misses it
  double output_tokens_per_s = 0;
  double requests_per_s = 0;
  double relative_error = 0;  ///< 90 % half-width from step-time error and search tolerance
  std::string limited_by;     ///< "TTFT P99", "TPOT P99", "KV cache", "never meets TPOT P99"
  Trace trace;                ///< at that load, with slices
};

/// Bracketing and bisection on the load factor to `tolerance` (relative).
[[nodiscard]] SloCapacity find_slo_capacity(const workloads::Workload& workload,
                                            const ReplicaSetup& setup, kernels::Backend& backend,
                                            std::uint64_t seed, double tolerance = 0.03,
                                            const ProgressCallback& progress = {});

}  // namespace rackwright::profiler
