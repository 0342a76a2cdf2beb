#pragma once

#include <iosfwd>
#include <optional>

#include "profiler/trace.hpp"

namespace rackwright::profiler {

struct PerfettoOptions {
  /// Only slices and requests that touch [from_s, to_s].
  std::optional<double> from_s, to_s;
  /// Ranks of a replica run in step, so one is the whole picture; more repeat it, one process each.
  int ranks = 1;
};

/// Chrome JSON that ui.perfetto.dev opens: a process per GPU with a thread of compute and one of
/// collectives and a power counter (W, module input); a process of requests with queue and prefill
/// (to the first token) and decode, and on the first GPU a flow from the step of a request's first
/// token to the step of its last. Times in us to the nanosecond: slices of a thread never overlap.
/// Streams: memory does not grow with the trace.
void write_perfetto(const Trace& trace, std::ostream& out, const PerfettoOptions& options = {});

}  // namespace rackwright::profiler
