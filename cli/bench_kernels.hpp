#pragma once

#include <string>
#include <vector>

#include "cli/command.hpp"
#include "kernels/bench/suite.hpp"

namespace rackwright::cli {

/// `bench kernels`: times operators one by one on the cores or on a GPU.
class BenchKernels final : public Command {
 public:
  std::string_view name() const override { return "kernels"; }
  std::string_view summary() const override {
    return "Time operators: GEMM, attention, experts, norms, sampling.";
  }
  std::vector<std::string> examples() const override {
    return {"rackwright bench kernels --backend host --list",
            "rackwright bench kernels --backend host --filter decode/final_norm --no-bounds "
            "--time-limit 2s --json kernels.json"};
  }
  void add_options(CLI::App& app) override;
  int run(CommandContext& context) override;

 private:
  [[nodiscard]] kernels::BenchOptions options() const;
  /// What is measured; `on_gpu` decides the sizes that were not given.
  [[nodiscard]] std::vector<kernels::BenchCase> cases(CommandContext& context, bool on_gpu) const;
  [[nodiscard]] kernels::BenchSteps steps(kernels::BenchSteps sizes) const;

  std::string backend_ = "auto";
  std::string filter_;
  std::string workload_;
  std::string batch_, context_, prefill_;
  std::string samples_ = "10";
  std::string warm_up_ = "3s";
  std::string stopping_ = "stdrel";
  std::string time_limit_ = "15s";
  std::string power_window_ = "5s";
  std::string seed_ = "1";
  std::string json_;
  std::string format_ = "table";
  bool warm_ = false;
  bool list_ = false;
  bool no_bounds_ = false;
};

}  // namespace rackwright::cli
