#pragma once

#include <memory>
#include <string>

#include "cli/backend_choice.hpp"
#include "cli/command.hpp"
#include "cli/profile_ranks.hpp"
#include "cli/workload_input.hpp"
#include "kernels/backend.hpp"
#include "profiler/collectors.hpp"
#include "profiler/replay.hpp"

namespace rackwright::cli {

/// `profile WORKLOAD -o RUN.rw`: replays the workload on one replica and keeps everything. Started
/// by mpirun or with --gpus, every rank writes its file into a folder and rank 0 joins them.
class ProfileCommand final : public Command {
 public:
  std::string_view name() const override { return "profile"; }
  std::string_view summary() const override {
    return "Replay a workload on one replica and write a run file.";
  }
  std::vector<std::string> examples() const override {
    return {"rackwright profile llama-3.1-8b-chat --device h100-sxm --plan",
            "rackwright profile llama-3.1-8b-chat --device h100-sxm -o run.rw",
            "rackwright profile llama-scaled-46m-code --backend host -o host.rw",
            "rackwright profile llama-scaled-46m-code --backend host --gpus 2 -o ranks"};
  }
  void add_options(CLI::App& app) override;
  int run(CommandContext& context) override;

 private:
  /// Also fills memory and plan of `setup`; `auto` may still turn from cuda to analytical, which
  /// `choice` then says.
  std::unique_ptr<kernels::Backend> load_backend(const workloads::Workload& workload,
                                                 const DataLocator& data, ProfileRanks& ranks,
                                                 BackendChoice& choice,
                                                 profiler::ReplicaSetup& setup) const;
  std::unique_ptr<kernels::Backend> load_cuda(const workloads::Workload& workload,
                                              const DataLocator& data, const BackendChoice& choice,
                                              ProfileRanks& ranks,
                                              profiler::ReplicaSetup& setup) const;

  /// Starts this program again as `gpus` local ranks and waits for them.
  int start_ranks(int gpus, CommandContext& context) const;
  /// The replay into its run file, or into that of this rank.
  int record(const WorkloadInput& input, const profiler::ReplicaSetup& setup,
             kernels::Backend& backend, std::uint64_t seed, ProfileRanks& ranks,
             const BackendChoice& choice, profiler::Collectors* collectors,
             CommandContext& context) const;

  /// Those that run beside a backend; null where it is known that nothing runs.
  std::unique_ptr<profiler::Collectors> start_collectors(const DataLocator& data) const;

  WorkloadOptions workload_;
  std::string backend_ = "auto";
  std::string device_ = "h100-sxm";
  std::string out_;
  bool plan_ = false, no_nvml_ = false, no_cupti_ = false;
  std::string gpus_ = "1";
  std::string domain_ = "8";
};

}  // namespace rackwright::cli
