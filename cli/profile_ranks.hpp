#pragma once

#include <filesystem>
#include <iosfwd>
#include <memory>
#include <string>

#include "common/launch/communicator.hpp"
#include "profiler/merge.hpp"
#include "profiler/rank_clock.hpp"
#include "profiler/replay.hpp"

namespace rackwright::cli {

/// The ranks of one `profile`: the GPUs of a plan make a replica, the rest are further replicas,
/// each with its share of the traffic. Alone unless a launcher started this process as one of
/// several.
class ProfileRanks {
 public:
  ProfileRanks();

  [[nodiscard]] int count() const { return world_->size(); }
  [[nodiscard]] bool several() const { return count() > 1; }
  [[nodiscard]] bool first() const { return world_->rank() == 0; }
  [[nodiscard]] int on_host() const { return on_host_; }
  /// Number of this rank among those of its host: its GPU.
  [[nodiscard]] int place_on_host() const { return place_; }

  /// Joins the ranks of this rank's replica. Null when alone.
  [[nodiscard]] launch::Communicator* join_replica(int gpus);
  /// Shares of the traffic, and the seed of this rank's.
  void deal(profiler::ReplicaSetup& setup, std::uint64_t& seed) const;
  /// `out` itself when alone; else DIR/rank-NNNN.rw, the folder made by rank 0.
  [[nodiscard]] std::filesystem::path file_in(const std::string& out);
  /// Clocks and place into `file` from here on.
  void start_record(const std::filesystem::path& file);
  void look() {
    if (record_) record_->look();
  }
  void finish_record() {
    if (record_) record_->finish();
  }
  /// Rank 0 joins the files of all ranks into DIR/run.rw and prints the table.
  [[nodiscard]] int merge(const std::string& folder, std::ostream& out, std::ostream& err);

 private:
  std::unique_ptr<launch::Communicator> world_;
  int on_host_ = 1, place_ = 0;
  int replicas_ = 1, replica_ = 0;
  std::unique_ptr<launch::Communicator> group_;
  std::unique_ptr<profiler::RankRecord> record_;
};

/// `--gpus`: 1 to launch::kMostLocalRanks.
[[nodiscard]] int parse_ranks(const std::string& text);

/// Throws InputError when a run of several ranks has been written to `folder`.
void check_rank_folder(const std::string& folder);

/// Runs this command line again on `ranks` local ranks; the exit code.
[[nodiscard]] int run_ranks_here(int ranks, const std::string& folder, std::ostream& err);

}  // namespace rackwright::cli
