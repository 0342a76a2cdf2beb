#pragma once

#include <vector>

#include "profiler/replay.hpp"
#include "workloads/operator_graph.hpp"

namespace rackwright::profiler {

/// One engine step: what it does and how long each operator takes.
struct TimedStep {
  workloads::OperatorGraph graph;
  kernels::StepTiming timing;
};

/// Steps `first` to `first + count` - 1 of the replay, counted from 0: the engine runs up to there
/// and no further. Fewer when the traffic ends before. Throws as `replay`.
[[nodiscard]] std::vector<TimedStep> step_graphs(const workloads::Workload& workload,
                                                 const ReplicaSetup& setup,
                                                 kernels::Backend& backend,
                                                 const ReplayOptions& options, std::uint64_t first,
                                                 std::uint64_t count);

}  // namespace rackwright::profiler
