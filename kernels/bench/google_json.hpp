#pragma once

#include <iosfwd>
#include <map>
#include <string>
#include <vector>

#include "kernels/bench/bounds.hpp"

namespace rackwright::kernels {

/// Writes the results as Google Benchmark's own JSON reporter does, so that its `compare.py` can
/// read and test them: per benchmark one row a sample (`run_type` "iteration", `iterations` 1,
/// manual time) with the counters bytes_per_second, flop_per_second and, where known,
/// share_of_bound, watts, joules; then rows of aggregates (mean, median, stddev, cv, mad, p5, p95,
/// p99, median_low, median_high). The label is the
/// library and algorithm taken. An operator that did not run has one row with `error_occurred`.
/// `facts` goes into the context. cpu_time is of the process, all threads.
void write_google_json(std::ostream& out, const std::vector<BenchResult>& results,
                       const MeasuredBounds& bounds,
                       const std::map<std::string, std::string>& facts);

}  // namespace rackwright::kernels
