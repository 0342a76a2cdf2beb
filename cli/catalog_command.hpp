#pragma once

#include "cli/command.hpp"

namespace rackwright::cli {

/// `catalog list|show|check`: what the tool knows, and where it knows it from.
class CatalogCommand final : public Command {
 public:
  std::string_view name() const override { return "catalog"; }
  std::string_view summary() const override {
    return "List, show or check parts, racks, devices, models, workloads and fabrics.";
  }
  std::vector<std::string> examples() const override {
    return {"rackwright catalog list racks", "rackwright catalog show h100-sxm",
            "rackwright catalog check"};
  }
  void add_options(CLI::App& app) override;
  int run(CommandContext& context) override;

 private:
  std::string action_;
  std::string what_;
};

}  // namespace rackwright::cli
