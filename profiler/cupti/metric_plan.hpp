#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace rackwright::profiler::cupti {

struct PlannedMetric {
  std::string metric;    ///< as CUPTI names it
  std::string quantity;  ///< in the run file's `counters`, behind "cupti_"
  std::string unit;      ///< of the sample; "B" is kept as a rate over it
};

/// Counters that one chip can sample in a single pass.
struct MetricPlan {
  std::string chip;       ///< "GH100"
  bool by_clock = false;  ///< samples by clock cycles: this chip has no interval by time
  std::vector<PlannedMetric> metrics;
};

/// `profiler/cupti/metric_plans.json`. Throws InputError.
[[nodiscard]] std::vector<MetricPlan> read_metric_plans(const std::filesystem::path& path);
/// Null when the chip has no plan.
[[nodiscard]] const MetricPlan* find_plan(const std::vector<MetricPlan>& plans,
                                          const std::string& chip);

}  // namespace rackwright::profiler::cupti
