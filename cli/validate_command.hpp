#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "cli/command.hpp"

namespace rackwright::cli {

/// `validate FORMAT FILE|DIR…`: predicted against measured, row by row.
class ValidateCommand final : public Command {
 public:
  std::string_view name() const override { return "validate"; }
  std::string_view summary() const override {
    return "Hold predictions against measured tables: error, coverage, baseline.";
  }
  std::vector<std::string> examples() const override { return {"rackwright validate --list"}; }
  void add_options(CLI::App& app) override;
  int run(CommandContext& context) override;

 private:
  std::string format_;
  std::vector<std::filesystem::path> paths_;
  std::string device_;
  std::string quantity_;
  std::string source_;
  std::filesystem::path rows_;
  bool list_ = false;
  bool json_ = false;
};

}  // namespace rackwright::cli
