#pragma once

#include "cli/command.hpp"

namespace rackwright::cli {

/// `import FORMAT FILE… -o RUN.rw|DESIGN.json`: what other tools saw becomes our files.
class ImportCommand final : public Command {
 public:
  std::string_view name() const override { return "import"; }
  std::string_view summary() const override {
    return "Turn traces and logs of other tools into runs, discovered topologies into designs.";
  }
  std::vector<std::string> examples() const override { return {"rackwright import --list"}; }
  void add_options(CLI::App& app) override;
  int run(CommandContext& context) override;

 private:
  int import_run(CommandContext& context) const;
  int import_design(CommandContext& context) const;

  std::string format_, output_, id_, device_;
  std::vector<std::string> files_;
  bool list_ = false;
};

}  // namespace rackwright::cli
