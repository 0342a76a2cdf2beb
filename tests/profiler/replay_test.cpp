#include "profiler/replay.hpp"

#include <algorithm>
#include <cmath>
#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/input_error.hpp"
#include "tests/profiler/fake_backend.hpp"

namespace rackwright::profiler {
namespace {

using testing::FakeBackend;
using ::testing::HasSubstr;
using testing::poisson;
using testing::roomy_setup;
using testing::tokens_of;
using testing::workload_of;

/// 5 ms and 20 us per token; power differs between operators, and collectives overlap.
FakeBackend realistic() {
  FakeBackend backend([](const auto& graph) { return 0.005 + 2e-5 * tokens_of(graph); });
  backend.per_operator = true;
  backend.overlap_s = 1e-4;
  return backend;
}

double sum_of_joules(const Trace& trace) {
  double joules = 0;
  for (const auto& total : trace.totals) joules += total.joules;
  return joules;
}

TEST(Replay, EnergyOfTheTraceIsTheSumOverOperatorsAndIdleGaps) {
  auto backend = realistic();
  auto setup = roomy_setup();
  setup.plan.tp = 2;
  const Trace trace = replay(workload_of(poisson(500, 8, 300, 40)), setup, backend, {});

  const double idle = 80.0 * (trace.end_s - trace.engine.busy_s);
  ASSERT_GT(idle, 0);
  const double integral = power_timeline(trace).integral();
  EXPECT_NEAR(integral / (sum_of_joules(trace) + idle), 1, 1e-9);
  EXPECT_NEAR(trace.joules_per_gpu() / (sum_of_joules(trace) + idle), 1, 1e-12);
}

TEST(Replay, OperatorEnergyIsTheBackendsForEveryStep) {
  // 500 W over the operators' time: every step's operators last 5 ms + 20 us per token, so the
  // energy is 500 x (5 ms x steps + 20 us x tokens); tokens: prompts and all but first outputs.
  auto backend = realistic();
  const Trace trace = replay(workload_of(poisson(200, 8, 300, 40)), roomy_setup(), backend, {});

  const double tokens = 200.0 * (300 + 39);
  const double expected = 500 * (0.005 * static_cast<double>(trace.engine.steps) + 2e-5 * tokens);
  EXPECT_NEAR(sum_of_joules(trace) / expected, 1, 1e-9);
}

TEST(Replay, SlicesOfAStepFillIt) {
  auto backend = realistic();
  const Trace trace = replay(workload_of(poisson(100, 8, 300, 40)), roomy_setup(), backend, {});

  std::map<std::uint32_t, double> length;
  for (std::size_t i = 0; i < trace.slices.size(); ++i) {
    length[trace.slices[i].step] += slice_end_s(trace, i) - trace.slices[i].start_s;
  }
  EXPECT_EQ(length.size(), trace.engine.steps);
  double sum = 0;
  for (const auto& [step, seconds] : length) sum += seconds;
  EXPECT_NEAR(sum, trace.engine.busy_s, 1e-9 * trace.engine.busy_s);
  // the first step is the first prompt alone: 5 ms + 300 x 20 us - 0.1 ms
  EXPECT_NEAR(length[0], 0.0109, 1e-9);
}

TEST(Replay, SlicesFollowEachOther) {
  auto backend = realistic();
  const Trace trace = replay(workload_of(poisson(100, 50, 300, 40)), roomy_setup(), backend, {});

  for (std::size_t i = 1; i < trace.slices.size(); ++i) {
    EXPECT_GE(trace.slices[i].start_s, slice_end_s(trace, i - 1)) << i;
  }
}

TEST(Replay, OneRequestAloneTakesItsStepsAndNothingElse) {
  // prompt 100: 5 ms + 2 ms; 9 decode steps of 5.02 ms
  FakeBackend backend([](const auto& graph) { return 0.005 + 2e-5 * tokens_of(graph); });
  const Trace trace = replay(workload_of(poisson(1, 1, 100, 10)), roomy_setup(), backend, {});

  ASSERT_EQ(trace.engine.requests.size(), 1U);
  EXPECT_NEAR(trace.engine.requests[0].ttft(), 0.007, 1e-12);
  EXPECT_NEAR(trace.engine.requests[0].tpot(), 0.00502, 1e-12);
  EXPECT_NEAR(trace.end_s, 0.007 + 9 * 0.00502, 1e-12);
  EXPECT_NEAR(trace.busy_share(), 1, 1e-12);
  EXPECT_EQ(trace.engine.steps, 10U);
}

TEST(Replay, RecordsWhereItsNumbersComeFrom) {
  FakeBackend backend([](const auto&) { return 0.01; });
  backend.extrapolated = true;
  auto setup = roomy_setup();
  setup.plan.tp = 4;
  const Trace trace =
      replay(workload_of(poisson(20, 2, 100, 5)), setup, backend, {.seed = 9, .load_factor = 2});

  EXPECT_EQ(trace.workload, "test");
  EXPECT_EQ(trace.device, "fake-gpu");
  EXPECT_EQ(trace.backend, "fake");
  EXPECT_EQ(trace.plan.tp, 4);
  EXPECT_EQ(trace.seed, 9U);
  EXPECT_EQ(trace.load_factor, 2);
  EXPECT_EQ(trace.origin, Origin::modelled);
  EXPECT_TRUE(trace.extrapolated);
  EXPECT_NEAR(trace.relative_error, 0.1, 1e-12);
  EXPECT_FALSE(trace.incomplete);
  EXPECT_FALSE(trace.idle_unknown);
  EXPECT_EQ(trace.metrics.requests, 40U);
}

TEST(Replay, SaysWhenIdlePowerIsUnknown) {
  FakeBackend backend([](const auto&) { return 0.01; });
  auto setup = roomy_setup();
  setup.idle_w.reset();
  EXPECT_TRUE(replay(workload_of(poisson(5, 2, 100, 5)), setup, backend, {}).idle_unknown);
}

TEST(Replay, WireBytesOfTotalsAreTheTraffic) {
  auto backend = realistic();
  auto setup = roomy_setup();
  setup.plan.tp = 8;
  setup.rank.scale_up_domain = 4;
  const Trace trace = replay(workload_of(poisson(50, 8, 300, 40)), setup, backend, {});

  double wire = 0;
  for (const auto& total : trace.totals) wire += total.wire_bytes;
  EXPECT_GT(trace.traffic.scale_out_bytes, 0);
  EXPECT_NEAR((trace.traffic.scale_up_bytes + trace.traffic.scale_out_bytes) / wire, 1, 1e-12);
  EXPECT_GE(trace.traffic.scale_up_peak_bytes_per_s, trace.traffic.scale_up_bytes / trace.end_s);
}

TEST(Replay, GivesTheSameTraceForTheSameSeed) {
  auto backend = realistic();
  const auto workload = workload_of(poisson(100, 8, 300, 40));
  const ReplayOptions options{.seed = 5, .load_factor = 3.5};
  const Trace a = replay(workload, roomy_setup(), backend, options);
  const Trace b = replay(workload, roomy_setup(), backend, options);

  EXPECT_EQ(a.slices.size(), b.slices.size());
  EXPECT_EQ(a.joules_per_gpu(), b.joules_per_gpu());
  EXPECT_EQ(a.metrics.ttft_p99, b.metrics.ttft_p99);
}

TEST(Replay, KeepsTotalsWithoutSlices) {
  auto backend = realistic();
  const auto workload = workload_of(poisson(100, 8, 300, 40));
  const Trace with = replay(workload, roomy_setup(), backend, {});
  const Trace without = replay(workload, roomy_setup(), backend, {.keep_slices = false});

  EXPECT_TRUE(without.slices.empty());
  EXPECT_EQ(with.joules_per_gpu(), without.joules_per_gpu());
}

TEST(Replay, SharesTheTrafficAmongReplicas) {
  // 12 requests at once, four replicas: three each, so the last waits two steps and not eleven.
  FakeBackend backend([](const auto&) { return 1.0; });
  workloads::RequestTrace burst;
  burst.requests.assign(12, {0, 100, 1, 0, {}});
  auto setup = roomy_setup();
  setup.plan.max_batch = 1;
  setup.replicas = 4;
  const Trace trace = replay(workload_of(burst), setup, backend, {.load_factor = 0.25});
  EXPECT_EQ(trace.engine.requests.size(), 3U);
  EXPECT_NEAR(trace.end_s, 3, 1e-12);
}

TEST(Replay, StopsAfterTheTimeAskedFor) {
  FakeBackend backend([](const auto&) { return 0.01; });
  auto workload = workload_of(poisson(1000, 10, 100, 5));
  const Trace trace = replay(workload, roomy_setup(), backend, {.stop_after_s = 20});
  const auto expected =
      std::count_if(workload.traffic.requests.begin(), workload.traffic.requests.end(),
                    [](const auto& r) { return r.arrival_s <= 20; });
  EXPECT_EQ(static_cast<std::ptrdiff_t>(trace.engine.requests.size()), expected);
}

TEST(Replay, SaysWhenItGaveUp) {
  FakeBackend backend([](const auto&) { return 1.0; });
  auto setup = roomy_setup();
  setup.plan.max_batch = 1;
  const Trace trace =
      replay(workload_of(poisson(100, 10, 100, 5)), setup, backend, {.give_up_wait_s = 3});
  EXPECT_TRUE(trace.incomplete);
  EXPECT_THAT(trace.incomplete_reason, HasSubstr("longer than 3 s"));
}

TEST(Replay, KeepsWhatWasRecordedWhenInterrupted) {
  FakeBackend backend([](const auto&) { return 0.01; });
  const auto workload = workload_of(poisson(2000, 10, 100, 20));
  const auto stop = [](std::string_view, double done, double) {
    if (done > 1000) throw Interrupted();
  };
  const Trace trace = replay(workload, roomy_setup(), backend, {.keep_partial = true}, stop);

  EXPECT_TRUE(trace.incomplete);
  EXPECT_EQ(trace.incomplete_reason, "interrupted");
  EXPECT_GT(trace.slices.size(), 1000U);
  EXPECT_NEAR(power_timeline(trace).integral() / trace.joules_per_gpu(), 1, 1e-9);
  EXPECT_THROW(static_cast<void>(replay(workload, roomy_setup(), backend, {}, stop)), Interrupted);
}

TEST(Replay, RefusesAModelThatDoesNotFit) {
  FakeBackend backend([](const auto&) { return 0.01; });
  auto setup = roomy_setup();
  setup.gpu_memory_bytes = 0.1e9;  // 60 million weights in bf16 are 0.12 GB
  try {
    static_cast<void>(replay(workload_of(poisson(5, 1, 100, 5)), setup, backend, {}));
    FAIL() << "does not fit";
  } catch (const InputError& error) {
    EXPECT_THAT(error.what(), HasSubstr("GB"));
  }
}

TEST(Replay, OfSpeculativeDecodingCountsTheDraft) {
  // One request, 4 tokens. Acceptance 1 and 1 draft token: two tokens a step. The verify step of
  // one sequence has m = 2: 5 ms + 40 us; the draft costs half a plain step (5 ms + 20 us).
  FakeBackend backend([](const auto& graph) { return 0.005 + 2e-5 * tokens_of(graph); });
  auto setup = roomy_setup();
  setup.plan.speculative = {1, 1.0, 0.5};
  const Trace trace = replay(workload_of(poisson(1, 1, 100, 5)), setup, backend, {});

  const double step = 0.00504 + 0.5 * 0.00502;
  EXPECT_EQ(trace.engine.steps, 3U);
  EXPECT_NEAR(trace.end_s, 0.007 + 2 * step, 1e-9);
  EXPECT_NEAR(sum_of_joules(trace), 500 * trace.end_s, 1e-6);
}

}  // namespace
}  // namespace rackwright::profiler
