#pragma once

#include <functional>
#include <iosfwd>
#include <string>

#include "profiler/recording.hpp"

namespace rackwright::profiler {

/// Chrome JSON for ui.perfetto.dev: a process per GPU and one for the host, a thread per track,
/// counters (power, temperature, clocks, link bytes) on the same axis, requests as spans.
void write_perfetto(const Recording& recording, std::ostream& out);
/// The same events one by one, for a larger trace: processes are 1000 x `node` + GPU, and 1000 x
/// `node` + 999 for the host. `node` counts from 1.
void append_perfetto(const Recording& recording, int node, const std::string& host,
                     const std::function<void(const std::string&)>& add);
/// `start_s,duration_s,gpu,track,kind,name,bytes`.
void write_events_csv(const Recording& recording, std::ostream& out);
/// `gpu,name,unit,start_s,duration_s,value`.
void write_counters_csv(const Recording& recording, std::ostream& out);
/// `operation,type,ranks,bytes,in_place,seconds,algbw_bytes_per_s,busbw_bytes_per_s`.
void write_collectives_csv(const Recording& recording, std::ostream& out);

}  // namespace rackwright::profiler
