#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/input_error.hpp"
#include "profiler/replay.hpp"
#include "profiler/replica_run.hpp"
#include "profiler/request_metrics.hpp"
#include "tests/profiler/fake_backend.hpp"

namespace rackwright::profiler {
namespace {

using testing::FakeBackend;
using testing::poisson;
using testing::roomy_setup;
using testing::tokens_of;
using testing::workload_of;

/// One request at a time, `seconds` each.
FakeBackend single_server(double seconds) {
  return FakeBackend([seconds](const auto&) { return seconds; });
}
ReplicaSetup one_at_a_time() {
  auto setup = roomy_setup();
  setup.plan.max_batch = 1;
  return setup;
}
/// 10 ms and 0.1 ms per token: a batch of b decodes in 10 + b / 10 ms.
FakeBackend batching(double speed) {
  return FakeBackend(
      [speed](const auto& graph) { return (0.010 + 1e-4 * tokens_of(graph)) / speed; });
}

TEST(SloCapacity, OfAnMD1QueueIsTheLoadWhoseWaitMeetsTheSlo) {
  // M/D/1, s = 10 ms. At load 0.8 the tail is P(W > t) = C exp(-theta t), theta s = x with
  // 0.8 (e^x - 1) = x: x = 0.4308, C = 0.2 / (0.8 e^x - 1) = 0.8666. P = 1 %: t = ln(86.66) / x s =
  // 10.36 s = 103.6 ms, TTFT P99 = 113.6 ms. So with that limit the capacity is 80 requests/s.
  auto backend = single_server(0.010);
  auto workload = workload_of(poisson(20000, 40, 100, 1));
  workload.slo = {0.1136, 1.0, 0.99};
  const SloCapacity capacity = find_slo_capacity(workload, one_at_a_time(), backend, 1);

  EXPECT_NEAR(capacity.requests_per_s, 80, 4);
  EXPECT_EQ(capacity.limited_by, "max batch");
}

TEST(SloCapacity, HoldsTheSloAtItsLoadAndNotFarAbove) {
  auto backend = batching(1);
  auto workload = workload_of(poisson(3000, 2, 200, 50));
  workload.slo = {0.5, 0.015, 0.99};
  const auto setup = roomy_setup();
  const SloCapacity capacity = find_slo_capacity(workload, setup, backend, 1);

  const auto held = [&](const Trace& trace) {
    return holds(count_misses(trace.engine.requests, workload.slo), workload.slo);
  };
  EXPECT_GT(capacity.load_factor, 1);
  EXPECT_TRUE(held(capacity.trace));
  EXPECT_FALSE(capacity.trace.slices.empty());
  EXPECT_EQ(capacity.trace.load_factor, capacity.load_factor);
  EXPECT_EQ(capacity.limited_by, "TPOT P99");
  const Trace above =
      replay(workload, setup, backend, {.seed = 1, .load_factor = 1.05 * capacity.load_factor});
  EXPECT_FALSE(held(above));
  EXPECT_LE(capacity.engine_runs, 16);
}

TEST(SloCapacity, AtLeastDoublesWhenStepsTakeHalfTheTime) {
  auto workload = workload_of(poisson(3000, 2, 200, 50));
  workload.slo = {0.5, 0.015, 0.99};
  auto slow = batching(1);
  auto fast = batching(2);
  const double one = find_slo_capacity(workload, roomy_setup(), slow, 1).requests_per_s;
  const double two = find_slo_capacity(workload, roomy_setup(), fast, 1).requests_per_s;
  EXPECT_GE(two, 2 * one * 0.97);
}

TEST(SloCapacity, GoesBelowTheRecordedLoad) {
  // 1 s a request and 3 requests/s recorded: the load must shrink below a third.
  auto backend = single_server(1.0);
  auto workload = workload_of(poisson(3000, 3, 100, 1));
  workload.slo = {11.36, 1.0, 0.99};  // as the M/D/1 case: 0.8 requests/s
  const SloCapacity capacity = find_slo_capacity(workload, one_at_a_time(), backend, 1);
  EXPECT_LT(capacity.load_factor, 0.4);
  EXPECT_NEAR(capacity.requests_per_s, 0.8, 0.12);
}

TEST(SloCapacity, IsZeroWhenAnIdleReplicaMissesTheSlo) {
  auto backend = batching(1);
  auto workload = workload_of(poisson(500, 2, 200, 50));
  workload.slo = {0.5, 0.009, 0.99};  // a step takes more than 10 ms
  const SloCapacity tpot = find_slo_capacity(workload, roomy_setup(), backend, 1);
  EXPECT_EQ(tpot.load_factor, 0);
  EXPECT_EQ(tpot.limited_by, "never meets TPOT P99");
  EXPECT_GT(tpot.trace.metrics.tpot_p99, 0.009);

  workload.slo = {0.020, 0.05, 0.95};  // a prompt of 200 takes 30 ms
  const SloCapacity ttft = find_slo_capacity(workload, roomy_setup(), backend, 1);
  EXPECT_EQ(ttft.load_factor, 0);
  EXPECT_EQ(ttft.limited_by, "never meets TTFT P95");
}

TEST(SloCapacity, NamesTheCacheWhenItIsFull) {
  // Fast steps but room for few sequences: 4 layers x 2 x 8 x 128 x 2 B = 16 KiB a token.
  FakeBackend backend([](const auto&) { return 0.010; });
  auto workload = workload_of(poisson(2000, 2, 2000, 200));
  workload.slo = {1.0, 0.05, 0.99};
  auto setup = roomy_setup();
  const auto use = workloads::memory_use(workload.model, setup.plan, setup.gpu_memory_bytes);
  const double fixed = use.weights + use.activations;
  setup.gpu_memory_bytes = (fixed + 8 * 2200 * use.kv_per_token) / 0.9;
  const SloCapacity capacity = find_slo_capacity(workload, setup, backend, 1);
  EXPECT_EQ(capacity.limited_by, "KV cache");
}

TEST(SloCapacity, ErrorGrowsWithTheShareTheIdleStepTakes) {
  auto backend = batching(1);
  backend.relative_error = 0.06;
  auto workload = workload_of(poisson(3000, 2, 200, 50));
  workload.slo = {0.5, 0.020, 0.99};
  const SloCapacity capacity = find_slo_capacity(workload, roomy_setup(), backend, 1, 0.01);
  // idle TPOT 10.1 ms of 20 ms: 0.06 / (1 - 0.505) = 0.121; the search adds at most 0.01
  EXPECT_GE(capacity.relative_error, 0.121);
  EXPECT_LE(capacity.relative_error, 0.125);
}

TEST(SloCapacity, IsHigherWhenReplicasShareBursts) {
  // Bursts of 20 requests at once every 10 s, 10 ms each, limit 0.1 s: alone a replica can take
  // half a burst; dealt over four it takes a whole one (five of each of four bursts).
  auto backend = single_server(0.010);
  workloads::RequestTrace bursts;
  for (int i = 0; i < 4000; ++i) {
    bursts.requests.push_back({10.0 * (i / 20), 100, 1, 0, {}});
  }
  auto workload = workload_of(bursts);
  workload.slo = {0.1005, 1.0, 0.99};
  auto setup = one_at_a_time();
  const double alone = find_slo_capacity(workload, setup, backend, 1).load_factor;
  setup.replicas = 4;
  const double shared = find_slo_capacity(workload, setup, backend, 1).load_factor;
  EXPECT_LT(alone, 0.5);
  EXPECT_GT(shared, 2 * alone);
}

TEST(SloCapacity, IsTheSameForTheSameSeed) {
  auto backend = batching(1);
  auto workload = workload_of(poisson(1000, 2, 200, 50));
  workload.slo = {0.5, 0.015, 0.99};
  const SloCapacity a = find_slo_capacity(workload, roomy_setup(), backend, 3);
  const SloCapacity b = find_slo_capacity(workload, roomy_setup(), backend, 3);
  EXPECT_EQ(a.load_factor, b.load_factor);
  EXPECT_EQ(a.trace.joules_per_gpu(), b.trace.joules_per_gpu());
}

TEST(BusiestWindow, HoldsTheMostTokens) {
  workloads::RequestTrace traffic;
  traffic.requests = {{0, 10, 1, 0, {}},  {4, 10, 1, 0, {}}, {5, 50, 1, 0, {}},
                      {5.5, 9, 1, 0, {}}, {9, 30, 1, 0, {}}, {20, 10, 1, 0, {}}};
  // windows of 2 s: 4..6 has 10 + 50 + 9; windows of 5 s: 4..9 has 99
  EXPECT_EQ(busiest_window(traffic, 2).requests.size(), 3U);
  EXPECT_EQ(busiest_window(traffic, 2).requests.front().arrival_s, 4);
  EXPECT_EQ(busiest_window(traffic, 5).requests.size(), 4U);
  EXPECT_EQ(busiest_window(traffic, 100).requests.size(), 6U);
}

TEST(SloCapacity, RefusesTrafficWithoutRequests) {
  auto backend = batching(1);
  EXPECT_THROW(static_cast<void>(find_slo_capacity(workload_of({}), roomy_setup(), backend, 1)),
               InputError);
}

}  // namespace
}  // namespace rackwright::profiler
