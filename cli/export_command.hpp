#pragma once

#include <string>

#include "cli/command.hpp"
#include "profiler/run_file.hpp"

namespace rackwright::cli {

/// `export RUN.rw|EVALUATION.json --to perfetto|csv|openmetrics|requirements`.
class ExportCommand final : public Command {
 public:
  std::string_view name() const override { return "export"; }
  std::string_view summary() const override {
    return "Write a run for ui.perfetto.dev, CSV or OpenMetrics; an evaluation as requirements.";
  }
  std::vector<std::string> examples() const override {
    return {"rackwright profile llama-3.1-8b-chat --device h100-sxm -o run.rw",
            "rackwright export run.rw --to perfetto -o run.json",
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

  int export_requirements(CommandContext& context) const;
  void export_csv(const profiler::RunFile& run, CommandContext& context) const;
};

}  // namespace rackwright::cli
