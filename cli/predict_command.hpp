#pragma once

#include <filesystem>
#include <string>

#include "cli/command.hpp"

namespace rackwright::cli {

/// `predict serving FILE --device D [--slo …]`: latency and throughput of served models, see
/// `predict_serving.hpp`. `predict ops|collectives|power FILE --device D`: the model's answer for
/// rows of a table, in the formats of `validate` without the measured column.
class PredictCommand final : public Command {
 public:
  std::string_view name() const override { return "predict"; }
  std::string_view summary() const override {
    return "Time, power or latency of the rows of a table on a device, with 90 % intervals.";
  }
  std::vector<std::string> examples() const override {
    return {R"(printf 'gemm_dtype,m,n,k\nfp8,512,8192,7168\n' > shapes.csv)",
            "rackwright predict ops shapes.csv --device gb200",
            R"(printf 'model,isl,osl,concurrency\nllama-3.1-8b,512,128,8\n' > points.csv)",
            "rackwright predict serving points.csv --device h100-sxm --slo ttft=2s,tpot=50ms"};
  }
  void add_options(CLI::App& app) override;
  int run(CommandContext& context) override;

 private:
  std::string what_;
  std::filesystem::path file_;
  std::string device_;
  std::string slo_;
  bool json_ = false;
};

}  // namespace rackwright::cli
