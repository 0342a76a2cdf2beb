#pragma once

#include <iosfwd>

#include "profiler/trace.hpp"

namespace rackwright::profiler {

/// `start_s,duration_s,step,class,watts`: a slice a line, one GPU, module input.
void write_slices_csv(const Trace& trace, std::ostream& out);
/// `arrival_s,first_token_s,finish_s,ttft_s,tpot_s,prompt_tokens,cached_tokens,output_tokens,preemptions`.
void write_requests_csv(const Trace& trace, std::ostream& out);
/// `start_s,end_s,watts`: the piecewise-constant power of one GPU, idle gaps included.
void write_power_csv(const Trace& trace, std::ostream& out);

}  // namespace rackwright::profiler
