#pragma once

#include <memory>
#include <vector>

#include <gtest/gtest.h>

#include "kernels/backend.hpp"

namespace rackwright::kernels::testing {

/// What every backend must do, instantiated once per backend with a factory.
class BackendContract : public ::testing::TestWithParam<std::unique_ptr<Backend> (*)()> {
 protected:
  std::unique_ptr<Backend> backend_ = GetParam()();
};

inline workloads::OperatorGraph small_step() {
  using namespace workloads;
  return {
      {{"qkv_proj", OperatorClass::gemm, Lane::compute, 4, GemmShape{64, 512, 512, DataType::bf16}},
       {"silu_mul", OperatorClass::elementwise, Lane::compute, 4,
        ElementwiseShape{131072, 65536, 0}}}};
}

class CountingObserver final : public OperatorObserver {
 public:
  void begin(OperatorId id) override { begun.push_back(id); }
  void end(OperatorId id) override { ended.push_back(id); }
  std::vector<OperatorId> begun;
  std::vector<OperatorId> ended;
};

TEST_P(BackendContract, HasANameAndADevice) {
  EXPECT_FALSE(backend_->name().empty());
  EXPECT_FALSE(backend_->device().empty());
}

TEST_P(BackendContract, TimesEveryOperatorOfAStep) {
  const auto graph = small_step();
  const auto step = backend_->prepare(graph, {});
  const StepTiming& timing = step->run(ReplayMode::whole, nullptr);
  ASSERT_EQ(timing.operators.size(), graph.operators.size());
  double seconds = 0;
  double joules = 0;
  for (const OperatorTiming& one : timing.operators) {
    EXPECT_GT(one.seconds, 0);
    EXPECT_GE(one.joules, 0);
    seconds += one.seconds;
    joules += one.joules;
  }
  EXPECT_NEAR(timing.seconds, seconds - timing.overlap_s + timing.launch_s, 1e-9 * seconds);
  EXPECT_NEAR(timing.joules, joules, 1e-9 * joules);
}

TEST_P(BackendContract, CallsTheObserverAroundEachOperator) {
  const auto step = backend_->prepare(small_step(), {});
  CountingObserver observer;
  step->run(ReplayMode::per_operator, &observer);
  const std::vector<OperatorId> all{OperatorId(0), OperatorId(1)};
  EXPECT_EQ(observer.begun, all);
  EXPECT_EQ(observer.ended, all);
}

TEST_P(BackendContract, AnEmptyStepTakesNoTime) {
  const auto step = backend_->prepare({}, {});
  EXPECT_EQ(step->run(ReplayMode::whole, nullptr).seconds, 0);
}

}  // namespace rackwright::kernels::testing
