#pragma once

#include "cli/command.hpp"

namespace rackwright::cli {

/// `fabric --design D --nodes N`: switches, cables and transceivers of a scale-out fabric.
class FabricCommand final : public Command {
 public:
  std::string_view name() const override { return "fabric"; }
  std::string_view summary() const override {
    return "Count switches, cables and transceivers of a fabric.";
  }
  std::vector<std::string> examples() const override {
    return {"rackwright fabric --design dgx-h100-superpod --nodes 127",
            "rackwright fabric --design dgx-h100-superpod --nodes 127 --json"};
  }
  void add_options(CLI::App& app) override;
  int run(CommandContext& context) override;

 private:
  std::string design_;
  std::string nodes_;
  bool json_ = false;
};

}  // namespace rackwright::cli
