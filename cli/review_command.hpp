#pragma once

#include <string>

#include "cli/command.hpp"
#include "cli/environment_options.hpp"
#include "cli/workload_input.hpp"

namespace rackwright::cli {

/// `review WORKLOAD --racks A,B|all --out DIR`: the main job. Replays the workload at SLO capacity
/// on each candidate's device, maps it onto the racks, ranks them, writes the report.
class ReviewCommand final : public Command {
 public:
  std::string_view name() const override { return "review"; }
  std::string_view summary() const override {
    return "Replay a workload, map it onto racks, rank them, write a report.";
  }
  std::vector<std::string> examples() const override {
    return {"rackwright review llama-3.1-8b-chat --racks dgx-h100-air,gb200-nvl72 --out review"};
  }
  void add_options(CLI::App& app) override;
  int run(CommandContext& context) override;

 private:
  WorkloadOptions workload_;
  EnvironmentOptions environment_;
  std::string racks_;
  std::string out_;
  std::string rank_by_ = "tokens_per_s_per_mw";
  std::string demand_;
  bool json_ = false;
};

}  // namespace rackwright::cli
