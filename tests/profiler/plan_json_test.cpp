#include "profiler/plan_json.hpp"

#include <gtest/gtest.h>

#include "common/input_error.hpp"

namespace rackwright::profiler {
namespace {

TEST(PlanJson, RoundTripsEveryField) {
  workloads::ServingPlan plan;
  plan.tp = 2;
  plan.pp = 3;
  plan.dp = 4;
  plan.ep = 8;
  plan.cp = 5;
  plan.weights = workloads::DataType::fp8_block;
  plan.kv = workloads::DataType::fp8;
  plan.max_batch = 77;
  plan.prefill_chunk = 1234;
  plan.kv_block = 16;
  plan.prefix_cache = true;
  plan.all_reduce = workloads::AllReduceKind::nccl_symmetric;
  plan.speculative = {3, 0.7, 0.125};
  plan.expert_skew = 0.3;

  const auto read = plan_from_json(plan_to_json(plan), "test");

  EXPECT_EQ(plan_to_json(read), plan_to_json(plan));
  EXPECT_EQ(read.tp, 2);
  EXPECT_EQ(read.ep, 8);
  EXPECT_EQ(read.weights, workloads::DataType::fp8_block);
  EXPECT_EQ(read.all_reduce, workloads::AllReduceKind::nccl_symmetric);
  ASSERT_TRUE(read.speculative.has_value());
  EXPECT_EQ(read.speculative->acceptance, 0.7);
  EXPECT_EQ(read.expert_skew, 0.3);
}

TEST(PlanJson, SaysWhatIsWrong) {
  try {
    static_cast<void>(plan_from_json(R"({"tp": 1, "weights": "int7"})", "run.rw"));
    FAIL() << "int7 is no data type";
  } catch (const InputError& error) {
    EXPECT_NE(std::string(error.what()).find("int7"), std::string::npos) << error.what();
  }
}

}  // namespace
}  // namespace rackwright::profiler
