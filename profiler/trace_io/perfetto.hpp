#pragma once

#include <filesystem>
#include <iosfwd>
#include <optional>

#include "profiler/recording.hpp"
#include "profiler/trace.hpp"

namespace rackwright::profiler {

struct PerfettoOptions {
  /// Only slices and requests that touch [from_s, to_s].
  std::optional<double> from_s, to_s;
  /// Ranks of a replica run in step, so one is the whole picture; more repeat it, one process each.
  int ranks = 1;
  /// What collectors saw while the run was made, in wall-clock time: processes 1000 + GPU and 1999
  /// for the host. The slices are in traffic time and their process says so. May be null.
  const Recording* recording = nullptr;
};

/// Chrome JSON that ui.perfetto.dev opens: a process per GPU with a thread of compute and one of
/// collectives and a power counter (W, module input); a process of requests with queue and prefill
/// (to the first token) and decode, and on the first GPU a flow from the step of a request's first
/// token to the step of its last. Times in us to the nanosecond: slices of a thread never overlap.
/// Streams: memory does not grow with the trace.
void write_perfetto(const Trace& trace, std::ostream& out, const PerfettoOptions& options = {});

/// A merged run with every rank on its time base: process = 1000 x node + GPU, nodes by host name
/// from 1 in the order of the ranks, 999 for the node's host. Operators (`rank_slices`), events,
/// power, temperature, clocks and link bytes. Throws InputError for a run that was not merged.
void write_merged_perfetto(const std::filesystem::path& run, std::ostream& out);
/// Whether a run file holds the ranks of a merged run.
[[nodiscard]] bool is_merged_run(const std::filesystem::path& run);

}  // namespace rackwright::profiler
