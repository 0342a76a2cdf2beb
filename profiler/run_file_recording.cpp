#include "profiler/run_file_recording.hpp"

#include <sstream>

namespace rackwright::profiler {

namespace {

/// NULL for the host.
Statement& bind_gpu(Statement& insert, int index, int gpu) {
  return gpu < 0 ? insert.bind_null(index) : insert.bind(index, std::int64_t{gpu});
}

void write_names(Database& database, const Recording& recording) {
  Statement name(database, "INSERT INTO names VALUES (?, ?)");
  in_batches(database, recording.names.size(), [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) {
      name.bind(0, static_cast<std::int64_t>(i))
          .bind(1, std::string_view(recording.names[i]))
          .run();
    }
  });
  Statement track(database, "INSERT INTO tracks VALUES (?, ?, ?)");
  in_batches(database, recording.tracks.size(), [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) {
      track.bind(0, static_cast<std::int64_t>(i));
      bind_gpu(track, 1, recording.tracks[i].gpu)
          .bind(2, std::string_view(recording.tracks[i].name))
          .run();
    }
  });
}

void write_events(Database& database, const std::vector<Event>& events) {
  Statement insert(database, "INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?)");
  in_batches(database, events.size(), [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) {
      const Event& event = events[i];
      insert.bind(0, static_cast<std::int64_t>(i))
          .bind(1, event.start_s)
          .bind(2, event.duration_s)
          .bind(3, std::int64_t{event.track})
          .bind(4, to_string(event.kind))
          .bind(5, std::int64_t{event.name});
      (event.bytes < 0 ? insert.bind_null(6) : insert.bind(6, event.bytes)).run();
    }
  });
}

void write_counters(Database& database, const Recording& recording) {
  Statement insert(database, "INSERT INTO counters VALUES (?, ?, ?, ?, ?, ?)");
  in_batches(database, recording.counters.size(), [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) {
      const CounterSample& sample = recording.counters[i];
      bind_gpu(insert, 0, sample.gpu)
          .bind(1, std::string_view(recording.names[sample.name]))
          .bind(2, std::string_view(recording.names[sample.unit]))
          .bind(3, sample.start_s)
          .bind(4, sample.duration_s)
          .bind(5, sample.value)
          .run();
    }
  });
}

void write_collectives(Database& database, const std::vector<CollectiveSample>& samples) {
  Statement insert(database, "INSERT INTO collectives VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)");
  in_batches(database, samples.size(), [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) {
      const CollectiveSample& sample = samples[i];
      insert.bind(0, static_cast<std::int64_t>(i))
          .bind(1, std::string_view(sample.operation))
          .bind(2, std::string_view(sample.type))
          .bind(3, std::int64_t{sample.ranks})
          .bind(4, sample.bytes)
          .bind(5, std::int64_t{sample.in_place})
          .bind(6, sample.seconds)
          .bind(7, sample.algbw)
          .bind(8, sample.busbw)
          .run();
    }
  });
}

void write_sources(Database& database, const Recording& recording) {
  Statement count(database,
                  "INSERT INTO sources (what, records, kept, skipped_because) VALUES (?, ?, ?, ?)");
  for (const RecordCount& source : recording.counts) {
    count.bind(0, std::string_view(source.what))
        .bind(1, static_cast<std::int64_t>(source.read))
        .bind(2, static_cast<std::int64_t>(source.kept))
        .bind(3, std::string_view(source.skipped_because))
        .run();
  }
  Statement note(database, "INSERT INTO notes (text) VALUES (?)");
  for (const std::string& text : recording.notes) note.bind(0, std::string_view(text)).run();
}

void write_windows(Database& database, const std::vector<RecordedWindow>& windows) {
  if (windows.empty()) return;
  database.execute(
      "CREATE TABLE IF NOT EXISTS windows (name TEXT NOT NULL, start_s REAL NOT NULL, duration_s "
      "REAL NOT NULL, disturbed INTEGER NOT NULL, power INTEGER NOT NULL)");
  Statement insert(database, "INSERT INTO windows VALUES (?, ?, ?, ?, ?)");
  for (const RecordedWindow& window : windows) {
    insert.bind(0, std::string_view(window.name))
        .bind(1, window.start_s)
        .bind(2, window.duration_s)
        .bind(3, std::int64_t{window.disturbed})
        .bind(4, std::int64_t{window.power})
        .run();
  }
}

int gpu_of(const Statement& row, int column) {
  return row.is_null(column) ? -1 : static_cast<int>(row.integer(column));
}

EventKind kind_named(const std::string& name) {
  for (int i = 0; i < kEventKindCount; ++i) {
    if (to_string(static_cast<EventKind>(i)) == name) return static_cast<EventKind>(i);
  }
  return EventKind::other;
}

void read_events(Database& database, Recording& recording) {
  Statement name(database, "SELECT name FROM names ORDER BY id");
  while (name.step()) recording.names.push_back(name.text(0));
  Statement track(database, "SELECT gpu, name FROM tracks ORDER BY id");
  while (track.step()) recording.tracks.push_back({gpu_of(track, 0), track.text(1)});
  Statement row(database,
                "SELECT start_s, duration_s, track, name, kind, bytes FROM events ORDER BY id");
  while (row.step()) {
    recording.events.push_back({row.number(0), row.number(1),
                                static_cast<std::uint32_t>(row.integer(2)),
                                static_cast<std::uint32_t>(row.integer(3)), kind_named(row.text(4)),
                                row.is_null(5) ? -1 : row.number(5)});
  }
}

void read_counters(Database& database, Recording& recording) {
  NameTable name(recording.names);
  // Rows named "power" beside slices are the model's, in traffic time.
  Statement row(database,
                "SELECT gpu, name, unit, start_s, duration_s, value FROM counters WHERE name <> "
                "'power' OR NOT EXISTS (SELECT 1 FROM slices) ORDER BY rowid");
  while (row.step()) {
    recording.counters.push_back({gpu_of(row, 0), name(row.text(1)), name(row.text(2)),
                                  row.number(3), row.number(4), row.number(5)});
  }
}

std::optional<double> number_or_blank(const Statement& row, int column) {
  return row.is_null(column) ? std::nullopt : std::optional(row.number(column));
}

std::optional<int> whole_or_blank(const Statement& row, int column) {
  return row.is_null(column) ? std::nullopt : std::optional(static_cast<int>(row.integer(column)));
}

/// `gpus` and `sensors` are there when NVML was read.
void read_gpus(Database& database, Recording& recording) {
  if (database.integer("SELECT count(*) FROM sqlite_master WHERE name IN ('gpus', 'sensors')") < 2)
    return;
  Statement row(
      database,
      "SELECT gpu, name, uuid, chassis, slot, tray, module, power_limit_w, "
      "instant_window_s, duty_cycle, period_s FROM gpus JOIN sensors USING (gpu) ORDER BY "
      "gpu");
  while (row.step()) {
    recording.gpus.push_back({static_cast<int>(row.integer(0)), row.text(1), row.text(2),
                              row.text(3), whole_or_blank(row, 4), whole_or_blank(row, 5),
                              whole_or_blank(row, 6), number_or_blank(row, 7),
                              number_or_blank(row, 8), number_or_blank(row, 9), row.number(10)});
    recording.device_names.push_back(row.text(1));
  }
}

/// What an import says of its source; names of GPUs, where NVML did not give them.
void read_source(Database& database, Recording& recording) {
  Statement row(database,
                "SELECT key, value FROM meta WHERE key = 'device_names' AND value <> ''");
  if (!recording.device_names.empty() || !row.step()) return;
  std::istringstream names(row.text(1));
  for (std::string name; std::getline(names, name);) recording.device_names.push_back(name);
}

void read_windows(Database& database, Recording& recording) {
  if (database.integer("SELECT count(*) FROM sqlite_master WHERE name = 'windows'") == 0) return;
  Statement row(database,
                "SELECT name, start_s, duration_s, disturbed, power FROM windows ORDER BY start_s");
  while (row.step()) {
    recording.windows.push_back(
        {row.text(0), row.number(1), row.number(2), row.integer(3) != 0, row.integer(4) != 0});
  }
}

void read_collectives(Database& database, Recording& recording) {
  Statement row(database,
                "SELECT operation, type, ranks, bytes, in_place, seconds, algbw_bytes_per_s, "
                "busbw_bytes_per_s FROM collectives ORDER BY id");
  while (row.step()) {
    recording.collectives.push_back({row.text(0), row.text(1), static_cast<int>(row.integer(2)),
                                     row.number(3), row.integer(4) != 0, row.number(5),
                                     row.number(6), row.number(7)});
  }
}

}  // namespace

void write_recording(Database& database, const Recording& recording) {
  write_names(database, recording);
  write_events(database, recording.events);
  write_counters(database, recording);
  write_collectives(database, recording.collectives);
  write_sources(database, recording);
  write_windows(database, recording.windows);
}

Recording read_recording(Database& database) {
  Recording recording;
  Statement source(database,
                   "SELECT what, records, kept, skipped_because FROM sources ORDER BY id");
  while (source.step()) {
    recording.counts.push_back({source.text(0), static_cast<std::uint64_t>(source.integer(1)),
                                static_cast<std::uint64_t>(source.integer(2)), source.text(3)});
  }
  Statement note(database, "SELECT text FROM notes ORDER BY id");
  while (note.step()) recording.notes.push_back(note.text(0));
  if (recording.counts.empty()) return recording;
  read_events(database, recording);
  read_counters(database, recording);
  read_collectives(database, recording);
  read_gpus(database, recording);
  read_source(database, recording);
  read_windows(database, recording);
  return recording;
}

}  // namespace rackwright::profiler
