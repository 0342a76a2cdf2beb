#pragma once

#include "cli/command.hpp"

namespace rackwright::cli {

/// `check FILE.json…`: reads any of our files with its reader and reports every problem.
class CheckCommand final : public Command {
 public:
  std::string_view name() const override { return "check"; }
  std::string_view summary() const override { return "Check files of ours without running them."; }
  std::vector<std::string> examples() const override {
    return {"rackwright new rack --from dgx-h100-air -o my-rack.json",
            "rackwright check my-rack.json"};
  }
  void add_options(CLI::App& app) override;
  int run(CommandContext& context) override;

 private:
  std::vector<std::string> files_;
};

}  // namespace rackwright::cli
