#include <array>
#include <map>

#include <fmt/format.h>

#include "profiler/import/import.hpp"
#include "profiler/import/text_lines.hpp"
#include "profiler/sqlite.hpp"

namespace rackwright::profiler {

namespace fs = std::filesystem;

namespace {

constexpr double kNano = 1e-9;

bool has_table(Database& database, std::string_view table) {
  Statement row(database, "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?");
  row.bind(0, table);
  return row.step();
}

bool has_column(Database& database, std::string_view table, std::string_view column) {
  Statement row(database, fmt::format("SELECT name FROM pragma_table_info('{}')", table));
  while (row.step()) {
    if (row.text(0) == column) return true;
  }
  return false;
}

class NsysReader {
 public:
  NsysReader(Database& database, Recording& recording)
      : database_(database), recording_(recording), name_(recording.names) {}

  /// start, end, GPU or -1, stream or thread, name, bytes or -1 of each row of `table`.
  void add(const char* table, EventKind kind, const std::string& columns) {
    if (!has_table(database_, table)) return;
    RecordCount count{table, 0, 0, ""};
    Statement row(database_, fmt::format("SELECT start, end, {} FROM {}", columns, table));
    while (row.step()) {
      ++count.read;
      const double start = row.number(0) * kNano;
      const double end = row.number(1) * kNano;
      if (end < start) continue;
      const std::string name = row.text(4);
      Event event;
      event.kind =
          kind == EventKind::kernel && is_collective_kernel(name) ? EventKind::collective : kind;
      event.start_s = start;
      event.duration_s = end - start;
      event.name = name_(name);
      event.track = track_of(static_cast<int>(row.integer(2)), row.integer(3));
      event.bytes = row.number(5);
      recording_.events.push_back(event);
      ++count.kept;
    }
    if (count.kept < count.read) count.skipped_because = "not ended";
    recording_.counts.push_back(count);
  }

 private:
  std::uint32_t track_of(int gpu, std::int64_t id) {
    const auto [at, added] =
        tracks_.try_emplace({gpu, id}, static_cast<std::uint32_t>(recording_.tracks.size()));
    if (added) {
      recording_.tracks.push_back({gpu, fmt::format("{} {}", gpu < 0 ? "thread" : "stream", id)});
    }
    return at->second;
  }

  Database& database_;
  Recording& recording_;
  NameTable name_;
  std::map<std::pair<int, std::int64_t>, std::uint32_t> tracks_;
};

constexpr const char* kString = "(SELECT value FROM StringIds WHERE id = {})";

}  // namespace

Recording read_nsys(const fs::path& path, const ImportProgress&) {
  static_cast<void>(open_input(path));  // says what is wrong with the path
  Recording recording;
  recording.format = "nsys";
  try {
    Database database(path, Database::Access::read);
    if (!has_table(database, "StringIds")) {
      throw bad_input(path, 0, "StringIds", "an SQLite export of Nsight Systems",
                      "another database");
    }
    NsysReader reader(database, recording);
    const auto string = [](const char* column) {
      return fmt::format(fmt::runtime(kString), column);
    };
    reader.add("CUPTI_ACTIVITY_KIND_KERNEL", EventKind::kernel,
               fmt::format("deviceId, streamId, {}, -1", string("demangledName")));
    reader.add("CUPTI_ACTIVITY_KIND_MEMCPY", EventKind::copy,
               "deviceId, streamId, 'Memcpy kind ' || copyKind, bytes");
    reader.add("CUPTI_ACTIVITY_KIND_MEMSET", EventKind::copy,
               "deviceId, streamId, 'Memset', bytes");
    reader.add("CUPTI_ACTIVITY_KIND_RUNTIME", EventKind::runtime,
               fmt::format("-1, globalTid, {}, -1", string("nameId")));
    // Newer exports hold the text of some ranges in StringIds only.
    const std::string range = has_column(database, "NVTX_EVENTS", "textId")
                                  ? fmt::format("coalesce(text, {})", string("textId"))
                                  : "text";
    reader.add("NVTX_EVENTS", EventKind::annotation, fmt::format("-1, globalTid, {}, -1", range));
    if (has_table(database, "TARGET_INFO_GPU")) {
      Statement row(database, "SELECT name FROM TARGET_INFO_GPU ORDER BY id");
      while (row.step()) recording.device_names.push_back(row.text(0));
    }
  } catch (const SqliteError& error) {
    throw bad_input(path, 0, "", "an SQLite export of Nsight Systems", error.what());
  }
  if (recording.events.empty()) {
    throw bad_input(path, 0, "", "tables CUPTI_ACTIVITY_KIND_* or NVTX_EVENTS with rows", "none");
  }
  settle(recording);
  return recording;
}

}  // namespace rackwright::profiler
