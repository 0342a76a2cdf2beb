#include "profiler/trace_io/csv.hpp"

#include <ostream>

#include <fmt/format.h>

namespace rackwright::profiler {

void write_slices_csv(const Trace& trace, std::ostream& out) {
  out << "start_s,duration_s,step,class,watts\n";
  for (std::size_t i = 0; i < trace.slices.size(); ++i) {
    const Slice& s = trace.slices[i];
    out << fmt::format("{:.9f},{:.9f},{},{},{:.3f}\n", s.start_s, slice_end_s(trace, i) - s.start_s,
                       s.step, to_string(s.op_class), s.watts);
  }
}

void write_requests_csv(const Trace& trace, std::ostream& out) {
  out << "arrival_s,first_token_s,finish_s,ttft_s,tpot_s,prompt_tokens,cached_tokens,"
         "output_tokens,preemptions\n";
  for (const auto& r : trace.engine.requests) {
    out << fmt::format("{:.6f},{:.6f},{:.6f},{:.6f},{:.6f},{},{},{},{}\n", r.arrival_s,
                       r.first_token_s, r.finish_s, r.ttft(), r.tpot(), r.prompt_tokens,
                       r.cached_tokens, r.output_tokens, r.preemptions);
  }
}

void write_power_csv(const Trace& trace, std::ostream& out) {
  out << "start_s,end_s,watts\n";
  if (trace.slices.empty()) return;
  if (trace.power_unknown) return;
  const PowerTimeline power = power_timeline(trace);
  for (std::size_t i = 0; i < power.w.size(); ++i) {
    out << fmt::format("{:.9f},{:.9f},{:.3f}\n", power.t[i], power.t[i + 1], power.w[i]);
  }
}

}  // namespace rackwright::profiler
