#pragma once

#include "profiler/recording.hpp"
#include "profiler/sqlite.hpp"

namespace rackwright::profiler {

/// The tables of a run file that hold what another tool recorded. Throw SqliteError.
void write_recording(Database& database, const Recording& recording);
/// Counters of a modelled run are left where they are: only a file with events, collectives or
/// sources has a recording.
[[nodiscard]] Recording read_recording(Database& database);

}  // namespace rackwright::profiler
