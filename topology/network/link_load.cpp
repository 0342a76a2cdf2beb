#include "topology/network/link_load.hpp"

#include <algorithm>

namespace rackwright::topology {

namespace {

LinkLoad load_of(double bytes, double peak_bytes_per_s, double seconds) {
  if (!(seconds > 0)) return {};
  const double mean = bytes / seconds;
  return {mean, std::max(mean, peak_bytes_per_s)};
}

}  // namespace

LinkLoad scale_up_load(const profiler::Trace& trace) {
  return load_of(trace.traffic.scale_up_bytes, trace.traffic.scale_up_peak_bytes_per_s,
                 trace.end_s);
}

LinkLoad scale_out_load(const profiler::Trace& trace) {
  return load_of(trace.traffic.scale_out_bytes, trace.traffic.scale_out_peak_bytes_per_s,
                 trace.end_s);
}

}  // namespace rackwright::topology
