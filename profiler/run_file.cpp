#include "profiler/run_file.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <functional>
#include <map>
#include <utility>

#include <fmt/format.h>
#include <sqlite3.h>

#include "common/csv_reader.hpp"
#include "profiler/plan_json.hpp"
#include "profiler/sqlite.hpp"

namespace rackwright::profiler {

namespace {

constexpr std::int64_t kApplicationId = 0x524b5752;  // "RKWR"
constexpr std::int64_t kFormat = 1;
constexpr std::size_t kRowsPerTransaction = 50000;

constexpr const char* kSchema = R"sql(
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE slices (start_s REAL NOT NULL, duration_s REAL NOT NULL, watts REAL NOT NULL,
                     step INTEGER NOT NULL, class INTEGER NOT NULL);
CREATE TABLE classes (class INTEGER PRIMARY KEY, name TEXT NOT NULL);
CREATE TABLE operators (class INTEGER PRIMARY KEY, seconds REAL, joules REAL, flops REAL,
                        memory_bytes REAL, wire_bytes REAL);
CREATE TABLE counters (name TEXT NOT NULL, start_s REAL NOT NULL, duration_s REAL NOT NULL,
                       value REAL NOT NULL);
CREATE TABLE traffic (link TEXT PRIMARY KEY, bytes REAL, peak_bytes_per_s REAL);
CREATE TABLE requests (arrival_s REAL, first_token_s REAL, finish_s REAL, prompt_tokens INTEGER,
                       cached_tokens INTEGER, output_tokens INTEGER, preemptions INTEGER);
)sql";

/// The scalar members of a trace by name, so that writing and reading cannot differ.
using Visit = std::function<void(const char*, double&)>;
void visit_numbers(Trace& t, const Visit& visit) {
  const std::array<std::pair<const char*, double*>, 20> numbers{{
      {"relative_error", &t.relative_error},
      {"load_factor", &t.load_factor},
      {"idle_w", &t.idle_w},
      {"end_s", &t.end_s},
      {"collectives", &t.traffic.collectives},
      {"engine.busy_s", &t.engine.busy_s},
      {"engine.end_s", &t.engine.end_s},
      {"metrics.ttft_p50_s", &t.metrics.ttft_p50},
      {"metrics.ttft_p90_s", &t.metrics.ttft_p90},
      {"metrics.ttft_p99_s", &t.metrics.ttft_p99},
      {"metrics.ttft_p99_low_s", &t.metrics.ttft_p99_low},
      {"metrics.ttft_p99_high_s", &t.metrics.ttft_p99_high},
      {"metrics.tpot_p50_s", &t.metrics.tpot_p50},
      {"metrics.tpot_p90_s", &t.metrics.tpot_p90},
      {"metrics.tpot_p99_s", &t.metrics.tpot_p99},
      {"metrics.tpot_p99_low_s", &t.metrics.tpot_p99_low},
      {"metrics.tpot_p99_high_s", &t.metrics.tpot_p99_high},
      {"metrics.attainment", &t.metrics.attainment},
      {"metrics.output_tokens_per_s", &t.metrics.output_tokens_per_s},
      {"metrics.prompt_tokens_per_s", &t.metrics.prompt_tokens_per_s},
  }};
  for (const auto& [name, value] : numbers) visit(name, *value);
}

void visit_counts(Trace& t, const std::function<void(const char*, std::uint64_t&)>& visit) {
  visit("seed", t.seed);
  visit("engine.steps", t.engine.steps);
  visit("engine.prefill_tokens", t.engine.prefill_tokens);
  visit("engine.recomputed_tokens", t.engine.recomputed_tokens);
  visit("engine.output_tokens", t.engine.output_tokens);
  visit("engine.preemptions", t.engine.preemptions);
  visit("metrics.requests", t.metrics.requests);
}

void visit_flags(Trace& t, const std::function<void(const char*, bool&)>& visit) {
  visit("extrapolated", t.extrapolated);
  visit("idle_unknown", t.idle_unknown);
  visit("incomplete", t.incomplete);
  visit("engine.gave_up", t.engine.gave_up);
}

void visit_texts(Trace& t, const std::function<void(const char*, std::string&)>& visit) {
  visit("workload", t.workload);
  visit("device", t.device);
  visit("backend", t.backend);
  visit("incomplete_reason", t.incomplete_reason);
}

void visit_meta(RunMeta& m, const std::function<void(const char*, std::string&)>& visit) {
  visit("version", m.version);
  visit("command", m.command);
  visit("machine", m.machine);
  visit("data_hash", m.data_hash);
  visit("workload_json", m.workload_json);
}

InputError unusable(const std::filesystem::path& path, std::string expected, std::string found) {
  return InputError(InputProblem{path.string(), 0, "", std::move(expected), std::move(found)});
}

/// Commits every kRowsPerTransaction rows, so that a killed run leaves what was written.
class Batch {
 public:
  explicit Batch(Database& database) : database_(database) { database_.execute("BEGIN"); }
  void row() {
    if (++rows_ % kRowsPerTransaction == 0) database_.execute("COMMIT; BEGIN");
  }
  void commit() { database_.execute("COMMIT"); }

 private:
  Database& database_;
  std::size_t rows_ = 0;
};

}  // namespace

struct RunFileWriter::Impl {
  Impl(const std::filesystem::path& path) : database(path, Database::Access::create) {}
  Database database;

  void meta(const char* key, const std::string& value) {
    Statement insert(database, "INSERT OR REPLACE INTO meta VALUES (?, ?)");
    insert.bind(0, std::string_view(key)).bind(1, std::string_view(value)).run();
  }
};

RunFileWriter::RunFileWriter(const std::filesystem::path& path, const RunMeta& meta) {
  if (std::filesystem::is_directory(path)) {
    throw unusable(path, "a file to write", "a folder");
  }
  std::error_code ignored;
  std::filesystem::remove(path, ignored);
  std::filesystem::remove(path.string() + "-journal", ignored);
  try {
    impl_ = std::make_unique<Impl>(path);
    impl_->database.execute(
        fmt::format("PRAGMA application_id = {}; PRAGMA user_version = {};"
                    "PRAGMA synchronous = NORMAL;",
                    kApplicationId, kFormat));
    impl_->database.execute("BEGIN");
    impl_->database.execute(kSchema);
    RunMeta copy = meta;
    visit_meta(copy, [this](const char* key, std::string& value) { impl_->meta(key, value); });
    impl_->meta("state", "incomplete: the writer did not finish");
    Statement insert(impl_->database, "INSERT INTO classes VALUES (?, ?)");
    for (std::int64_t c = 0; c < workloads::kOperatorClassCount; ++c) {
      insert.bind(0, c).bind(1, to_string(static_cast<workloads::OperatorClass>(c))).run();
    }
    impl_->database.execute("COMMIT");
  } catch (const SqliteError& error) {
    throw unusable(path, "a place that can be written", error.what());
  }
}

RunFileWriter::~RunFileWriter() = default;

namespace {

void write_slices(Database& database, const Trace& trace, Batch& batch) {
  Statement insert(database, "INSERT INTO slices VALUES (?, ?, ?, ?, ?)");
  for (const Slice& s : trace.slices) {
    insert.bind(0, s.start_s)
        .bind(1, static_cast<double>(s.duration_s))
        .bind(2, static_cast<double>(s.watts))
        .bind(3, static_cast<std::int64_t>(s.step))
        .bind(4, static_cast<std::int64_t>(s.op_class))
        .run();
    batch.row();
  }
}

void write_requests(Database& database, const Trace& trace, Batch& batch) {
  Statement insert(database, "INSERT INTO requests VALUES (?, ?, ?, ?, ?, ?, ?)");
  for (const auto& r : trace.engine.requests) {
    insert.bind(0, r.arrival_s)
        .bind(1, r.first_token_s)
        .bind(2, r.finish_s)
        .bind(3, static_cast<std::int64_t>(r.prompt_tokens))
        .bind(4, static_cast<std::int64_t>(r.cached_tokens))
        .bind(5, static_cast<std::int64_t>(r.output_tokens))
        .bind(6, static_cast<std::int64_t>(r.preemptions))
        .run();
    batch.row();
  }
}

void write_totals(Database& database, const Trace& trace) {
  Statement totals(database, "INSERT OR REPLACE INTO operators VALUES (?, ?, ?, ?, ?, ?)");
  for (std::size_t c = 0; c < trace.totals.size(); ++c) {
    const ClassTotal& t = trace.totals[c];
    totals.bind(0, static_cast<std::int64_t>(c))
        .bind(1, t.seconds)
        .bind(2, t.joules)
        .bind(3, t.flops)
        .bind(4, t.memory_bytes)
        .bind(5, t.wire_bytes)
        .run();
  }
  Statement traffic(database, "INSERT OR REPLACE INTO traffic VALUES (?, ?, ?)");
  traffic.bind(0, std::string_view("scale_up"))
      .bind(1, trace.traffic.scale_up_bytes)
      .bind(2, trace.traffic.scale_up_peak_bytes_per_s)
      .run();
  traffic.bind(0, std::string_view("scale_out"))
      .bind(1, trace.traffic.scale_out_bytes)
      .bind(2, trace.traffic.scale_out_peak_bytes_per_s)
      .run();
}

/// Mean power of one GPU over each second, for people who query the file.
void write_power_counter(Database& database, const Trace& trace, Batch& batch) {
  if (trace.slices.empty()) return;
  Statement insert(database, "INSERT INTO counters VALUES ('gpu_power_w', ?, ?, ?)");
  const auto means = windowed_means(power_timeline(trace), 1.0);
  for (std::size_t i = 0; i < means.size(); ++i) {
    const auto start = static_cast<double>(i);
    insert.bind(0, start).bind(1, std::min(1.0, trace.end_s - start)).bind(2, means[i]).run();
    batch.row();
  }
}

}  // namespace

void RunFileWriter::write(const Trace& trace) {
  try {
    Batch batch(impl_->database);
    Trace scalars = trace;
    scalars.slices.clear();
    visit_texts(scalars, [this](const char* key, std::string& v) { impl_->meta(key, v); });
    visit_numbers(scalars,
                  [this](const char* key, double& v) { impl_->meta(key, fmt::format("{}", v)); });
    visit_counts(scalars, [this](const char* key, std::uint64_t& v) {
      impl_->meta(key, std::to_string(v));
    });
    visit_flags(scalars, [this](const char* key, bool& v) { impl_->meta(key, v ? "1" : "0"); });
    impl_->meta("origin", std::string(to_string(trace.origin)));
    impl_->meta("plan", plan_to_json(trace.plan));
    write_totals(impl_->database, trace);
    write_requests(impl_->database, trace, batch);
    write_slices(impl_->database, trace, batch);
    write_power_counter(impl_->database, trace, batch);
    batch.commit();
  } catch (const SqliteError& error) {
    throw InputError(InputProblem{"run file", 0, "", "room to write", error.what()});
  }
}

void RunFileWriter::finish() {
  impl_->meta("state", "complete");
}

namespace {

double number_of(const std::map<std::string, std::string>& meta, const char* key) {
  const auto it = meta.find(key);
  if (it == meta.end()) return 0;
  double value = 0;
  std::from_chars(it->second.data(), it->second.data() + it->second.size(), value);
  return value;
}

std::uint64_t count_of(const std::map<std::string, std::string>& meta, const char* key) {
  const auto it = meta.find(key);
  if (it == meta.end()) return 0;
  std::uint64_t value = 0;
  std::from_chars(it->second.data(), it->second.data() + it->second.size(), value);
  return value;
}

std::string text_of(const std::map<std::string, std::string>& meta, const char* key) {
  const auto it = meta.find(key);
  return it == meta.end() ? std::string() : it->second;
}

void read_rows(Database& database, Trace& trace) {
  Statement slices(database,
                   "SELECT start_s, duration_s, watts, step, class FROM slices ORDER BY rowid");
  while (slices.step()) {
    trace.slices.push_back({slices.number(0), static_cast<float>(slices.number(1)),
                            static_cast<float>(slices.number(2)),
                            static_cast<std::uint32_t>(slices.integer(3)),
                            static_cast<workloads::OperatorClass>(slices.integer(4))});
  }
  Statement requests(database, "SELECT * FROM requests ORDER BY rowid");
  while (requests.step()) {
    workloads::RequestOutcome r;
    r.arrival_s = requests.number(0);
    r.first_token_s = requests.number(1);
    r.finish_s = requests.number(2);
    r.prompt_tokens = static_cast<std::uint32_t>(requests.integer(3));
    r.cached_tokens = static_cast<std::uint32_t>(requests.integer(4));
    r.output_tokens = static_cast<std::uint32_t>(requests.integer(5));
    r.preemptions = static_cast<std::uint16_t>(requests.integer(6));
    trace.engine.requests.push_back(r);
  }
  Statement totals(database,
                   "SELECT class, seconds, joules, flops, memory_bytes, wire_bytes FROM operators");
  while (totals.step()) {
    const auto c = static_cast<std::size_t>(totals.integer(0));
    if (c >= trace.totals.size()) continue;
    trace.totals[c] = {totals.number(1), totals.number(2), totals.number(3), totals.number(4),
                       totals.number(5)};
  }
  Statement traffic(database, "SELECT link, bytes, peak_bytes_per_s FROM traffic");
  while (traffic.step()) {
    const bool up = traffic.text(0) == "scale_up";
    (up ? trace.traffic.scale_up_bytes : trace.traffic.scale_out_bytes) = traffic.number(1);
    (up ? trace.traffic.scale_up_peak_bytes_per_s : trace.traffic.scale_out_peak_bytes_per_s) =
        traffic.number(2);
  }
}

void read_scalars(const std::map<std::string, std::string>& meta, RunFile& file,
                  const std::string& name) {
  visit_meta(file.meta, [&](const char* key, std::string& v) { v = text_of(meta, key); });
  Trace& trace = file.trace;
  visit_texts(trace, [&](const char* key, std::string& v) { v = text_of(meta, key); });
  visit_numbers(trace, [&](const char* key, double& v) { v = number_of(meta, key); });
  visit_counts(trace, [&](const char* key, std::uint64_t& v) { v = count_of(meta, key); });
  visit_flags(trace, [&](const char* key, bool& v) { v = text_of(meta, key) == "1"; });
  for (const Origin origin :
       {Origin::measured, Origin::modelled, Origin::catalogue, Origin::assumed}) {
    if (text_of(meta, "origin") == to_string(origin)) trace.origin = origin;
  }
  if (const auto plan = text_of(meta, "plan"); !plan.empty()) {
    trace.plan = plan_from_json(plan, name);
  }
  if (const auto state = text_of(meta, "state"); state != "complete") {
    trace.incomplete = true;
    if (trace.incomplete_reason.empty()) trace.incomplete_reason = state;
  }
}

}  // namespace

RunFile read_run_file(const std::filesystem::path& path) {
  { const auto readable = open_input(path); }
  RunFile file;
  try {
    Database database(path, Database::Access::read);
    if (database.integer("PRAGMA application_id") != kApplicationId) {
      throw unusable(path, "a run file of rackwright (*.rw)", "another SQLite database");
    }
    const auto format = database.integer("PRAGMA user_version");
    if (format > kFormat) {
      throw unusable(path, fmt::format("run file format {} or older", kFormat),
                     fmt::format("format {}: written by a newer version", format));
    }
    std::map<std::string, std::string> meta;
    Statement rows(database, "SELECT key, value FROM meta");
    while (rows.step()) meta[rows.text(0)] = rows.text(1);
    read_scalars(meta, file, path.string());
    read_rows(database, file.trace);
  } catch (const SqliteError& error) {
    const bool foreign = error.code() == SQLITE_NOTADB;
    throw unusable(path, foreign ? "a run file of rackwright (*.rw)" : "an undamaged run file",
                   foreign ? "a file of another kind" : error.what());
  }
  return file;
}

}  // namespace rackwright::profiler
