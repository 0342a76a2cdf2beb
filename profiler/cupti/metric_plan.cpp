#include "profiler/cupti/metric_plan.hpp"

#include <algorithm>
#include <sstream>

#include "common/json_document.hpp"

namespace rackwright::profiler::cupti {

std::vector<MetricPlan> read_metric_plans(const std::filesystem::path& path) {
  const JsonDocument document = JsonDocument::parse_file(path);
  ProblemList problems;
  ObjectReader root(document, problems);
  root.check_format_version(1);
  root.ignore({"source"});
  std::vector<MetricPlan> plans;
  for (ObjectReader& entry : root.objects("plans")) {
    MetricPlan plan;
    std::istringstream chips(entry.text("chips"));
    plan.by_clock = entry.text("trigger") == "sysclk";
    entry.ignore({"note"});
    for (ObjectReader& row : entry.objects("metrics")) {
      PlannedMetric& metric = plan.metrics.emplace_back();
      metric.metric = row.text("metric");
      metric.quantity = row.text("quantity");
      metric.unit = row.text("unit");
      row.finish();
    }
    entry.finish();
    while (chips >> plan.chip) plans.push_back(plan);
  }
  root.finish();
  problems.throw_if_any();
  return plans;
}

const MetricPlan* find_plan(const std::vector<MetricPlan>& plans, const std::string& chip) {
  const auto at = std::find_if(plans.begin(), plans.end(),
                               [&](const MetricPlan& plan) { return plan.chip == chip; });
  return at == plans.end() ? nullptr : &*at;
}

}  // namespace rackwright::profiler::cupti
