#pragma once

#include "cli/command.hpp"

namespace rackwright::cli {

/// `import FORMAT FILE -o DESIGN.json`: what other tools saw becomes our files.
class ImportCommand final : public Command {
 public:
  std::string_view name() const override { return "import"; }
  std::string_view summary() const override {
    return "Turn discovered topologies into designs and parts.";
  }
  std::vector<std::string> examples() const override { return {"rackwright import --list"}; }
  void add_options(CLI::App& app) override;
  int run(CommandContext& context) override;

 private:
  std::string format_, file_, output_, id_;
  bool list_ = false;
};

}  // namespace rackwright::cli
