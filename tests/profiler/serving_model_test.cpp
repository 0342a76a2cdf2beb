#include "profiler/serving_model.hpp"

#include <cmath>

#include <gtest/gtest.h>

namespace rackwright::profiler {
namespace {

/// A machine whose decode step takes 10 ms + 0.1 ms a sequence and whose prompt takes 50 ms.
ServingCosts simple_costs(double largest) {
  ServingCosts costs;
  for (std::size_t i = 0; i < ServingCosts::kBatches; ++i) {
    costs.batch[i] = std::max(1.0, largest / static_cast<double>(1U << i));
    costs.decode[i].seconds = 0.010 + 1e-4 * costs.batch[i];
  }
  costs.prefill.seconds = 0.050;
  costs.prefill_tokens = 1000;
  costs.cached_sequences = 1e6;
  costs.layers = 10;
  return costs;
}

ServingPoint point(double concurrency) {
  ServingPoint point;
  point.prompt_tokens = 1000;
  point.output_tokens = 201;
  point.concurrency = concurrency;
  point.plan.max_batch = 1024;
  return point;
}

TEST(EngineModel, AddsHostTimeAndTheLaunchFloor) {
  StepCost cost;
  cost.seconds = 0.010;
  cost.expert_s = 0.004;
  EngineModel engine;
  engine.decode_factor = 2;
  engine.expert_factor = 0.5;
  engine.per_step_s = 0.001;
  engine.per_sequence_s = 1e-5;
  // 2 x 6 ms + 0.5 x 4 ms + 1 ms + 100 x 10 us = 16 ms.
  EXPECT_NEAR(engine.decode_step_s(cost, 100, 80), 0.016, 1e-12);
  // Launches of 80 layers at 1 ms hide a GPU that needs 14 ms: (14^4 + 80^4)^(1/4) = 80.02 ms.
  engine.launch_per_layer_s = 1e-3;
  EXPECT_NEAR(engine.decode_step_s(cost, 0, 80), 0.08002 + 0.001, 2e-5);
}

TEST(ClosedLoop, OneRequestAloneWaitsForNobody) {
  const auto estimate = estimate_serving(point(1), simple_costs(1), EngineModel{});
  EXPECT_NEAR(estimate.ttft_s, 0.050 + 0.0101, 1e-9);
  EXPECT_NEAR(estimate.tpot_s, 0.0101, 1e-9);
  EXPECT_NEAR(estimate.queue_s, 0, 1e-12);
}

TEST(ClosedLoop, KeepsLittlesLawAndTheWorkOfAllRequests) {
  for (const double concurrency : {4.0, 32.0, 128.0}) {
    const auto estimate =
        estimate_serving(point(concurrency), simple_costs(concurrency), EngineModel{});
    const double turn = estimate.ttft_s + 200 * estimate.tpot_s;
    EXPECT_NEAR(estimate.requests_per_s * turn, concurrency, 1e-6 * concurrency);
    // In one turn the engine prefills every request once and decodes 200 steps (and the one in
    // which the first token falls).
    EXPECT_NEAR(turn, concurrency * 0.050 + 200 * estimate.decode_step_s, 0.02 * turn);
  }
}

TEST(ClosedLoop, RequestsBeyondTheCacheWait) {
  ServingCosts costs = simple_costs(64);
  costs.cached_sequences = 16;
  const auto full = estimate_serving(point(64), costs, EngineModel{});
  const auto alone = estimate_serving(point(16), costs, EngineModel{});
  // Four times as many as fit: each turn is followed by three others' turns.
  EXPECT_NEAR(full.queue_s, 3 * (alone.ttft_s + 200 * alone.tpot_s), 1e-9);
  EXPECT_NEAR(full.tpot_s, alone.tpot_s, 1e-12);
  EXPECT_NEAR(full.output_tokens_per_s, alone.output_tokens_per_s, 1e-9);
}

}  // namespace
}  // namespace rackwright::profiler
