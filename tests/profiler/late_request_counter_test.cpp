#include "profiler/late_request_counter.hpp"

#include <gtest/gtest.h>

#include "profiler/request_metrics.hpp"
#include "tests/profiler/fake_backend.hpp"
#include "workloads/engine.hpp"

namespace rackwright::profiler {
namespace {

using workloads::StepShape;

/// Ten requests at once, three tokens each; with P90 one may miss.
workloads::RequestTrace ten_at_once() {
  workloads::RequestTrace trace;
  trace.requests.assign(10, {0, 100, 3, 0, {}});
  return trace;
}
StepShape prefill(std::uint32_t finished, std::uint32_t decoding) {
  StepShape shape;
  shape.prefill_finished = finished;
  shape.decode_sequences = decoding;
  return shape;
}

TEST(LateRequestCounter, GivesUpWhenWaitingRequestsAreLateForCertain) {
  const auto traffic = ten_at_once();
  const workloads::ServingPlan plan;
  LateRequestCounter counter(traffic, plan, {1.0, 10.0, 0.9},
                             allowance_of(traffic, {1.0, 10.0, 0.9}));
  counter.step(0, 0.9, prefill(8, 0));  // eight in time, two wait
  EXPECT_FALSE(counter.first_tokens_hopeless());
  counter.step(0.9, 0.2, prefill(0, 8));  // 1.1 s: both are late, one is allowed
  EXPECT_TRUE(counter.first_tokens_hopeless());
}

TEST(LateRequestCounter, CountsSlowAnswersWhenTheyEnd) {
  const auto traffic = ten_at_once();
  const workloads::ServingPlan plan;
  LateRequestCounter counter(traffic, plan, {100.0, 1.0, 0.9},
                             allowance_of(traffic, {100.0, 1.0, 0.9}));
  counter.step(0, 1, prefill(10, 0));
  counter.step(1, 1.5, prefill(0, 10));
  EXPECT_FALSE(counter.answers_hopeless());  // (1.5 + 0.4) / 2 would still hold
  counter.step(2.5, 1.5, prefill(0, 10));
  EXPECT_TRUE(counter.answers_hopeless());
}

TEST(LateRequestCounter, StopsCountingWhenTheBatchIsAnother) {
  const auto traffic = ten_at_once();
  const workloads::ServingPlan plan;
  LateRequestCounter counter(traffic, plan, {0.1, 0.1, 0.9},
                             allowance_of(traffic, {0.1, 0.1, 0.9}));
  counter.step(0, 5, prefill(4, 0));
  EXPECT_TRUE(counter.first_tokens_hopeless());
  counter.step(5, 1, prefill(0, 3));  // one was preempted
  EXPECT_FALSE(counter.exact());
  EXPECT_FALSE(counter.first_tokens_hopeless());
}

TEST(LateRequestCounter, AgreesWithTheEngineAtEveryLoad) {
  const workloads::ServingPlan plan;
  const workloads::EngineOptions options{.kv_tokens = 1e6};
  const workloads::Slo slo{0.05, 0.0105, 0.99};
  for (const double rate : {5.0, 20.0, 60.0, 200.0}) {
    const auto traffic = testing::poisson(1500, rate, 200, 20);
    LateRequestCounter counter(traffic, plan, slo, allowance_of(traffic, slo));
    bool late = false;
    bool slow = false;
    const auto result = workloads::run_engine(
        traffic, plan, options,
        [](const StepShape& shape) { return 0.008 + 1e-5 * shape.tokens(); },
        [&](double start, double duration, const StepShape& shape) {
          counter.step(start, duration, shape);
          late = late || counter.first_tokens_hopeless();
          slow = slow || counter.answers_hopeless();
        });
    const SloCount count = count_misses(result.requests, slo);
    EXPECT_TRUE(counter.exact()) << rate;
    EXPECT_EQ(late, count.late_first_token > allowed_misses(count.requests, 0.99)) << rate;
    EXPECT_EQ(slow, count.slow_answers > allowed_misses(count.answers, 0.99)) << rate;
  }
}

}  // namespace
}  // namespace rackwright::profiler
