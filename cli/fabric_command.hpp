#pragma once

#include <cstdint>

#include "cli/command.hpp"
#include "topology/network/collective_expectation.hpp"
#include "topology/network/fabric.hpp"

namespace rackwright::cli {

/// `fabric --design D --nodes N`: switches, cables and transceivers of a fabric; with
/// `--collective` what it should reach, with `--traffic` how it shares, with `--growth` how it
/// grows.
class FabricCommand final : public Command {
 public:
  std::string_view name() const override { return "fabric"; }
  std::string_view summary() const override {
    return "Count switches, cables and transceivers of a fabric; expected bandwidth on it.";
  }
  std::vector<std::string> examples() const override {
    return {
        "rackwright fabric --design dgx-h100-superpod --nodes 127",
        "rackwright fabric --design dgx-h100-superpod --nodes 127 --json",
        "rackwright fabric --design dgx-h100-superpod-ideal --nodes 128 --collective all_reduce "
        "--size 1GiB --ranks 512",
        "rackwright fabric --design dgx-h100-superpod-ideal --nodes 512 --traffic permutation "
        "--routing ecmp",
        "rackwright fabric --design gb300-nvl72-eth --growth growth.svg",
        "rackwright fabric --design gb300-nvl72-eth --growth growth.csv --rack gb300-nvl72 "
        "--racks 20"};
  }
  void add_options(CLI::App& app) override;
  int run(CommandContext& context) override;

 private:
  int print_counts(CommandContext& context, const topology::FabricDesign& design, int nodes) const;
  int print_collective(CommandContext& context, const topology::FabricDesign& design,
                       int nodes) const;
  int print_traffic(CommandContext& context, const topology::FabricDesign& design, int nodes) const;
  int write_growth(CommandContext& context, const topology::FabricDesign& design) const;
  [[nodiscard]] topology::Routing routing() const;
  [[nodiscard]] topology::CollectiveQuestion question(const topology::FabricDesign& design,
                                                      int nodes) const;
  /// Of the nodes that take part, older generations first.
  [[nodiscard]] std::vector<std::string> devices(
      const topology::FabricDesign& design, const topology::CollectiveQuestion& question) const;
  [[nodiscard]] topology::FabricFailures failures(const topology::FabricDesign& design,
                                                  const topology::FabricPlan& plan) const;
  /// The flows of `--traffic` on a network.
  [[nodiscard]] topology::FlowSet flows(const topology::FabricDesign& design,
                                        const topology::FabricNetwork& network, int nodes) const;

  std::string design_, nodes_, failed_, seed_ = "1";
  std::string collective_, size_ = "1GiB", ranks_, ranks_per_node_, domain_, skew_ = "1", device_;
  std::string traffic_, routing_ = "spray";
  std::string growth_, racks_, rack_, layout_ = "network-rack";
  bool json_ = false;
  bool sharp_ = false;
};

}  // namespace rackwright::cli
