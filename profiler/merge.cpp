#include "profiler/merge.hpp"

#include <algorithm>
#include <limits>
#include <map>

#include <fmt/format.h>

#include "common/input_error.hpp"
#include "profiler/rank_file.hpp"
#include "profiler/run_file.hpp"

namespace rackwright::profiler {

namespace fs = std::filesystem;

namespace {

/// Columns that hold a moment of the run.
constexpr std::string_view kMoments[] = {"start_s", "arrival_s", "first_token_s", "finish_s"};

/// Local seconds of a rank to the run's: run = shift + (1 + drift) x local.
struct TimeBase {
  double shift = 0;
  double drift = 0;
};

struct Rank {
  MergedRank summary;
  RankMeta meta;
  fs::path path;
  RunFile run;
  TimeBase base;
  bool readable = false;
};

std::map<int, fs::path> rank_files(const fs::path& folder) {
  std::error_code error;
  if (!fs::is_directory(folder, error)) {
    throw InputError(InputProblem{folder.string(), 0, "", "a folder of rank files", "none"});
  }
  std::map<int, fs::path> files;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (const auto rank = rank_of_name(entry.path().filename().string())) {
      files.emplace(*rank, entry.path());
    }
  }
  if (files.empty()) {
    throw InputError(
        InputProblem{folder.string(), 0, "", "files named rank-0000.rw, rank-0001.rw, …", "none"});
  }
  return files;
}

double busy_seconds(const Trace& trace) {
  double busy = 0;
  for (const Slice& slice : trace.slices) busy += double{slice.duration_s};
  return busy;
}

Rank read_rank(int number, const fs::path& path) {
  Rank rank;
  rank.path = path;
  rank.meta.rank = number;
  rank.meta.ranks = 0;
  rank.summary.rank = number;
  rank.summary.file = path.filename().string();
  try {
    rank.run = read_run_file(path);
    Database database(path, Database::Access::read);
    if (const auto meta = read_rank_meta(database)) rank.meta = *meta;
  } catch (const InputError& error) {
    rank.summary.reason = error.what();
    return rank;
  }
  if (rank.meta.rank != number) {
    throw InputError(InputProblem{path.string(), 0, "meta.rank.rank",
                                  fmt::format("{} as in the name", number),
                                  std::to_string(rank.meta.rank)});
  }
  const Trace& trace = rank.run.trace;
  rank.readable = true;
  rank.summary.host = rank.meta.host;
  rank.summary.complete = !trace.incomplete;
  rank.summary.reason = trace.incomplete_reason;
  rank.summary.slices = trace.slices.size();
  rank.summary.requests = trace.engine.requests.size();
  rank.summary.busy_s = busy_seconds(trace);
  return rank;
}

/// The number of ranks that the files state; the highest rank + 1 when none does.
int rank_count(const std::vector<Rank>& ranks) {
  const Rank* first = nullptr;
  int count = 0;
  for (const Rank& rank : ranks) {
    count = std::max(count, rank.summary.rank + 1);
    if (rank.meta.ranks == 0) continue;
    if (first == nullptr) first = &rank;
    if (rank.meta.ranks != first->meta.ranks) {
      throw InputError(InputProblem{
          rank.path.string(), 0, "meta.rank.ranks",
          fmt::format("{} as in {}", first->meta.ranks, first->path.filename().string()),
          fmt::format("{}: files of different runs", rank.meta.ranks)});
    }
  }
  if (first == nullptr) return count;
  if (count > first->meta.ranks) {
    throw InputError(InputProblem{ranks.back().path.string(), 0, "name",
                                  fmt::format("a rank below {}", first->meta.ranks),
                                  std::to_string(count - 1)});
  }
  return first->meta.ranks;
}

/// Start of a rank on the clock of rank 0, counted from `origin_ns`.
double aligned_start(const RankMeta& meta, std::int64_t origin_ns) {
  const double since = static_cast<double>(meta.start_ns - origin_ns) * 1e-9;
  return meta.clock ? since + meta.clock->offset_at(static_cast<double>(meta.start_ns) * 1e-9)
                    : since;
}

/// Puts all ranks on the clock of rank 0, the earliest start at 0 s. A rank whose start is not
/// known starts there too.
void align(std::vector<Rank>& ranks) {
  const auto known = [](const Rank& rank) { return rank.readable && rank.meta.start_ns != 0; };
  const auto first = std::find_if(ranks.begin(), ranks.end(), known);
  if (first == ranks.end()) return;
  const std::int64_t origin_ns = first->meta.start_ns;
  double earliest = std::numeric_limits<double>::infinity();
  for (const Rank& rank : ranks) {
    if (known(rank)) earliest = std::min(earliest, aligned_start(rank.meta, origin_ns));
  }
  for (Rank& rank : ranks) {
    if (!known(rank)) continue;
    rank.base.shift = rank.summary.start_s = aligned_start(rank.meta, origin_ns) - earliest;
    if (!rank.meta.clock) continue;
    const ClockAlignment& clock = *rank.meta.clock;
    rank.base.drift = clock.offset_at(clock.start.at_s + 1) - clock.offset_at(clock.start.at_s);
    rank.summary.clock_bound_s = clock.bound_s();
  }
}

void shift_times(Trace& trace, const TimeBase& base) {
  const auto moved = [&](double s) { return base.shift + (1 + base.drift) * s; };
  for (Slice& slice : trace.slices) slice.start_s = moved(slice.start_s);
  for (auto& request : trace.engine.requests) {
    request.arrival_s = moved(request.arrival_s);
    request.first_token_s = moved(request.first_token_s);
    request.finish_s = moved(request.finish_s);
  }
  trace.end_s = moved(trace.end_s);
}

/// What stands for the run: the heaviest rank, with the requests of the rank that served most.
RunFile run_of(std::vector<Rank>& ranks, const MergeResult& result) {
  const auto heavier = [](const Rank& a, const Rank& b) {
    return std::pair(a.readable, a.summary.busy_s) < std::pair(b.readable, b.summary.busy_s);
  };
  Rank& heaviest = *std::max_element(ranks.begin(), ranks.end(), heavier);
  heaviest.summary.heaviest = true;
  const Rank& server = *std::max_element(
      ranks.begin(), ranks.end(),
      [](const Rank& a, const Rank& b) { return a.summary.requests < b.summary.requests; });
  RunFile run = heaviest.run;
  shift_times(run.trace, heaviest.base);
  if (server.summary.requests > heaviest.summary.requests) {
    Trace served = server.run.trace;
    shift_times(served, server.base);
    run.trace.engine = served.engine;
    run.trace.metrics = served.metrics;
  }
  for (const Rank& rank : ranks) {
    if (!rank.readable) continue;
    run.trace.end_s =
        std::max(run.trace.end_s, rank.base.shift + (1 + rank.base.drift) * rank.run.trace.end_s);
  }
  run.trace.incomplete = result.incomplete;
  run.trace.incomplete_reason = fmt::format("{}", fmt::join(result.notes, "; "));
  return run;
}

std::vector<std::string> texts(Database& database, const std::string& sql) {
  std::vector<std::string> result;
  Statement row(database, sql);
  while (row.step()) result.push_back(row.text(0));
  return result;
}

/// Copies every table of the attached file, moments moved to the run's time base.
void copy_tables(Database& database, const Rank& rank) {
  const auto tables =
      texts(database,
            "SELECT name FROM source.sqlite_master WHERE type = 'table' AND name NOT LIKE "
            "'sqlite_%' ORDER BY name");
  for (const std::string& table : tables) {
    const auto columns =
        texts(database, fmt::format("SELECT name FROM pragma_table_info('{}', 'source')", table));
    std::string values = std::to_string(rank.summary.rank), names = "rank INTEGER";
    for (const std::string& column : columns) {
      const bool moment = std::ranges::find(kMoments, column) != std::end(kMoments);
      names += fmt::format(", \"{}\"", column);
      values += moment ? fmt::format(", {:.17g} + {:.17g} * \"{}\"", rank.base.shift,
                                     1 + rank.base.drift, column)
                       : fmt::format(", \"{}\"", column);
    }
    database.execute(fmt::format("CREATE TABLE IF NOT EXISTS main.\"rank_{}\" ({})", table, names));
    database.execute(
        fmt::format("INSERT INTO main.\"rank_{0}\" SELECT {1} FROM source.\"{0}\"", table, values));
  }
}

void write_ranks(Database& database, const std::vector<Rank>& ranks) {
  database.execute(
      "CREATE TABLE ranks (rank INTEGER PRIMARY KEY, file TEXT NOT NULL, host TEXT NOT NULL, "
      "complete INTEGER NOT NULL, reason TEXT NOT NULL, start_s REAL NOT NULL, clock_bound_s REAL, "
      "slices INTEGER NOT NULL, requests INTEGER NOT NULL, busy_s REAL NOT NULL, heaviest INTEGER "
      "NOT NULL)");
  for (const Rank& rank : ranks) {
    const MergedRank& row = rank.summary;
    Statement insert(database, "INSERT INTO ranks VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
    insert.bind(0, std::int64_t{row.rank})
        .bind(1, row.file)
        .bind(2, row.host)
        .bind(3, std::int64_t{row.complete})
        .bind(4, row.reason)
        .bind(5, row.start_s)
        .bind(7, static_cast<std::int64_t>(row.slices))
        .bind(8, static_cast<std::int64_t>(row.requests))
        .bind(9, row.busy_s)
        .bind(10, std::int64_t{row.heaviest});
    if (row.clock_bound_s) insert.bind(6, *row.clock_bound_s);
    insert.run();
  }
}

void write_rank_tables(const fs::path& output, const std::vector<Rank>& ranks) {
  Database database(output, Database::Access::read);
  database.execute("BEGIN");
  write_ranks(database, ranks);
  database.execute("COMMIT");
  for (const Rank& rank : ranks) {
    if (!rank.readable) continue;
    {
      Statement attach(database, "ATTACH ? AS source");
      attach.bind(0, rank.path.string());
      attach.run();
    }
    database.execute("BEGIN");
    copy_tables(database, rank);
    database.execute("COMMIT");
    database.execute("DETACH source");
  }
}

/// Says what is missing; complete runs have no note but that of clocks.
void note_gaps(const std::vector<Rank>& ranks, int count, MergeResult& result) {
  for (const Rank& rank : ranks) {
    if (rank.summary.complete) continue;
    result.incomplete = true;
    result.notes.push_back(
        rank.summary.file.empty()
            ? fmt::format("rank {} of {} left no file", rank.summary.rank, count)
            : fmt::format("rank {} of {}: {}", rank.summary.rank, count, rank.summary.reason));
  }
}

std::vector<std::string> clock_notes(const std::vector<Rank>& ranks) {
  std::vector<std::string> notes;
  for (const Rank& rank : ranks) {
    if (!rank.readable || ranks.size() == 1) continue;
    if (!rank.meta.disturbance.empty()) {
      notes.push_back(fmt::format("rank {}: {}: its times are off by up to that", rank.summary.rank,
                                  rank.meta.disturbance));
    }
    if (rank.meta.start_ns == 0) {
      notes.push_back(
          fmt::format("rank {}: its start was not recorded: it is put at 0 s", rank.summary.rank));
    } else if (!rank.meta.clock && rank.summary.rank != 0) {
      notes.push_back(
          fmt::format("rank {}: no clock offset was taken: its times are by its own "
                      "clock",
                      rank.summary.rank));
    }
  }
  return notes;
}

}  // namespace

MergeResult merge_ranks(const fs::path& folder, const fs::path& output) {
  std::error_code error;
  if (fs::exists(output, error)) {
    throw InputError(
        InputProblem{output.string(), 0, "-o", "a file that does not exist yet", "one that does"});
  }
  std::vector<Rank> ranks;
  for (const auto& [number, path] : rank_files(folder)) ranks.push_back(read_rank(number, path));
  if (std::none_of(ranks.begin(), ranks.end(), [](const Rank& r) { return r.readable; })) {
    throw InputError(
        InputProblem{folder.string(), 0, "", "a readable rank file", ranks.front().summary.reason});
  }
  const int count = rank_count(ranks);
  for (int number = 0; number < count; ++number) {
    const auto at = std::find_if(ranks.begin(), ranks.end(),
                                 [&](const Rank& r) { return r.summary.rank >= number; });
    if (at != ranks.end() && at->summary.rank == number) continue;
    Rank missing;
    missing.summary.rank = number;
    ranks.insert(at, missing);
  }
  align(ranks);
  MergeResult result;
  note_gaps(ranks, count, result);
  const RunFile run = run_of(ranks, result);
  const fs::path part = output.string() + ".part";
  try {
    {
      RunFileWriter writer(part, run.meta);
      writer.write(run.trace);
      if (!result.incomplete) writer.finish();
    }
    write_rank_tables(part, ranks);
  } catch (const SqliteError& failure) {
    fs::remove(part, error);
    throw InputError(
        InputProblem{output.string(), 0, "-o", "a run file that can be written", failure.what()});
  }
  fs::rename(part, output);
  for (auto& note : clock_notes(ranks)) result.notes.push_back(std::move(note));
  for (const Rank& rank : ranks) result.ranks.push_back(rank.summary);
  return result;
}

}  // namespace rackwright::profiler
