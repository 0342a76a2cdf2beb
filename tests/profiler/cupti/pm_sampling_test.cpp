#include "profiler/cupti/pm_sampling.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "profiler/cupti/metric_plan.hpp"

namespace rackwright::profiler::cupti {
namespace {

using ::testing::HasSubstr;

std::vector<MetricPlan> plans() {
  return read_metric_plans(std::filesystem::path(RACKWRIGHT_SOURCE_DIR) /
                           "profiler/cupti/metric_plans.json");
}

std::vector<std::string> names_of(const MetricPlan& plan) {
  std::vector<std::string> names;
  for (const auto& metric : plan.metrics) names.push_back(metric.metric);
  return names;
}

TEST(MetricPlan, EveryPlanResolvesInOnePassByTheRealLibrary) {
  ASSERT_GE(plans().size(), 3U);
  for (const MetricPlan& plan : plans()) {
    const PlanCheck check = check_plan(plan.chip, names_of(plan));
    EXPECT_TRUE(check.resolves) << plan.chip << ": " << check.reason;
    EXPECT_EQ(check.passes, 1U) << plan.chip;
  }
}

TEST(MetricPlan, ASetOfTwoPassesIsTold) {
  const auto all = plans();
  auto names = names_of(*find_plan(all, "GH100"));
  names.emplace_back("sm__inst_executed_pipe_tensor.sum");
  EXPECT_EQ(check_plan("GH100", names).passes, 2U);
}

TEST(MetricPlan, AnUnknownMetricAndAnUnknownChipDoNotResolve) {
  EXPECT_FALSE(check_plan("GH100", {"no__such_metric.sum"}).resolves);
  EXPECT_FALSE(check_plan("XX999", {"sm__cycles_active.avg"}).resolves);
}

TEST(MetricPlan, Ga100SamplesByClock) {
  const auto all = plans();
  EXPECT_TRUE(find_plan(all, "GA100")->by_clock);
  EXPECT_FALSE(find_plan(all, "GB100")->by_clock);
  EXPECT_EQ(find_plan(all, "GP100"), nullptr);
}

TEST(PmSampler, WithoutADriverTheReasonSaysSo) {
  std::string reason;
  const auto sampler = PmSampler::open({"sm__cycles_active.avg"}, {}, reason);
  if (sampler) GTEST_SKIP() << "this machine has a GPU";
  EXPECT_THAT(reason, HasSubstr("no NVIDIA driver or no GPU"));
}

}  // namespace
}  // namespace rackwright::profiler::cupti
