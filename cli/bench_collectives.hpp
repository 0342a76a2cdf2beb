#pragma once

#include <memory>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "cli/command.hpp"
#include "kernels/collectives/collective_bench.hpp"
#include "topology/network/collective_forecast.hpp"

namespace rackwright::cli {

/// `bench collectives`: nccl-tests' sweep on this machine's ranks, with what the stated topology
/// should give.
class BenchCollectives final : public Command {
 public:
  std::string_view name() const override { return "collectives"; }
  std::string_view summary() const override {
    return "Time collectives between ranks, as nccl-tests does.";
  }
  std::vector<std::string> examples() const override {
    return {"rackwright bench collectives --gpus 2 --op all_reduce -b 1K -e 64K -n 5 -w 1"};
  }
  void add_options(CLI::App& app) override;
  int run(CommandContext& context) override;

 private:
  [[nodiscard]] kernels::CollectiveSweep sweep() const;
  [[nodiscard]] std::vector<kernels::CollectiveOp> ops() const;
  [[nodiscard]] workloads::AllReduceKind all_reduce_kind() const;
  /// Joins the ranks and runs on the backend.
  int run_joined(CommandContext& context, const topology::StatedTopology& stated) const;
  int run_ops(CommandContext& context, launch::Communicator& ranks,
              kernels::Collectives& collectives, const topology::Forecaster& forecaster) const;
  void write_json(const nlohmann::ordered_json& json, kernels::CollectiveOp op) const;

  std::string from_ = "8", to_ = "64M", factor_ = "2", repeats_ = "20", warm_up_ = "5",
              check_ = "1", ops_ = "all_reduce", backend_ = "host", gpus_ = "1", json_,
              domain_ = "0", buffers_ = "plain";
  bool graph_ = false;
  topology::StatedTopology topology_;
};

}  // namespace rackwright::cli
