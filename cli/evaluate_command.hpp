#pragma once

#include <string>
#include <vector>

#include "cli/command.hpp"
#include "cli/environment_options.hpp"
#include "cli/workload_input.hpp"

namespace rackwright::cli {

/// `evaluate RUN.rw|WORKLOAD --rack R`: one candidate in full.
class EvaluateCommand final : public Command {
 public:
  std::string_view name() const override { return "evaluate"; }
  std::string_view summary() const override {
    return "Predict power, heat, network and limits of one rack under a run.";
  }
  std::vector<std::string> examples() const override {
    return {"rackwright profile llama-3.1-8b-chat --device h100-sxm -o run.rw",
            "rackwright evaluate run.rw --rack dgx-h100-air",
            "rackwright evaluate run.rw --rack gb300-nvl72 --loop loop.svg --branch-table loop.csv",
            "rackwright evaluate run.rw --rack gb300-nvl72 --single-line power.svg --failure-table "
            "power.csv"};
  }
  void add_options(CLI::App& app) override;
  int run(CommandContext& context) override;

 private:
  void write_loop(const topology::RackEvaluation& evaluation) const;

  WorkloadOptions workload_;
  EnvironmentOptions environment_;
  std::string rack_;
  std::string loop_, branch_table_;
  bool json_ = false;
  std::string single_line_, failure_table_;
  std::vector<std::string> feed_map_;
  bool pairs_ = false;
};

}  // namespace rackwright::cli
