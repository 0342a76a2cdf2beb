#pragma once

#include <filesystem>
#include <vector>

#include "common/launch/communicator.hpp"
#include "profiler/rank_file.hpp"

namespace rackwright::profiler {

/// Offset of this rank's clock to that of rank 0, from `exchanges` ping-pongs of each rank with it
/// in turn. A call of all ranks; on rank 0 the offset is 0.
[[nodiscard]] ClockOffset exchange_clocks(launch::Communicator& ranks, int exchanges = 40);

/// What makes a run file that of this rank, from the run's 0 s to its end: host, start, offset of
/// the clock at both, and whether the clock was moved between. Keeps a reference.
class RankRecord {
 public:
  /// A call of all ranks; the file must exist.
  RankRecord(std::filesystem::path file, launch::Communicator& ranks);
  /// Looks at the host's clock; for now and then.
  void look();
  /// A call of all ranks that got to the end. A rank that did not keeps the offset of the start.
  void finish();

 private:
  std::filesystem::path file_;
  launch::Communicator& ranks_;
  RankMeta meta_;
  std::vector<ClockPair> clocks_;
};

/// Ranks on this rank's host, itself among them. A call of all ranks.
[[nodiscard]] int ranks_on_host(launch::Communicator& ranks);
/// Number of this rank among them. A call of all ranks.
[[nodiscard]] int place_on_host(launch::Communicator& ranks);

}  // namespace rackwright::profiler
