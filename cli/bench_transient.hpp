#pragma once

#include <string>
#include <vector>

#include "cli/backend_choice.hpp"
#include "cli/command.hpp"
#include "kernels/bench/power_wave.hpp"

namespace rackwright::cli {

/// `bench transient`: a square wave of GEMM load over all devices of this machine, for the test of
/// shelves, busbars and smoothing. Refused where the devices could draw more than the stated
/// ceiling.
class BenchTransient final : public Command {
 public:
  std::string_view name() const override { return "transient"; }
  std::string_view summary() const override {
    return "Square wave of load over all GPUs, to test a power chain; needs a stated ceiling.";
  }
  std::vector<std::string> examples() const override {
    return {
        "rackwright bench transient --backend host --frequency 2Hz --duty 50% --seconds 2 "
        "--peak-power 400W --power-ceiling 1kW"};
  }
  void add_options(CLI::App& app) override;
  int run(CommandContext& context) override;

 private:
  [[nodiscard]] kernels::PowerWave wave() const;
  [[nodiscard]] Power peak_each(const BackendChoice& choice, const DataLocator& data) const;

  std::string backend_ = "auto";
  std::string frequency_ = "1Hz";
  std::string duty_ = "50%";
  std::string seconds_ = "10";
  std::string ceiling_;
  std::string peak_;
  std::string start_at_;
  bool plan_ = false;
};

}  // namespace rackwright::cli
