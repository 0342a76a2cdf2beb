#include "workloads/serving_plan.hpp"

#include <filesystem>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rackwright::workloads {
namespace {

using ::testing::HasSubstr;

constexpr double kGigabyte = 1e9;

ModelConfig shipped(const std::string& id) {
  return read_model_config(std::filesystem::path(RACKWRIGHT_SOURCE_DIR) / "workloads/models" /
                           (id + ".json"));
}

std::vector<ServingPlan> read_text(const std::string& text) {
  const auto document = JsonDocument::parse_text(text, "workload.json");
  ProblemList problems;
  ObjectReader reader(document, problems);
  auto plans = read_serving_plans(reader);
  problems.throw_if_any();
  return plans;
}

std::string error_of(const std::string& text) {
  try {
    (void)read_text(text);
  } catch (const InputError& error) {
    return error.what();
  }
  return "accepted";
}

TEST(ServingPlan, ReadsEveryKey) {
  const auto plans = read_text(R"({"tp": 4, "pp": 2, "cp": 2, "weights": "fp8", "kv": "fp8",
    "max_batch": 128, "prefill_chunk": 4096, "kv_block": 16, "prefix_cache": true,
    "all_reduce": "nccl-symmetric", "expert_skew": 0.5,
    "speculative": {"draft_tokens": 3, "acceptance": 0.7, "draft_cost": 0.1}})");
  ASSERT_EQ(plans.size(), 1U);
  const ServingPlan& plan = plans[0];
  EXPECT_EQ(plan.gpus(), 16);
  EXPECT_EQ(plan.weights, DataType::fp8);
  EXPECT_EQ(plan.kv, DataType::fp8);
  EXPECT_EQ(plan.max_batch, 128);
  EXPECT_EQ(plan.prefill_chunk, 4096);
  EXPECT_EQ(plan.kv_block, 16);
  EXPECT_TRUE(plan.prefix_cache);
  EXPECT_EQ(plan.all_reduce, AllReduceKind::nccl_symmetric);
  EXPECT_EQ(plan.expert_skew, 0.5);
  EXPECT_EQ(plan.speculative->draft_tokens, 3);
  EXPECT_EQ(plan.label(), "TP4 PP2 CP2");
}

TEST(ServingPlan, ListsGiveEveryConsistentCombination) {
  // tp x dp is 2, 4, 4, 8; ep 4 divides three of them.
  const auto plans = read_text(R"({"tp": [1, 2], "dp": [2, 4], "ep": 4})");
  ASSERT_EQ(plans.size(), 3U);
  EXPECT_EQ(plans[0].label(), "TP1 DP4 EP4");
  EXPECT_EQ(plans[2].label(), "TP2 DP4 EP4");
}

TEST(ServingPlan, AbsentExpertParallelismFollowsTheModel) {
  const ServingPlan plan = read_text(R"({"tp": 2, "dp": 4})").front();
  EXPECT_EQ(resolved(plan, shipped("deepseek-v3")).ep, 8);
  EXPECT_EQ(resolved(plan, shipped("llama-3.1-70b")).ep, 1);
  // 16 GPUs, 8 experts.
  const ServingPlan wide = read_text(R"({"tp": 16})").front();
  EXPECT_EQ(resolved(wide, shipped("mixtral-8x7b")).ep, 8);
}

TEST(ServingPlan, RefusesWhatCannotBeRun) {
  EXPECT_THAT(error_of(R"({"tp": 8, "ep": 3})"), HasSubstr("/ep: expected a divisor of tp x dp"));
  EXPECT_THAT(error_of(R"({"tp": 0})"), HasSubstr("/tp"));
  EXPECT_THAT(error_of(R"({"tp": 2.5})"), HasSubstr("/tp"));
  EXPECT_THAT(error_of(R"({"dp": [2, -1]})"), HasSubstr("/dp"));
  EXPECT_THAT(error_of(R"({"dp": []})"), HasSubstr("/dp"));
  EXPECT_THAT(error_of(R"({"weights": "int3"})"), HasSubstr("/weights"));
  EXPECT_THAT(error_of(R"({"max_bach": 3})"), HasSubstr("max_batch"));
  EXPECT_THAT(error_of(R"({"speculative": {"draft_tokens": 3, "acceptance": 1.2}})"),
              HasSubstr("/speculative/acceptance"));
}

TEST(ServingPlan, SaysWhyModelAndPlanDisagree) {
  ServingPlan plan;
  plan.tp = 3;
  EXPECT_THAT(plan_problem(shipped("llama-3.1-70b"), plan), HasSubstr("64 attention heads"));
  plan.tp = 4;
  plan.ep = 4;
  EXPECT_THAT(plan_problem(shipped("llama-3.1-70b"), plan), HasSubstr("dense"));
  plan.ep = 3;
  EXPECT_THAT(plan_problem(shipped("mixtral-8x7b"), plan), HasSubstr("does not divide"));
  plan.tp = plan.ep = 16;
  EXPECT_THAT(plan_problem(shipped("mixtral-8x7b"), plan), HasSubstr("8 routed experts"));
  plan = ServingPlan{};
  plan.pp = 81;
  EXPECT_THAT(plan_problem(shipped("llama-3.1-70b"), plan), HasSubstr("80 layers"));
}

TEST(MemoryUse, LlamaOnEightGpusByHand) {
  ServingPlan plan;
  plan.tp = 8;
  const MemoryUse use = memory_use(shipped("llama-3.1-70b"), plan, 80 * kGigabyte);
  // Linear 80 x (150,994,944 + 704,643,072) x 2 B / 8 = 17,112,760,320; norms 161 x 8192 x 2 B;
  // embedding and head 2 x 1,050,673,152 x 2 B / 8.
  EXPECT_EQ(use.weights, 17112760320.0 + 161 * 16384.0 + 525336576.0);
  // 8192 tokens x 2 B x (4 x 8192 + 3 x 28672 / 8) + 256 x 6 B x 128256 / 8.
  EXPECT_EQ(use.activations, 8192 * 2.0 * (32768 + 10752) + 24625152.0);
  EXPECT_EQ(use.reserve, 8 * kGigabyte);
  EXPECT_EQ(use.kv_available, 72 * kGigabyte - use.weights - use.activations);
  EXPECT_EQ(use.kv_per_token, 40960.0);  // one KV head of 8: 80 x 2 x 128 x 2 B
  EXPECT_DOUBLE_EQ(use.kv_tokens, use.kv_available / 40960.0);
}

TEST(MemoryUse, KeyHeadsReplicateWhenTensorParallelismExceedsThem) {
  ServingPlan plan;
  plan.tp = 16;
  EXPECT_EQ(memory_use(shipped("llama-3.1-70b"), plan, 80 * kGigabyte).kv_per_token, 40960.0);
}

TEST(MemoryUse, LatentCacheIsReplicatedOverTensorParallelism) {
  ServingPlan plan;
  plan.weights = DataType::fp8_block;
  plan.ep = 0;
  plan.tp = 16;
  const ModelConfig model = shipped("deepseek-v3");
  EXPECT_EQ(memory_use(model, plan, 80 * kGigabyte).kv_per_token, 70272.0);
  // Data-parallel attention holds as many different tokens as ranks.
  plan.tp = 1;
  plan.dp = 16;
  const MemoryUse use = memory_use(model, plan, 80 * kGigabyte);
  EXPECT_EQ(use.kv_per_token, 70272.0);
  EXPECT_DOUBLE_EQ(use.kv_tokens, 16 * use.kv_available / 70272.0);
}

TEST(MemoryUse, ExpertsAreSplitOverExpertParallelism) {
  ServingPlan plan;
  plan.weights = DataType::fp8;
  plan.dp = 32;
  plan.ep = 32;
  // Per GPU: 58 layers x 8 experts x 44,040,192 B and, whole, per layer 187,105,280 of attention,
  // 3 dense MLPs of 396,361,728, 58 shared experts of 44,040,192; router, norms, tables in 2 B.
  const double experts = 58 * 8 * 44040192.0;
  const double rest = 61 * 187105280.0 + 3 * 396361728.0 + 58 * 44040192.0;
  const double two_bytes =
      58 * (7168.0 * 256 + 256) + 61 * (2 * 7168.0 + 1536 + 512) + 7168 + 2 * 129280.0 * 7168;
  EXPECT_EQ(memory_use(shipped("deepseek-v3"), plan, 80 * kGigabyte).weights,
            experts + rest + 2 * two_bytes);
}

TEST(MemoryUse, WindowsOfTheBatchAreSetAsideWhenThatLeavesMoreRoom) {
  ServingPlan plan;
  plan.ep = 0;
  const MemoryUse use = memory_use(shipped("gpt-oss-120b"), plan, 141 * kGigabyte);
  EXPECT_EQ(use.kv_per_token, 18 * 2048.0);  // the 18 full layers alone
  EXPECT_GT(use.kv_tokens * 36 * 2048.0, use.kv_available);
}

TEST(MemoryUse, PipelineStagesHoldTheirLayers) {
  ServingPlan plan;
  plan.pp = 8;
  const ModelConfig model = shipped("llama-3.1-70b");
  EXPECT_EQ(memory_use(model, plan, 80 * kGigabyte).kv_per_token, 40960.0);  // 10 of 80 layers
  // 10 layers, one of both tables.
  EXPECT_NEAR(memory_use(model, plan, 80 * kGigabyte).weights,
              2 * (10 * 855638016.0 + 1050673152.0), 1e6);
}

TEST(CheckMemory, PassesWhatFits) {
  ServingPlan plan;
  plan.tp = 8;
  EXPECT_NO_THROW(check_memory(shipped("llama-3.1-70b"), plan, 80 * kGigabyte, 131072, 8));
}

TEST(CheckMemory, SaysHowMuchIsMissingAndWhatWouldFit) {
  ServingPlan plan;
  plan.tp = 8;  // 811.7 GB / 8 is 101 GB on an 80 GB device
  try {
    check_memory(shipped("llama-3.1-405b"), plan, 80 * kGigabyte, 8192, 64);
    FAIL() << "fits";
  } catch (const InputError& error) {
    EXPECT_THAT(error.what(), HasSubstr("plan TP8"));
    EXPECT_THAT(error.what(), HasSubstr("GB too much per GPU"));
    EXPECT_THAT(error.what(), HasSubstr("TP16 on 16 GPUs would fit"));
  }
}

TEST(CheckMemory, LongRequestsNeedCacheToo) {
  ServingPlan plan;
  plan.tp = 8;
  // 53.6 GB hold 1.3 million tokens.
  EXPECT_THROW(check_memory(shipped("llama-3.1-70b"), plan, 80 * kGigabyte, 2e6, 8), InputError);
  EXPECT_NO_THROW(check_memory(shipped("llama-3.1-70b"), plan, 80 * kGigabyte, 1.3e6, 8));
}

}  // namespace
}  // namespace rackwright::workloads
