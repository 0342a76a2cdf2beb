#pragma once

#include "cli/command.hpp"

namespace rackwright::cli {

/// `cabling --design D --nodes N`: every cable of a fabric on a floor, layouts compared, pull sheet
/// and drawings, an as-built list checked.
class CablingCommand final : public Command {
 public:
  std::string_view name() const override { return "cabling"; }
  std::string_view summary() const override {
    return "Lay every cable of a fabric on a row layout; compare layouts; check an as-built list.";
  }
  std::vector<std::string> examples() const override {
    return {
        "rackwright cabling --design gb200-superpod --nodes 144",
        "rackwright cabling --design gb200-superpod --nodes 144 --layout top-of-rack -o cabling",
        "rackwright cabling --design dgx-h100-superpod --nodes 127 --layout all",
        "rackwright cabling --design gb200-superpod --nodes 144 --layout top-of-rack "
        "--as-built cabling/pull_sheet.csv"};
  }
  void add_options(CLI::App& app) override;
  int run(CommandContext& context) override;

 private:
  std::string design_, nodes_, layout_ = "middle-of-row", rack_, folder_, as_built_, names_;
  std::string collectives_ = "1";
  bool json_ = false;
};

}  // namespace rackwright::cli
