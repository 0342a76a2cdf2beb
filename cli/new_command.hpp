#pragma once

#include "cli/command.hpp"

namespace rackwright::cli {

/// `new rack|workload --from ID -o FILE`: a first design of one's own in a minute.
class NewCommand final : public Command {
 public:
  std::string_view name() const override { return "new"; }
  std::string_view summary() const override {
    return "Start a rack or workload of your own from a shipped one.";
  }
  std::vector<std::string> examples() const override {
    return {"rackwright new workload --from llama-3.1-8b-chat -o my-workload.json"};
  }
  void add_options(CLI::App& app) override;
  int run(CommandContext& context) override;

 private:
  std::string kind_;
  std::string from_;
  std::string file_;
};

}  // namespace rackwright::cli
