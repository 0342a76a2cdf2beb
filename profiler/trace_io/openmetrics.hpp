#pragma once

#include <iosfwd>

#include "profiler/trace.hpp"

namespace rackwright::profiler {

/// Totals and percentiles of a run in OpenMetrics 1.0 text, for a metrics database. Seconds,
/// joules, FLOPs and bytes are of one GPU; tokens and requests of the replica.
void write_openmetrics(const Trace& trace, std::ostream& out);

}  // namespace rackwright::profiler
