#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "cli/command.hpp"
#include "common/progress.hpp"
#include "kernels/analytical/device_profile.hpp"

namespace rackwright::cli {

/// `calibrate FORMAT FILE… --device D -o PROFILE.json`: fits a device profile from measured tables.
class CalibrateCommand final : public Command {
 public:
  std::string_view name() const override { return "calibrate"; }
  std::string_view summary() const override {
    return "Fit a device profile from measured tables; report fit and held-out error.";
  }
  std::vector<std::string> examples() const override {
    return {R"(awk 'BEGIN { print "device,op,nccl_dtype,num_gpus,message_size,latency"; )"
            R"(for (i = 10; i < 30; ++i) print "NVIDIA H200,all_reduce,int8,8," 2^i "," )"
            R"(0.02 + 2^i / 3e8 }' > nccl.csv)",
            "rackwright calibrate aicfg-nccl nccl.csv --device h200-sxm -o profile.json"};
  }
  void add_options(CLI::App& app) override;
  int run(CommandContext& context) override;

 private:
  [[nodiscard]] kernels::DeviceProfile fit(const kernels::DeviceInfo& device,
                                           const std::vector<std::filesystem::path>& files,
                                           const ProgressCallback& progress,
                                           const DataLocator& data) const;

  std::string format_;
  std::vector<std::filesystem::path> paths_;
  std::string device_;
  std::filesystem::path out_;
};

}  // namespace rackwright::cli
