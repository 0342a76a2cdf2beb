#include "cli/profile_ranks.hpp"

#include <ostream>
#include <system_error>

#include <fmt/format.h>

#include "cli/command.hpp"
#include "cli/merge_command.hpp"
#include "cli/option_values.hpp"
#include "common/input_error.hpp"
#include "common/launch/launch.hpp"

namespace rackwright::cli {

namespace fs = std::filesystem;

ProfileRanks::ProfileRanks() : world_(launch::join()) {
  if (!several()) return;
  on_host_ = profiler::ranks_on_host(*world_);
  place_ = profiler::place_on_host(*world_);
}

launch::Communicator* ProfileRanks::join_replica(int gpus) {
  if (!several()) return nullptr;
  replicas_ = count() / gpus;
  replica_ = world_->rank() / gpus;
  group_ = world_->split(replica_);
  return group_.get();
}

void ProfileRanks::deal(profiler::ReplicaSetup& setup, std::uint64_t& seed) const {
  setup.replicas = replicas_;
  seed += static_cast<std::uint64_t>(replica_);
}

fs::path ProfileRanks::file_in(const std::string& out) {
  if (!several()) return out;
  if (first()) {
    check_rank_folder(out);
    fs::create_directories(out);
  }
  world_->barrier();
  std::error_code error;
  fs::create_directories(out, error);  // of its own on a node that shares no file system
  return fs::path(out) / profiler::rank_file_name(world_->rank());
}

void ProfileRanks::start_record(const fs::path& file) {
  if (several()) record_ = std::make_unique<profiler::RankRecord>(file, *world_);
}

int ProfileRanks::merge(const std::string& folder, std::ostream& out, std::ostream& err) {
  world_->barrier();
  if (!first()) return kFine;
  return merge_into((fs::path(folder) / "run.rw").string(), folder, out, err);
}

int parse_ranks(const std::string& text) {
  const auto ranks = parse_count(text, "--gpus", 1);
  if (ranks <= static_cast<std::uint64_t>(launch::kMostLocalRanks)) return static_cast<int>(ranks);
  throw InputError(
      InputProblem{"", 0, "--gpus",
                   fmt::format("at most {} ranks on a machine", launch::kMostLocalRanks), text});
}

void check_rank_folder(const std::string& folder) {
  std::error_code error;
  if (!fs::exists(folder, error)) return;
  if (!fs::is_directory(folder, error)) {
    throw InputError(
        InputProblem{folder, 0, "-o", "a folder for the files of the ranks", "a file"});
  }
  for (const auto& entry : fs::directory_iterator(folder)) {
    const auto name = entry.path().filename().string();
    if (!profiler::rank_of_name(name) && name != "run.rw") continue;
    throw InputError(InputProblem{folder, 0, "-o", "a folder without an earlier run", name});
  }
}

int run_ranks_here(int ranks, const std::string& folder, std::ostream& err) {
  const auto result = launch::run_local_ranks(ranks);
  if (result.failure.empty()) return kFine;
  err << fmt::format("rackwright: {}\n", result.failure);
  if (result.code > 128 || result.code == kIncomplete) {
    err << fmt::format("rackwright: rackwright merge {} joins what the ranks kept\n", folder);
    return kIncomplete;
  }
  return result.code;
}

}  // namespace rackwright::cli
