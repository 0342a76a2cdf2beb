#include <system_error>

#include <fmt/format.h>

#include "common/csv_reader.hpp"
#include "common/input_error.hpp"
#include "profiler/plan_json.hpp"
#include "profiler/run_file_recording.hpp"
#include "profiler/run_schema.hpp"
#include "profiler/sqlite.hpp"

namespace rackwright::profiler {

namespace fs = std::filesystem;

namespace {

constexpr std::string_view kMagic{"SQLite format 3\0", 16};

InputError not_a_run(const fs::path& path, std::string found) {
  return InputError(InputProblem{path.string(), 0, "", "a run file (*.rw)", std::move(found)});
}
InputError damaged(const fs::path& path, std::string found) {
  return InputError(InputProblem{path.string(), 0, "", "an undamaged run file", std::move(found)});
}

/// The first 72 bytes; fewer when the file is shorter.
std::string header_of(const fs::path& path) {
  std::ifstream stream = open_input(path);
  std::string header(72, '\0');
  stream.read(header.data(), static_cast<std::streamsize>(header.size()));
  header.resize(static_cast<std::size_t>(stream.gcount()));
  return header;
}

void check_magic(const fs::path& path) {
  const std::string header = header_of(path);
  if (header.empty()) throw not_a_run(path, "an empty file");
  if (!header.starts_with(kMagic)) throw not_a_run(path, "no SQLite database");
}

void check_format(const fs::path& path, Database& database) {
  const std::int64_t application = database.integer("PRAGMA application_id");
  if (application != kApplicationId) {
    throw not_a_run(
        path,
        fmt::format("an SQLite database of another program (application id {:#x})", application));
  }
  const std::int64_t version = database.integer("PRAGMA user_version");
  if (version > kFormatVersion) {
    throw InputError(InputProblem{
        path.string(), 0, "user_version", fmt::format("format {} or older", kFormatVersion),
        fmt::format("format {}, written by a newer rackwright: update to read it", version)});
  }
  if (version < 1) throw damaged(path, fmt::format("format {}", version));
  const auto expected = static_cast<std::uintmax_t>(database.integer("PRAGMA page_count")) *
                        static_cast<std::uintmax_t>(database.integer("PRAGMA page_size"));
  std::error_code error;
  const std::uintmax_t size = fs::file_size(path, error);
  if (!error && size < expected) {
    throw damaged(path, fmt::format("a truncated one: {} of {} bytes", size, expected));
  }
}

/// Reads one field of `meta`.
class MetaReader {
 public:
  MetaReader(const fs::path& path, Database& database)
      : path_(path), select_(database, "SELECT value FROM meta WHERE key = ?") {}

  void operator()(std::string_view key, std::string& value) { value = Row(*this, key).text(); }
  void operator()(std::string_view key, double& value) { value = Row(*this, key).number(); }
  void operator()(std::string_view key, bool& value) { value = Row(*this, key).integer() != 0; }
  void operator()(std::string_view key, std::uint64_t& value) {
    value = static_cast<std::uint64_t>(Row(*this, key).integer());
  }
  void operator()(std::string_view key, Origin& value) {
    const std::string word = Row(*this, key).text();
    for (const Origin origin :
         {Origin::measured, Origin::modelled, Origin::catalogue, Origin::assumed}) {
      if (to_string(origin) == word) {
        value = origin;
        return;
      }
    }
    throw damaged(path_, fmt::format("meta.{} = \"{}\"", key, word));
  }
  void operator()(std::string_view key, workloads::ServingPlan& plan) {
    plan = plan_from_json(Row(*this, key).text(), path_.string() + ": meta." + std::string(key));
  }

 private:
  /// The value of one key while it lives.
  class Row {
   public:
    Row(MetaReader& reader, std::string_view key) : select_(reader.select_) {
      select_.bind(0, key);
      if (!select_.step()) {
        select_.reset();
        throw damaged(reader.path_, fmt::format("no meta.{}", key));
      }
    }
    ~Row() { select_.reset(); }
    Row(const Row&) = delete;
    Row& operator=(const Row&) = delete;
    [[nodiscard]] std::string text() const { return select_.text(0); }
    [[nodiscard]] double number() const { return select_.number(0); }
    [[nodiscard]] std::int64_t integer() const { return select_.integer(0); }

   private:
    Statement& select_;
  };

  const fs::path& path_;
  Statement select_;
};

std::size_t class_index(const fs::path& path, std::int64_t value) {
  if (value < 0 || value >= workloads::kOperatorClassCount) {
    throw damaged(path, fmt::format("operator class {}", value));
  }
  return static_cast<std::size_t>(value);
}

void read_totals(const fs::path& path, Database& database, Trace& trace) {
  Statement row(database,
                "SELECT class, seconds, joules, flops, memory_bytes, wire_bytes FROM operators");
  while (row.step()) {
    trace.totals[class_index(path, row.integer(0))] = {row.number(1), row.number(2), row.number(3),
                                                       row.number(4), row.number(5)};
  }
}

void read_traffic(Database& database, Traffic& traffic) {
  Statement row(database, "SELECT link, bytes, peak_bytes_per_s FROM traffic");
  while (row.step()) {
    const bool up = row.text(0) == "scale_up";
    (up ? traffic.scale_up_bytes : traffic.scale_out_bytes) = row.number(1);
    (up ? traffic.scale_up_peak_bytes_per_s : traffic.scale_out_peak_bytes_per_s) = row.number(2);
  }
}

void read_requests(Database& database, std::vector<workloads::RequestOutcome>& requests) {
  Statement row(database,
                "SELECT arrival_s, first_token_s, finish_s, prompt_tokens, cached_tokens, "
                "output_tokens, preemptions FROM requests ORDER BY id");
  while (row.step()) {
    auto& request = requests.emplace_back();
    request.arrival_s = row.number(0);
    request.first_token_s = row.number(1);
    request.finish_s = row.number(2);
    request.prompt_tokens = static_cast<std::uint32_t>(row.integer(3));
    request.cached_tokens = static_cast<std::uint32_t>(row.integer(4));
    request.output_tokens = static_cast<std::uint32_t>(row.integer(5));
    request.preemptions = static_cast<std::uint16_t>(row.integer(6));
  }
}

void read_slices(const fs::path& path, Database& database, std::vector<Slice>& slices) {
  Statement row(database, "SELECT start_s, duration_s, step, class, watts FROM slices ORDER BY id");
  while (row.step()) {
    auto& slice = slices.emplace_back();
    slice.start_s = row.number(0);
    slice.duration_s = static_cast<float>(row.number(1));
    slice.step = static_cast<std::uint32_t>(row.integer(2));
    slice.op_class = static_cast<workloads::OperatorClass>(class_index(path, row.integer(3)));
    slice.watts = static_cast<float>(row.number(4));
  }
}

RunFile read_content(const fs::path& path, Database& database) {
  RunFile run;
  MetaReader read_field(path, database);
  visit_meta(run.meta, run.trace, read_field);
  read_totals(path, database, run.trace);
  read_traffic(database, run.trace.traffic);
  read_requests(database, run.trace.engine.requests);
  read_slices(path, database, run.trace.slices);
  if (database.integer("PRAGMA user_version") >= kFirstWithRecording) {
    read_field("power_unknown", run.trace.power_unknown);
    run.recording = read_recording(database);
    if (!run.recording.counts.empty()) {
      read_field("format", run.recording.format);
      run.recording.requests = run.trace.engine.requests;
    }
  }
  bool complete = false;
  read_field("complete", complete);
  if (!complete && !run.trace.incomplete) {
    run.trace.incomplete = true;
    run.trace.incomplete_reason = fmt::format(
        "the program ended before the run file was complete; {} requests and {} slices "
        "are in it",
        run.trace.engine.requests.size(), run.trace.slices.size());
  }
  return run;
}

}  // namespace

bool has_run_header(const fs::path& path) {
  const std::string header = header_of(path);
  if (header.size() < 72 || !header.starts_with(kMagic)) return false;
  std::int64_t application = 0;
  for (std::size_t i = 68; i < 72; ++i) {
    application = application * 256 + static_cast<unsigned char>(header[i]);
  }
  return application == kApplicationId;
}

RunFile read_run_file(const fs::path& path) {
  check_magic(path);
  try {
    Database database(path, Database::Access::read);
    check_format(path, database);
    return read_content(path, database);
  } catch (const SqliteError& error) {
    throw damaged(path, error.what());
  }
}

}  // namespace rackwright::profiler
