#pragma once

#include "cli/command.hpp"

namespace rackwright::cli {

/// Joins the rank files of `folder` into `file` and prints the ranks; the exit code.
[[nodiscard]] int merge_into(const std::string& file, const std::string& folder, std::ostream& out,
                             std::ostream& err);

/// `merge DIR [-o RUN.rw]`: the rank files of one run become one.
class MergeCommand final : public Command {
 public:
  std::string_view name() const override { return "merge"; }
  std::string_view summary() const override {
    return "Join the rank files of one run on one time base.";
  }
  std::vector<std::string> examples() const override {
    return {"rackwright profile llama-3.1-8b-chat --device h100-sxm -o rank-0000.rw",
            "rackwright merge . -o run.rw"};
  }
  void add_options(CLI::App& app) override;
  int run(CommandContext& context) override;

 private:
  std::string folder_, out_;
};

}  // namespace rackwright::cli
