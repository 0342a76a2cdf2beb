#include <algorithm>
#include <stdexcept>
#include <system_error>

#include <fmt/format.h>

#include "common/input_error.hpp"
#include "profiler/plan_json.hpp"
#include "profiler/run_file_recording.hpp"
#include "profiler/run_schema.hpp"
#include "profiler/sqlite.hpp"

namespace rackwright::profiler {

namespace fs = std::filesystem;

namespace {

InputError cannot_write(const fs::path& path, const std::string& why) {
  return InputError(InputProblem{path.string(), 0, "", "a run file that can be written", why});
}

/// Removes what an earlier run left under this name. A file of another kind stays: the name was
/// probably a slip.
void make_room(const fs::path& path) {
  std::error_code error;
  if (fs::is_directory(path, error)) throw cannot_write(path, "a folder");
  const fs::path folder = path.has_parent_path() ? path.parent_path() : fs::path(".");
  if (!fs::is_directory(folder, error)) throw cannot_write(path, "no such folder");
  if (fs::exists(path, error) && fs::file_size(path, error) > 0 && !has_run_header(path)) {
    throw cannot_write(path, "a file of another kind, which is not replaced");
  }
  for (const char* suffix : {"", "-journal", "-wal", "-shm"}) {
    fs::remove(path.string() + suffix, error);
    if (error) throw cannot_write(path, error.message());
  }
}

/// Binds one field of `meta`.
class MetaWriter {
 public:
  explicit MetaWriter(Database& database)
      : insert_(database, "INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)") {}
  void operator()(std::string_view key, const std::string& value) {
    put(key, std::string_view(value));
  }
  void operator()(std::string_view key, double value) { put(key, value); }
  void operator()(std::string_view key, bool value) { put(key, std::int64_t{value}); }
  void operator()(std::string_view key, std::uint64_t value) {
    put(key, static_cast<std::int64_t>(value));
  }
  void operator()(std::string_view key, Origin value) { put(key, to_string(value)); }
  void operator()(std::string_view key, const workloads::ServingPlan& plan) {
    const std::string json = plan_to_json(plan);
    put(key, std::string_view(json));
  }

 private:
  template <class Value>
  void put(std::string_view key, Value value) {
    insert_.bind(0, key).bind(1, value).run();
  }
  Statement insert_;
};

void write_totals(Database& database, const Trace& trace) {
  Statement insert(database, "INSERT OR REPLACE INTO operators VALUES (?, ?, ?, ?, ?, ?, ?)");
  for (std::size_t c = 0; c < trace.totals.size(); ++c) {
    const ClassTotal& total = trace.totals[c];
    insert.bind(0, static_cast<std::int64_t>(c))
        .bind(1, workloads::to_string(static_cast<workloads::OperatorClass>(c)))
        .bind(2, total.seconds)
        .bind(3, total.joules)
        .bind(4, total.flops)
        .bind(5, total.memory_bytes)
        .bind(6, total.wire_bytes)
        .run();
  }
}

void write_traffic(Database& database, const Traffic& traffic) {
  Statement insert(database, "INSERT OR REPLACE INTO traffic VALUES (?, ?, ?)");
  insert.bind(0, std::string_view("scale_up"))
      .bind(1, traffic.scale_up_bytes)
      .bind(2, traffic.scale_up_peak_bytes_per_s)
      .run();
  insert.bind(0, std::string_view("scale_out"))
      .bind(1, traffic.scale_out_bytes)
      .bind(2, traffic.scale_out_peak_bytes_per_s)
      .run();
}

void write_requests(Database& database, const std::vector<workloads::RequestOutcome>& requests) {
  Statement insert(database, "INSERT INTO requests VALUES (?, ?, ?, ?, ?, ?, ?, ?)");
  in_batches(database, requests.size(), [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) {
      const auto& request = requests[i];
      insert.bind(0, static_cast<std::int64_t>(i))
          .bind(1, request.arrival_s)
          .bind(2, request.first_token_s)
          .bind(3, request.finish_s)
          .bind(4, std::int64_t{request.prompt_tokens})
          .bind(5, std::int64_t{request.cached_tokens})
          .bind(6, std::int64_t{request.output_tokens})
          .bind(7, std::int64_t{request.preemptions})
          .run();
    }
  });
}

void write_slices(Database& database, const std::vector<Slice>& slices, std::size_t first) {
  Statement insert(database, "INSERT INTO slices VALUES (?, ?, ?, ?, ?, ?)");
  in_batches(database, slices.size() - first, [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = first + begin; i < first + end; ++i) {
      const Slice& slice = slices[i];
      insert.bind(0, static_cast<std::int64_t>(i))
          .bind(1, slice.start_s)
          .bind(2, double{slice.duration_s})
          .bind(3, std::int64_t{slice.step})
          .bind(4, static_cast<std::int64_t>(slice.op_class))
          .bind(5, double{slice.watts})
          .run();
    }
  });
}

/// Mean power of one GPU over each second, for people who query the file.
void write_power(Database& database, const Trace& trace) {
  if (trace.slices.empty() || trace.power_unknown) return;
  const std::vector<double> means = windowed_means(power_timeline(trace), 1.0);
  Statement insert(database, "INSERT INTO counters VALUES (0, 'power', 'W', ?, ?, ?)");
  in_batches(database, means.size(), [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) {
      const auto start = static_cast<double>(i);
      insert.bind(0, start).bind(1, std::min(1.0, trace.end_s - start)).bind(2, means[i]).run();
    }
  });
}

}  // namespace

struct RunFileWriter::Impl {
  fs::path path;
  RunMeta meta;
  Database database;
  bool written = false;
  std::size_t slices = 0;  ///< that are in the file

  Impl(fs::path file, RunMeta run_meta)
      : path(std::move(file)),
        meta(std::move(run_meta)),
        database((make_room(path), path), Database::Access::create) {
    // A rollback journal: what a killed writer leaves opens without help. Its transactions are
    // safe against the end of the process at any moment.
    database.execute("PRAGMA journal_mode = DELETE; PRAGMA synchronous = NORMAL;");
    database.execute(fmt::format("BEGIN; PRAGMA application_id = {}; PRAGMA user_version = {};",
                                 kApplicationId, kFormatVersion));
    database.execute(std::string(kSchema));
    const Trace empty;
    MetaWriter write_field(database);
    write_field("complete", false);
    write_field("power_unknown", false);
    visit_meta(meta, empty, write_field);
    database.execute("COMMIT");
  }
};

RunFileWriter::RunFileWriter(const fs::path& path, const RunMeta& meta) {
  try {
    impl_ = std::make_unique<Impl>(path, meta);
  } catch (const SqliteError& error) {
    throw cannot_write(path, error.what());
  }
}

RunFileWriter::~RunFileWriter() = default;

void RunFileWriter::keep(const Trace& trace) {
  if (impl_->written) throw std::logic_error("a run file holds one trace");
  Database& database = impl_->database;
  try {
    database.execute("BEGIN");
    {
      MetaWriter write_field(database);
      visit_meta(impl_->meta, trace, write_field);
      write_field("power_unknown", trace.power_unknown);
      write_field("slices", static_cast<std::uint64_t>(trace.slices.size()));
    }
    write_totals(database, trace);
    write_traffic(database, trace.traffic);
    database.execute("COMMIT");
    write_slices(database, trace.slices, impl_->slices);
    impl_->slices = trace.slices.size();
  } catch (const SqliteError& error) {
    throw cannot_write(impl_->path, error.what());
  }
}

void RunFileWriter::write(const Trace& trace) {
  keep(trace);
  impl_->written = true;
  Database& database = impl_->database;
  try {
    write_requests(database, trace.engine.requests);
    write_power(database, trace);
  } catch (const SqliteError& error) {
    throw cannot_write(impl_->path, error.what());
  }
}

void RunFileWriter::write(const Trace& trace, const Recording& recording) {
  write(trace);
  Database& database = impl_->database;
  try {
    write_recording(database, recording);
    MetaWriter write_field(database);
    write_field("format", recording.format);
    write_field("device_names",
                std::string(fmt::format("{}", fmt::join(recording.device_names, "\n"))));
  } catch (const SqliteError& error) {
    throw cannot_write(impl_->path, error.what());
  }
}

void RunFileWriter::finish() {
  try {
    impl_->database.execute("UPDATE meta SET value = 1 WHERE key = 'complete'");
  } catch (const SqliteError& error) {
    throw cannot_write(impl_->path, error.what());
  }
}

}  // namespace rackwright::profiler
