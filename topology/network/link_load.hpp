#pragma once

#include "profiler/trace.hpp"

namespace rackwright::topology {

/// Bytes per second that one GPU sends over a class of links, one direction, by algorithm volume
/// (what crosses the wire, not nccl-tests' bus bandwidth).
struct LinkLoad {
  double mean_bytes_per_s = 0;
  double peak_bytes_per_s = 0;  ///< highest 1 s mean; never under the mean
};
[[nodiscard]] LinkLoad scale_up_load(const profiler::Trace& trace);
[[nodiscard]] LinkLoad scale_out_load(const profiler::Trace& trace);

}  // namespace rackwright::topology
