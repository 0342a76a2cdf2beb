#pragma once

#include "cli/command.hpp"

namespace rackwright::cli {

/// `doctor`: what this machine can and cannot measure, and how to enable it.
class DoctorCommand final : public Command {
 public:
  std::string_view name() const override { return "doctor"; }
  std::string_view summary() const override {
    return "Say what this machine can and cannot measure, and how to enable it.";
  }
  std::vector<std::string> examples() const override { return {"rackwright doctor"}; }
  void add_options(CLI::App& app) override;
  int run(CommandContext& context) override;

 private:
  bool require_gpu_ = false;
  bool json_ = false;
};

}  // namespace rackwright::cli
