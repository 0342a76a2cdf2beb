#pragma once

#include <memory>
#include <string>
#include <vector>

#include "cli/command.hpp"

namespace rackwright::cli {

/// `bench KIND …`: measures this machine. Each kind is a command of its own below this one, with
/// its own options, help and example: a file pair and a line in `make_benches`.
class BenchCommand final : public Command {
 public:
  BenchCommand();
  std::string_view name() const override { return "bench"; }
  std::string_view summary() const override {
    return "Measure kernels and collectives on this machine.";
  }
  std::vector<std::string> examples() const override;
  void add_options(CLI::App& app) override;
  int run(CommandContext& context) override;

 private:
  std::vector<std::unique_ptr<Command>> kinds_;
  std::vector<const CLI::App*> parsed_;  ///< as `kinds_`
};

}  // namespace rackwright::cli
