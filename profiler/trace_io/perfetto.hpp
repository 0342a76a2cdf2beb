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
/// collectives and a power counter (W, module input); a process of requests with their queue and
/// prefill (to the first token) and decode. Times in us. Streams: memory does not grow with the
/// trace.
void write_perfetto(const Trace& trace, std::ostream& out, const PerfettoOptions& options = {});

}  // namespace rackwright::profiler
