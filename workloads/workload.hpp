#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "common/data_locator.hpp"
#include "workloads/model_config.hpp"
#include "workloads/request_trace.hpp"
#include "workloads/serving_plan.hpp"

namespace rackwright::workloads {

/// Service level objective: both percentiles must hold.
struct Slo {
  double ttft_s = 1.0;
  double tpot_s = 0.05;
  double percentile = 0.99;
};

/// A self-contained `workloads/*.json`: model, plans, traffic, SLO, demand.
struct Workload {
  std::string name;
  std::string title;  ///< for people: "code completion, Llama 3.1 70B, FP8"
  ModelConfig model;
  std::vector<ServingPlan> plans;  ///< alternatives; the best at SLO is taken per device
  RequestTrace traffic;
  Slo slo;
  /// Output tokens per second every candidate must carry at SLO; blank: the review chooses the
  /// capacity of one to eight racks of the largest candidate (`results/sizing.hpp`).
  std::optional<double> demand_tokens_per_s;
};

struct WorkloadOverrides {
  std::string model;    ///< path or id in workloads/models; empty = the file's
  std::string traffic;  ///< FORMAT:FILE; empty = the file's
  std::vector<std::string> settings;  ///< "plan.tp=8", "slo.ttft_s=0.5"
};

/// Reads a workload file and applies overrides. Throws InputError.
[[nodiscard]] Workload read_workload(const std::filesystem::path& path, const DataLocator& data,
                                     const WorkloadOverrides& overrides, std::uint64_t seed);

}  // namespace rackwright::workloads
