#include <map>
#include <ostream>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "common/input_error.hpp"
#include "profiler/run_schema.hpp"
#include "profiler/sqlite.hpp"
#include "profiler/trace_io/perfetto.hpp"
#include "profiler/trace_io/recording_io.hpp"

namespace rackwright::profiler {

namespace {

/// Where a rank sits in the trace.
struct RankPlace {
  int rank = 0;
  int node = 0;   ///< from 1
  int local = 0;  ///< place among the ranks of its node, taken as its GPU
  std::string host;
};

std::vector<RankPlace> places_of(Database& database) {
  std::vector<RankPlace> places;
  std::map<std::string, std::pair<int, int>> nodes;  // number and ranks so far
  Statement row(database, "SELECT rank, host FROM ranks WHERE file <> '' ORDER BY rank");
  while (row.step()) {
    const std::string host = row.text(1);
    auto& [number, ranks] =
        nodes.emplace(host, std::pair{static_cast<int>(nodes.size()) + 1, 0}).first->second;
    places.push_back({static_cast<int>(row.integer(0)), number, ranks++,
                      host.empty() ? fmt::format("node {}", number) : host});
  }
  return places;
}

bool has_run_table(Database& database, std::string_view name) {
  Statement row(database, "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?");
  row.bind(0, name);
  return row.step();
}

/// Events and counters of one rank; a GPU that the rank does not number is its own.
Recording recording_of(Database& database, const RankPlace& place) {
  Recording recording;
  NameTable name(recording.names);
  if (has_run_table(database, "rank_events")) {
    std::map<std::int64_t, std::uint32_t> track_at;
    Statement track(database, "SELECT id, gpu, name FROM rank_tracks WHERE rank = ? ORDER BY id");
    track.bind(0, std::int64_t{place.rank});
    while (track.step()) {
      track_at[track.integer(0)] = static_cast<std::uint32_t>(recording.tracks.size());
      recording.tracks.push_back({track.is_null(1) ? -1 : static_cast<int>(track.integer(1)),
                                  fmt::format("rank {}: {}", place.rank, track.text(2))});
    }
    Statement row(database,
                  "SELECT e.start_s, e.duration_s, e.track, n.name, e.kind, e.bytes FROM "
                  "rank_events e JOIN rank_names n ON n.rank = e.rank AND n.id = e.name WHERE "
                  "e.rank = ? ORDER BY e.start_s");
    row.bind(0, std::int64_t{place.rank});
    while (row.step()) {
      Event event{row.number(0),     row.number(1),    track_at[row.integer(2)],
                  name(row.text(3)), EventKind::other, row.is_null(5) ? -1 : row.number(5)};
      for (int i = 0; i < kEventKindCount; ++i) {
        if (to_string(static_cast<EventKind>(i)) == row.text(4)) {
          event.kind = static_cast<EventKind>(i);
        }
      }
      recording.events.push_back(event);
    }
  }
  Statement row(database,
                "SELECT gpu, name, unit, start_s, duration_s, value FROM rank_counters WHERE rank "
                "= ? ORDER BY start_s");
  row.bind(0, std::int64_t{place.rank});
  while (row.step()) {
    // The model's power of a replica is that of the rank's GPU.
    const bool own = row.text(1) == "power" && row.number(4) > 0;
    const int gpu = row.is_null(0) ? -1 : static_cast<int>(row.integer(0));
    recording.counters.push_back({own ? place.local : gpu, name(row.text(1)), name(row.text(2)),
                                  row.number(3), row.number(4), row.number(5)});
  }
  return recording;
}

/// The slices of a rank as operators on its GPU.
void add_slices(Database& database, const RankPlace& place, Recording& recording) {
  const auto track = static_cast<std::uint32_t>(recording.tracks.size());
  recording.tracks.push_back({place.local, fmt::format("rank {}: operators", place.rank)});
  NameTable name(recording.names);
  Statement row(
      database,
      "SELECT s.start_s, s.duration_s, o.name FROM rank_slices s JOIN rank_operators o ON "
      "o.rank = s.rank AND o.class = s.class WHERE s.rank = ? ORDER BY s.start_s");
  row.bind(0, std::int64_t{place.rank});
  while (row.step()) {
    recording.events.push_back(
        {row.number(0), row.number(1), track, name(row.text(2)), EventKind::op, -1});
  }
}

}  // namespace

bool is_merged_run(const std::filesystem::path& run) {
  if (!has_run_header(run)) return false;
  Database database(run, Database::Access::read);
  return has_run_table(database, "ranks") && has_run_table(database, "rank_slices");
}

void write_merged_perfetto(const std::filesystem::path& run, std::ostream& out) {
  if (!is_merged_run(run)) {
    throw InputError(InputProblem{run.string(), 0, "ranks", "a merged run", "another"});
  }
  Database database(run, Database::Access::read);
  out << "{\"displayTimeUnit\":\"ms\",\"traceEvents\":[";
  bool first = true;
  for (const RankPlace& place : places_of(database)) {
    Recording recording = recording_of(database, place);
    add_slices(database, place, recording);
    append_perfetto(recording, place.node, place.host, [&](const std::string& event) {
      out << (first ? "\n" : ",\n") << event;
      first = false;
    });
  }
  out << "\n]}\n";
}

}  // namespace rackwright::profiler
