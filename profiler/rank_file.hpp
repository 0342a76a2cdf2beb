#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "profiler/clock_alignment.hpp"
#include "profiler/sqlite.hpp"

namespace rackwright::profiler {

/// What makes a run file that of one rank: kept in `meta` under `rank.*`.
struct RankMeta {
  int rank = 0;
  int ranks = 1;
  std::string host;
  std::int64_t start_ns = 0;  ///< CLOCK_REALTIME of this host at the run's 0 s; 0: not known
  std::optional<ClockAlignment> clock;  ///< to rank 0; absent when none was taken
  std::string disturbance;  ///< a step or slew of the host's clock in the run; empty: none
};

/// Adds the fields to an existing run file. Throws InputError when it cannot be written.
void write_rank_meta(const std::filesystem::path& path, const RankMeta& meta);
/// Absent when the run was not one of several.
[[nodiscard]] std::optional<RankMeta> read_rank_meta(Database& database);

/// `rank-0003.rw`.
[[nodiscard]] std::string rank_file_name(int rank);
/// The rank in such a name; absent for any other name.
[[nodiscard]] std::optional<int> rank_of_name(const std::string& name);

}  // namespace rackwright::profiler
