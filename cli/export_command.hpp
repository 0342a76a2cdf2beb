#pragma once

#include <string>
#include <vector>

#include "cli/command.hpp"
#include "common/data_locator.hpp"
#include "profiler/run_file.hpp"
#include "profiler/step_graphs.hpp"

namespace rackwright::cli {

/// `export RUN.rw|EVALUATION.json --to perfetto|csv|openmetrics|chakra|requirements`.
class ExportCommand final : public Command {
 public:
  std::string_view name() const override { return "export"; }
  std::string_view summary() const override {
    return "Write a run for ui.perfetto.dev, CSV, OpenMetrics or Chakra; an evaluation as "
           "requirements.";
  }
  std::vector<std::string> examples() const override {
    return {"rackwright profile llama-3.1-8b-chat --device h100-sxm -o run.rw",
            "rackwright export run.rw --to perfetto -o run.json",
            "rackwright export run.rw --to chakra --steps 2 -o step",
            "rackwright evaluate run.rw --rack dgx-h100-air --json > evaluation.json",
            "rackwright export evaluation.json --to requirements -o requirements.json"};
  }
  void add_options(CLI::App& app) override;
  int run(CommandContext& context) override;

 private:
  std::string file_;
  std::string format_;
  std::string out_;
  std::string previous_;
  double guard_band_pct_ = 5;
  int racks_ = 8;
  std::uint64_t first_step_ = 0, steps_ = 4;
  std::string device_;

  int export_requirements(CommandContext& context) const;
  /// Files STEM.RANK.et and, for a replay, STEM.groups.json with the ranks of each process group.
  void export_chakra(const profiler::RunFile& run, CommandContext& context) const;
  /// The engine steps asked for, on the analytical model of the run's device.
  std::vector<profiler::TimedStep> replayed_steps(const profiler::RunFile& run,
                                                  const DataLocator& data) const;
  void export_csv(const profiler::RunFile& run, CommandContext& context) const;
};

}  // namespace rackwright::cli
