#include "profiler/rank_file.hpp"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "common/input_error.hpp"

namespace rackwright::profiler {

namespace {

constexpr std::string_view kPrefix = "rank-", kSuffix = ".rw";

/// One field of `meta`, or blank.
class MetaField {
 public:
  explicit MetaField(Database& database)
      : select_(database, "SELECT value FROM meta WHERE key = ?") {}
  template <class Take>
  bool take(std::string_view key, Take&& take) {
    select_.bind(0, key);
    const bool there = select_.step();
    if (there) take(select_);
    select_.reset();
    return there;
  }
  double number(std::string_view key) {
    double value = 0;
    take(key, [&](Statement& row) { value = row.number(0); });
    return value;
  }

 private:
  Statement select_;
};

}  // namespace

void write_rank_meta(const std::filesystem::path& path, const RankMeta& meta) {
  try {
    Database database(path, Database::Access::read);
    Statement insert(database, "INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)");
    const auto put = [&](std::string_view key, auto value) {
      insert.bind(0, key).bind(1, value).run();
    };
    database.execute("BEGIN");
    put("rank.rank", std::int64_t{meta.rank});
    put("rank.ranks", std::int64_t{meta.ranks});
    put("rank.host", std::string_view(meta.host));
    put("rank.start_ns", meta.start_ns);
    put("rank.disturbance", std::string_view(meta.disturbance));
    if (meta.clock) {
      put("rank.clock_start_at_s", meta.clock->start.at_s);
      put("rank.clock_start_offset_s", meta.clock->start.offset_s);
      put("rank.clock_start_bound_s", meta.clock->start.bound_s);
      put("rank.clock_end_at_s", meta.clock->end.at_s);
      put("rank.clock_end_offset_s", meta.clock->end.offset_s);
      put("rank.clock_end_bound_s", meta.clock->end.bound_s);
    }
    database.execute("COMMIT");
  } catch (const SqliteError& error) {
    throw InputError(
        InputProblem{path.string(), 0, "", "a run file that can be extended", error.what()});
  }
}

std::optional<RankMeta> read_rank_meta(Database& database) {
  MetaField field(database);
  RankMeta meta;
  if (!field.take("rank.rank",
                  [&](Statement& row) { meta.rank = static_cast<int>(row.integer(0)); })) {
    return std::nullopt;
  }
  field.take("rank.ranks", [&](Statement& row) { meta.ranks = static_cast<int>(row.integer(0)); });
  field.take("rank.host", [&](Statement& row) { meta.host = row.text(0); });
  field.take("rank.start_ns", [&](Statement& row) { meta.start_ns = row.integer(0); });
  field.take("rank.disturbance", [&](Statement& row) { meta.disturbance = row.text(0); });
  ClockAlignment clock;
  if (field.take("rank.clock_start_at_s",
                 [&](Statement& row) { clock.start.at_s = row.number(0); })) {
    clock.start.offset_s = field.number("rank.clock_start_offset_s");
    clock.start.bound_s = field.number("rank.clock_start_bound_s");
    clock.end = {field.number("rank.clock_end_at_s"), field.number("rank.clock_end_offset_s"),
                 field.number("rank.clock_end_bound_s")};
    meta.clock = clock;
  }
  return meta;
}

std::string rank_file_name(int rank) {
  return fmt::format("{}{:04}{}", kPrefix, rank, kSuffix);
}

std::optional<int> rank_of_name(const std::string& name) {
  if (!name.starts_with(kPrefix) || !name.ends_with(kSuffix)) return std::nullopt;
  const char* begin = name.data() + kPrefix.size();
  const char* end = name.data() + name.size() - kSuffix.size();
  int rank = 0;
  const auto [at, error] = std::from_chars(begin, end, rank);
  if (error != std::errc() || at != end || end - begin < 4 || rank < 0) return std::nullopt;
  return rank;
}

}  // namespace rackwright::profiler
