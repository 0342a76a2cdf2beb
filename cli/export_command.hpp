#pragma once

#include <string>

#include "cli/command.hpp"

namespace rackwright::cli {

/// `export RUN.rw --to perfetto|csv|openmetrics`.
class ExportCommand final : public Command {
 public:
  std::string_view name() const override { return "export"; }
  std::string_view summary() const override {
    return "Write a run for ui.perfetto.dev, as CSV or as OpenMetrics.";
  }
  std::vector<std::string> examples() const override {
    return {"rackwright profile llama-3.1-8b-chat --device h100-sxm -o run.rw",
            "rackwright export run.rw --to perfetto -o run.json"};
  }
  void add_options(CLI::App& app) override;
  int run(CommandContext& context) override;

 private:
  std::string file_;
  std::string format_;
  std::string out_;
};

}  // namespace rackwright::cli
