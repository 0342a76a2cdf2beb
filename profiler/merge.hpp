#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace rackwright::profiler {

/// One rank of a merged run.
struct MergedRank {
  int rank = 0;
  std::string file;  ///< name in the folder; empty: there is none
  std::string host;
  bool complete = false;
  std::string reason;                   ///< why it is incomplete or unusable
  double start_s = 0;                   ///< of its 0 s on the run's time base
  std::optional<double> clock_bound_s;  ///< of its times; absent: no offset was taken
  std::uint64_t slices = 0, requests = 0;
  double busy_s = 0;
  bool heaviest = false;  ///< its slices, operators and traffic stand for the run
};

struct MergeResult {
  std::vector<MergedRank> ranks;  ///< by rank, missing ones too
  bool incomplete = false;
  std::vector<std::string> notes;
};

/// Joins `rank-NNNN.rw` of `folder` into one run file on the time base of rank 0, which starts with
/// the earliest rank. The usual tables are those of the rank with the most busy time, with the
/// requests of the rank that served most; every table of every rank is kept whole as `rank_TABLE`
/// with a leading column `rank`. A rank that is missing or ended early makes the run incomplete.
/// Throws InputError: no rank file, none readable, files of different runs, `output` exists.
MergeResult merge_ranks(const std::filesystem::path& folder, const std::filesystem::path& output);

}  // namespace rackwright::profiler
