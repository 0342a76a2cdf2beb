#include "workloads/workload.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/input_error.hpp"
#include "tests/temporary_folder.hpp"

namespace rackwright::workloads {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

DataLocator source_tree() {
  return DataLocator({RACKWRIGHT_SOURCE_DIR});
}

std::filesystem::path shipped(const std::string& name) {
  return std::filesystem::path(RACKWRIGHT_SOURCE_DIR) / "workloads" / (name + ".json");
}

std::string error_of(const std::filesystem::path& path, const WorkloadOverrides& overrides = {}) {
  try {
    static_cast<void>(read_workload(path, source_tree(), overrides, 1));
  } catch (const InputError& error) {
    return error.what();
  }
  return "no error";
}

constexpr const char* kSmall = R"({
  "format_version": 1,
  "name": "small",
  "model": "llama-3.1-8b",
  "plan": {"tp": [1, 2]},
  "traffic": {"format": "azure", "file": "traces/one.csv"}
})";
constexpr const char* kTrace =
    "TIMESTAMP,ContextTokens,GeneratedTokens\n"
    "2023-11-16 18:17:03.5000000,100,10\n2023-11-16 18:17:05.0000000,200,20\n";

class ShippedWorkload : public ::testing::TestWithParam<const char*> {};

TEST_P(ShippedWorkload, IsReadWithModelPlansAndTraffic) {
  const Workload workload = read_workload(shipped(GetParam()), source_tree(), {}, 1);
  EXPECT_EQ(workload.name, GetParam());
  EXPECT_GT(workload.plans.size(), 1U);
  EXPECT_GT(workload.traffic.requests.size(), 500U);
  EXPECT_LE(workload.traffic.longest(), static_cast<unsigned>(workload.model.max_positions));
  for (const ServingPlan& plan : workload.plans) EXPECT_EQ(plan_problem(workload.model, plan), "");
}

INSTANTIATE_TEST_SUITE_P(Workloads, ShippedWorkload,
                         ::testing::Values("llama-3.1-70b-code", "llama-3.1-8b-chat",
                                           "deepseek-v3-code", "deepseek-v3-reasoning",
                                           "gpt-oss-120b-agentic", "qwen3-vl-30b-multimodal"),
                         [](const auto& workload) {
                           std::string name = workload.param;
                           for (char& c : name) c = c == '-' || c == '.' ? '_' : c;
                           return name;
                         });

TEST(Workload, PathsAreRelativeToTheFile) {
  const testing::TemporaryFolder folder;
  folder.write("traces/one.csv", kTrace);
  const Workload workload = read_workload(folder.write("small.json", kSmall), source_tree(), {}, 1);
  ASSERT_EQ(workload.traffic.requests.size(), 2U);
  EXPECT_EQ(workload.traffic.requests[1].arrival_s, 1.5);
  EXPECT_EQ(workload.title, "small");
  EXPECT_EQ(workload.plans.size(), 2U);
  EXPECT_FALSE(workload.demand_tokens_per_s.has_value());
}

TEST(Workload, OverridesReplaceModelTrafficAndAnyKey) {
  const testing::TemporaryFolder folder;
  const auto trace = folder.write("other.csv", kTrace);
  const auto path = shipped("llama-3.1-70b-code");
  const Workload workload =
      read_workload(path, source_tree(),
                    {.model = "llama-3.1-8b",
                     .traffic = "azure:" + trace.string(),
                     .settings = {"plan.tp=1", "plan.prefill_chunk=1024", "plan.kv=bf16",
                                  "slo.ttft_s=0.5", "demand_tokens_per_s=1000",
                                  "title=My title"}},
                    1);
  EXPECT_EQ(workload.model.layer_count(), 32);  // 8B
  EXPECT_EQ(workload.traffic.requests.size(), 2U);
  ASSERT_EQ(workload.plans.size(), 1U);
  EXPECT_EQ(workload.plans[0].tp, 1);
  EXPECT_EQ(workload.plans[0].prefill_chunk, 1024);
  EXPECT_EQ(workload.plans[0].kv, DataType::bf16);
  EXPECT_EQ(workload.plans[0].weights, DataType::fp8);  // as in the file
  EXPECT_EQ(workload.slo.ttft_s, 0.5);
  EXPECT_EQ(workload.demand_tokens_per_s, 1000);
  EXPECT_EQ(workload.title, "My title");
}

TEST(Workload, PlansThatTheModelCannotRunUnderAreDroppedUnlessNoneIsLeft) {
  // Llama 3.1 8B has 32 heads: tp 3 cannot divide them. A dense model has no experts to spread.
  const auto path = shipped("llama-3.1-8b-chat");
  const auto workload = read_workload(path, source_tree(), {.settings = {"plan.tp=[3,4]", "plan.prefill_chunk=1024"}}, 1);
  ASSERT_EQ(workload.plans.size(), 1U);
  EXPECT_EQ(workload.plans[0].tp, 4);
  EXPECT_EQ(workload.plans[0].ep, 1);
  EXPECT_THAT(error_of(path, {.settings = {"plan.tp=3"}}),
              AllOf(HasSubstr("TP3"), HasSubstr("32 attention heads")));
  const auto experts = read_workload(shipped("deepseek-v3-code"), source_tree(), {}, 1);
  EXPECT_EQ(experts.plans.back().ep, 72);
}

TEST(Workload, GeneratorSettingsChangeRateAndDuration) {
  const Workload workload = read_workload(
      shipped("llama-3.1-8b-chat"), source_tree(),
      {.settings = {"traffic.rate_per_s=10", "traffic.duration_s=100", "traffic.cv=0.1"}}, 1);
  EXPECT_NEAR(static_cast<double>(workload.traffic.requests.size()), 1000, 10);
}

TEST(Workload, UnknownSettingsNameTheNearestKeyAndTheOption) {
  EXPECT_THAT(error_of(shipped("llama-3.1-70b-code"), {.settings = {"plan.tpp=8"}}),
              AllOf(HasSubstr("--set plan.tpp=8"), HasSubstr("/plan/tpp"), HasSubstr("\"tp\"")));
  EXPECT_THAT(error_of(shipped("llama-3.1-70b-code"), {.settings = {"plann.tp=8"}}),
              AllOf(HasSubstr("/plann"), HasSubstr("\"plan\"")));
  EXPECT_THAT(error_of(shipped("llama-3.1-70b-code"), {.settings = {"plan.tp"}}),
              HasSubstr("KEY=VALUE"));
  EXPECT_THAT(error_of(shipped("llama-3.1-70b-code"), {.settings = {"name.first=8"}}),
              HasSubstr("\"name\" has no parts"));
  EXPECT_THAT(error_of(shipped("llama-3.1-70b-code"), {.settings = {"plan.tp=-8"}}),
              HasSubstr("/plan/tp"));
}

TEST(Workload, ProblemsOfAFileAreToldTogetherWithTheirLines) {
  const testing::TemporaryFolder folder;
  const auto path = folder.write("bad.json", R"({
  "format_version": 1,
  "nam": "x",
  "model": 7,
  "plan": {"tp": 0},
  "traffic": {"format": "azur", "file": "a.csv"},
  "slo": {"ttft_s": -1, "tpot_s": 0.05}
})");
  EXPECT_THAT(error_of(path),
              AllOf(HasSubstr("bad.json:3: /nam"), HasSubstr("bad.json:4: /model"),
                    HasSubstr("bad.json:5: /plan/tp"), HasSubstr("bad.json:6: /traffic/format"),
                    HasSubstr("\"azure\""), HasSubstr("bad.json:7: /slo/ttft_s")));
}

TEST(Workload, TrafficNeedsAGeneratorOrAFile) {
  const testing::TemporaryFolder folder;
  std::string text = kSmall;
  text.replace(text.find("\"format\": \"azure\", \"file\": \"traces/one.csv\""), 43, "");
  EXPECT_THAT(error_of(folder.write("small.json", text)), HasSubstr("/traffic"));
}

TEST(Workload, UnknownModelAndGeneratorNameTheNearest) {
  EXPECT_THAT(error_of(shipped("llama-3.1-8b-chat"), {.model = "lama-3.1-8b"}),
              HasSubstr("did you mean \"llama-3.1-8b\"?"));
  EXPECT_THAT(error_of(shipped("llama-3.1-8b-chat"), {.settings = {"traffic.generator=chatt"}}),
              HasSubstr("did you mean \"chat\"?"));
}

TEST(Workload, MissingFileAndFolderAreSaid) {
  const testing::TemporaryFolder folder;
  EXPECT_THAT(error_of(folder.path() / "none.json"), HasSubstr("no such file"));
  EXPECT_THAT(error_of(folder.path()), HasSubstr("a folder"));
  // The trace that the file names is missing: the message has its place beside the workload.
  EXPECT_THAT(error_of(folder.write("small.json", kSmall)),
              AllOf(HasSubstr("traces/one.csv"), HasSubstr("no such file")));
}

}  // namespace
}  // namespace rackwright::workloads
