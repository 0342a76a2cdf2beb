#include "workloads/engine.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/input_error.hpp"
#include "common/random.hpp"
#include "tests/shared_data.hpp"

namespace rackwright::workloads {
namespace {

RequestTrace trace_of(std::vector<Request> requests) {
  RequestTrace trace;
  trace.name = "test";
  trace.requests = std::move(requests);
  return trace;
}

Request request(double arrival_s, std::uint32_t prompt, std::uint32_t output) {
  Request result;
  result.arrival_s = arrival_s;
  result.prompt_tokens = prompt;
  result.output_tokens = output;
  return result;
}

RequestTrace poisson(std::size_t count, double rate_per_s, std::uint32_t prompt,
                     std::uint32_t output, std::uint64_t seed) {
  RandomSource random(seed);
  RequestTrace trace;
  double now = 0;
  for (std::size_t i = 0; i < count; ++i) {
    now += random.exponential(1 / rate_per_s);
    trace.requests.push_back(request(now, 1 + static_cast<std::uint32_t>(random.below(2 * prompt)),
                                     1 + static_cast<std::uint32_t>(random.below(2 * output))));
  }
  return trace;
}

ServingPlan plan_of(int max_batch, int prefill_chunk) {
  ServingPlan plan;
  plan.max_batch = max_batch;
  plan.prefill_chunk = prefill_chunk;
  plan.kv_block = 16;
  return plan;
}

StepTime constant(double seconds) {
  return [seconds](const StepShape&) { return seconds; };
}

/// 5 ms, 0.1 ms per sequence, 10 us per prompt token.
double linear_time(const StepShape& step) {
  return 5e-3 + 1e-4 * step.decode_sequences + 1e-5 * step.prefill_tokens;
}

std::uint64_t sum_of_outputs(const RequestTrace& trace) {
  return std::accumulate(trace.requests.begin(), trace.requests.end(), std::uint64_t{0},
                         [](std::uint64_t sum, const Request& r) { return sum + r.output_tokens; });
}
std::uint64_t sum_of_prompts(const RequestTrace& trace) {
  return std::accumulate(trace.requests.begin(), trace.requests.end(), std::uint64_t{0},
                         [](std::uint64_t sum, const Request& r) { return sum + r.prompt_tokens; });
}
std::uint64_t sum_of_cached(const EngineResult& result) {
  return std::accumulate(
      result.requests.begin(), result.requests.end(), std::uint64_t{0},
      [](std::uint64_t sum, const RequestOutcome& r) { return sum + r.cached_tokens; });
}

TEST(Engine, OneRequestTakesOneStepPerChunkAndOnePerLaterToken) {
  // 250 prompt tokens in chunks of 100: 3 steps, the third samples token 1; 4 more steps. 7 x 10
  // ms.
  const auto trace = trace_of({request(1.0, 250, 5)});
  const auto result = run_engine(trace, plan_of(8, 100), {.kv_tokens = 1000}, constant(0.01));
  ASSERT_EQ(result.requests.size(), 1U);
  EXPECT_EQ(result.steps, 7U);
  EXPECT_NEAR(result.requests[0].ttft(), 0.03, 1e-12);
  EXPECT_NEAR(result.requests[0].tpot(), 0.01, 1e-12);
  EXPECT_NEAR(result.end_s, 1.07, 1e-12);
  EXPECT_NEAR(result.busy_s, 0.07, 1e-12);
}

TEST(Engine, SumsOfAStepFollowFromTheLengths) {
  // Chunks of 100 of a prompt of 150 with clip 120. First: pairs 100 x 101 / 2 = 5050. Second:
  // positions 101..150: 150 x 151 / 2 - 5050 = 6275 pairs; clipped 101 + ... + 120 + 30 x 120 =
  // 2210 + 3600 = 5810; it reads 150 tokens. Then one decode step sees 151 tokens, clipped 120.
  const auto trace = trace_of({request(0, 150, 2)});
  std::vector<StepShape> steps;
  static_cast<void>(run_engine(trace, plan_of(8, 100), {.kv_tokens = 1000, .attention_clip = 120},
                               constant(0.01),
                               [&](double, double, const StepShape& s) { steps.push_back(s); }));
  ASSERT_EQ(steps.size(), 3U);
  EXPECT_EQ(steps[0].prefill_pairs, 5050);
  EXPECT_EQ(steps[0].prefill_finished, 0U);
  EXPECT_EQ(steps[1].prefill_pairs, 6275);
  EXPECT_EQ(steps[1].prefill_pairs_clipped, 5810);
  EXPECT_EQ(steps[1].prefill_context, 150);
  EXPECT_EQ(steps[1].prefill_finished, 1U);
  EXPECT_EQ(steps[2].decode_sequences, 1U);
  EXPECT_EQ(steps[2].decode_context, 151);
  EXPECT_EQ(steps[2].decode_context_clipped, 120);
  EXPECT_EQ(steps[2].decode_longest, 151U);
}

TEST(Engine, BatchSumsEqualTheSumOverSequencesOneByOne) {
  // Replays the same batch by hand: each sequence's context is prompt + tokens sampled so far.
  const auto trace = trace_of({request(0, 10, 30), request(0, 25, 8), request(0, 40, 20)});
  std::vector<StepShape> steps;
  static_cast<void>(run_engine(trace, plan_of(8, 1000), {.kv_tokens = 1000, .attention_clip = 32},
                               constant(0.01),
                               [&](double, double, const StepShape& s) { steps.push_back(s); }));
  ASSERT_EQ(steps.size(), 30U);
  for (std::uint32_t k = 1; k < 30; ++k) {
    double context = 0;
    double clipped = 0;
    std::uint32_t longest = 0;
    for (const Request& r : trace.requests) {
      if (k >= r.output_tokens) continue;
      context += r.prompt_tokens + k;
      clipped += std::min(32U, r.prompt_tokens + k);
      longest = std::max(longest, r.prompt_tokens + k);
    }
    EXPECT_EQ(steps[k].decode_context, context) << "step " << k;
    EXPECT_EQ(steps[k].decode_context_clipped, clipped) << "step " << k;
    EXPECT_EQ(steps[k].decode_longest, longest) << "step " << k;
  }
}

TEST(Engine, ConservesTokens) {
  const auto trace = poisson(2000, 20, 400, 60, 1);
  std::uint64_t prefill = 0;
  std::uint64_t sampled = 0;
  const auto result = run_engine(trace, plan_of(64, 512), {.kv_tokens = 200000}, linear_time,
                                 [&](double, double, const StepShape& s) {
                                   prefill += s.prefill_tokens;
                                   sampled += s.sampled();
                                 });
  EXPECT_EQ(result.requests.size(), trace.requests.size());
  EXPECT_EQ(result.output_tokens, sum_of_outputs(trace));
  EXPECT_EQ(sampled, sum_of_outputs(trace));
  EXPECT_EQ(prefill, sum_of_prompts(trace));
  EXPECT_EQ(result.prefill_tokens, sum_of_prompts(trace));
  EXPECT_EQ(result.recomputed_tokens, 0U);
}

TEST(Engine, PreemptsWhenBlocksRunOutAndStillConservesTokens) {
  // 40 sequences of up to 800 + 400 tokens against 8000 tokens of cache.
  auto trace = poisson(300, 50, 400, 200, 2);
  const auto result = run_engine(trace, plan_of(40, 2048), {.kv_tokens = 8000}, linear_time);
  EXPECT_GT(result.preemptions, 10U);
  EXPECT_EQ(result.requests.size(), trace.requests.size());
  EXPECT_EQ(result.output_tokens, sum_of_outputs(trace));
  EXPECT_GT(result.recomputed_tokens, 0U);
  EXPECT_EQ(result.prefill_tokens, sum_of_prompts(trace) + result.recomputed_tokens);
  std::uint64_t counted = 0;
  for (const auto& outcome : result.requests) counted += outcome.preemptions;
  EXPECT_EQ(counted, result.preemptions);
}

TEST(Engine, NeverHoldsMoreContextThanTheCache) {
  const auto trace = poisson(300, 50, 400, 200, 3);
  double most = 0;
  static_cast<void>(run_engine(
      trace, plan_of(40, 2048), {.kv_tokens = 8000}, linear_time,
      [&](double, double, const StepShape& s) { most = std::max(most, s.decode_context); }));
  EXPECT_LE(most, 8000);
  EXPECT_GT(most, 6000);  // and the cache is used
}

TEST(Engine, StepsNeverExceedTheChunk) {
  const auto trace = poisson(500, 30, 900, 50, 4);
  std::uint32_t most = 0;
  static_cast<void>(
      run_engine(trace, plan_of(256, 128), {.kv_tokens = 1e6}, linear_time,
                 [&](double, double, const StepShape& s) { most = std::max(most, s.tokens()); }));
  EXPECT_EQ(most, 128U);
}

TEST(Engine, DecodeNeverStarves) {
  // Long prompts keep coming; the time between two tokens of a running sequence is one step.
  auto trace = trace_of({request(0, 10, 200)});
  for (int i = 0; i < 50; ++i) trace.requests.push_back(request(0.001 * i, 20000, 2));
  const auto result = run_engine(trace, plan_of(64, 1000), {.kv_tokens = 2e6}, constant(0.01));
  EXPECT_NEAR(result.requests[0].tpot(), 0.01, 1e-9);
}

TEST(Engine, EqualPromptsGetTheirFirstTokensInOrderOfArrival) {
  RequestTrace trace;
  for (int i = 0; i < 400; ++i) trace.requests.push_back(request(i * 0.004, 300, 40));
  const auto result = run_engine(trace, plan_of(32, 700), {.kv_tokens = 9000}, linear_time);
  ASSERT_EQ(result.requests.size(), 400U);
  EXPECT_TRUE(std::is_sorted(
      result.requests.begin(), result.requests.end(),
      [](const auto& a, const auto& b) { return a.first_token_s < b.first_token_s; }));
}

TEST(Engine, WaitsLikeAnMD1Queue) {
  // Pollaczek-Khinchine for constant service: W = rho s / (2 (1 - rho)) = 0.8 x 10 ms / 0.4 = 20
  // ms. Waits of an M/D/1 queue at rho 0.8 stay correlated over some 1/(1-rho)^2 = 25 arrivals and
  // have a standard deviation of about 23 ms, so the mean over 400 000 has a standard error near
  // 23 ms x sqrt(2 x 25 / 400 000) = 0.26 ms; the tolerance is three of them.
  RandomSource random(7);
  RequestTrace trace;
  double now = 0;
  for (int i = 0; i < 400000; ++i)
    trace.requests.push_back(request(now += random.exponential(0.0125), 100, 1));
  const auto result = run_engine(trace, plan_of(1, 100), {.kv_tokens = 1000}, constant(0.01));
  double wait = 0;
  for (const auto& outcome : result.requests) wait += outcome.ttft() - 0.01;
  EXPECT_NEAR(wait / 400000, 0.020, 0.0008);
}

TEST(Engine, ObeysLittlesLaw) {
  // L = lambda W in the decode batch: the time average of sequences decoding (steps seen by the
  // sink) is throughput times mean time from first to last token (outcomes). A sequence is in the
  // batch from the end of its last prefill step on, so both agree to rounding.
  const auto trace = poisson(3000, 12, 500, 80, 5);
  double area = 0;
  const auto result = run_engine(
      trace, plan_of(128, 1024), {.kv_tokens = 1e6}, linear_time,
      [&](double, double duration, const StepShape& s) { area += duration * s.decode_sequences; });
  double residence = 0;
  for (const auto& outcome : result.requests) residence += outcome.finish_s - outcome.first_token_s;
  const double n = static_cast<double>(result.requests.size());
  const double in_batch = area / result.end_s;
  const double lambda = n / result.end_s;
  EXPECT_NEAR(in_batch, lambda * residence / n, 1e-9 * in_batch);
  EXPECT_GT(in_batch, 1);
}

TEST(Engine, RefusesARequestThatCannotFitTheCache) {
  const auto trace = trace_of({request(0, 100, 10), request(1, 5000, 100)});
  try {
    static_cast<void>(run_engine(trace, plan_of(8, 512), {.kv_tokens = 4096}, constant(0.01)));
    FAIL() << "no error";
  } catch (const InputError& error) {
    EXPECT_THAT(error.what(), ::testing::HasSubstr("4096 tokens"));
    EXPECT_THAT(error.what(), ::testing::HasSubstr("number 2, has 5000 prompt and 100 output"));
  }
}

TEST(Engine, RequestMustFitOneAttentionRank) {
  ServingPlan plan = plan_of(8, 512);
  plan.dp = 4;
  const auto trace = trace_of({request(0, 2000, 10)});
  EXPECT_THROW(static_cast<void>(run_engine(trace, plan, {.kv_tokens = 4096}, constant(0.01))),
               InputError);
  EXPECT_NO_THROW(
      static_cast<void>(run_engine(trace, plan, {.kv_tokens = 4 * 2048}, constant(0.01))));
}

TEST(Engine, PrefixCacheRemovesPrefillTokens) {
  // Two prompts of 1000 tokens share their first 4 blocks of 100; the second comes after the first
  // is done: 400 tokens need no prefill.
  auto trace = trace_of({request(0, 1000, 2), request(10, 1000, 2)});
  trace.prefix_block = 100;
  trace.requests[0].prefix_blocks = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9};
  trace.requests[1].prefix_blocks = {0, 1, 2, 3, 14, 15, 16, 17, 18, 19};
  ServingPlan plan = plan_of(8, 4096);
  plan.prefix_cache = true;
  const auto result = run_engine(trace, plan, {.kv_tokens = 16000}, constant(0.01));
  EXPECT_EQ(result.requests[0].cached_tokens, 0U);
  EXPECT_EQ(result.requests[1].cached_tokens, 400U);
  EXPECT_EQ(result.prefill_tokens, 1600U);
}

TEST(Engine, AtLeastOneTokenOfACachedPromptIsComputed) {
  auto trace = trace_of({request(0, 200, 2), request(10, 200, 2)});
  trace.prefix_block = 100;
  trace.requests[0].prefix_blocks = trace.requests[1].prefix_blocks = {5, 6};
  ServingPlan plan = plan_of(8, 4096);
  plan.prefix_cache = true;
  const auto result = run_engine(trace, plan, {.kv_tokens = 16000}, constant(0.01));
  EXPECT_EQ(result.requests[1].cached_tokens, 100U);
}

TEST(Engine, PrefixCacheForgetsTheLeastRecentlyUsed) {
  // The cache holds 1600 tokens; a second prompt of 1500 tokens pushes out the first one's blocks.
  auto trace = trace_of({request(0, 1000, 1), request(10, 1500, 1), request(20, 1000, 1)});
  trace.prefix_block = 160;
  trace.requests[0].prefix_blocks = trace.requests[2].prefix_blocks = {0, 1, 2, 3, 4, 5};
  trace.requests[1].prefix_blocks = {10, 11, 12, 13, 14, 15, 16, 17, 18};
  ServingPlan plan = plan_of(8, 4096);
  plan.prefix_cache = true;
  const auto small = run_engine(trace, plan, {.kv_tokens = 1600}, constant(0.01));
  EXPECT_EQ(small.requests[2].cached_tokens, 0U);
  const auto large = run_engine(trace, plan, {.kv_tokens = 4800}, constant(0.01));
  EXPECT_EQ(large.requests[2].cached_tokens, 960U);
}

TEST(Engine, ConservesTokensWithPrefixCacheUnderPreemption) {
  RandomSource random(11);
  RequestTrace trace = poisson(400, 40, 500, 150, 12);
  trace.prefix_block = 48;
  for (Request& r : trace.requests) {
    const auto family = static_cast<std::uint32_t>(random.below(20));
    const auto common = static_cast<std::uint32_t>(random.below(10));
    for (std::uint32_t i = 0; i < r.prompt_tokens / 48; ++i) {
      r.prefix_blocks.push_back(
          i < common ? family * 100 + i
                     : 10000 + static_cast<std::uint32_t>(&r - trace.requests.data()) * 100 + i);
    }
  }
  ServingPlan plan = plan_of(64, 1024);
  plan.prefix_cache = true;
  const auto result = run_engine(trace, plan, {.kv_tokens = 6000}, linear_time);
  ASSERT_EQ(result.requests.size(), trace.requests.size());
  EXPECT_GT(result.preemptions, 0U);
  EXPECT_GT(sum_of_cached(result), 0U);
  EXPECT_EQ(result.output_tokens, sum_of_outputs(trace));
  EXPECT_EQ(result.prefill_tokens,
            sum_of_prompts(trace) - sum_of_cached(result) + result.recomputed_tokens);
}

TEST(Engine, WorksWhenPrefixBlocksAreNoMultipleOfKvBlocks) {
  auto trace = poisson(200, 40, 500, 100, 13);
  trace.prefix_block = 50;  // kv_block is 16
  for (Request& r : trace.requests) {
    for (std::uint32_t i = 0; i < r.prompt_tokens / 50; ++i) r.prefix_blocks.push_back(i);
  }
  ServingPlan plan = plan_of(64, 1024);
  plan.prefix_cache = true;
  const auto result = run_engine(trace, plan, {.kv_tokens = 1600}, linear_time);
  EXPECT_EQ(result.requests.size(), trace.requests.size());
  EXPECT_EQ(result.prefill_tokens,
            sum_of_prompts(trace) - sum_of_cached(result) + result.recomputed_tokens);
}

TEST(Engine, AnEndlessPrefixCacheHitsAsOftenAsTheBlocksOfTheTraceRepeat) {
  // Counted apart from this code over the trace: 35.26 % of all prompt tokens stand in leading full
  // blocks that an earlier request had. Requests in flight together cannot share yet, and a block
  // that ends its prompt is computed for its last token; the tolerance is half a point.
  RACKWRIGHT_NEED_SHARED("mooncake-traces");
  const auto trace = read_requests(
      "mooncake:" +
          (testing::shared_data() / "mooncake-traces/conversation_trace_first6000.jsonl").string(),
      1);
  ServingPlan plan = plan_of(256, 8192);
  plan.prefix_cache = true;
  const auto result = run_engine(trace, plan, {.kv_tokens = 4e8}, linear_time);
  EXPECT_NEAR(
      static_cast<double>(sum_of_cached(result)) / static_cast<double>(sum_of_prompts(trace)),
      0.3526, 0.005);
}

TEST(ExpectedTokens, FollowTheGeometricSum) {
  // 1 + 0.8 + 0.64 + 0.512 = 2.952 for three draft tokens.
  EXPECT_NEAR(expected_tokens({.draft_tokens = 3, .acceptance = 0.8}), 2.952, 1e-12);
  EXPECT_EQ(expected_tokens({.draft_tokens = 3, .acceptance = 1.0}), 4);
  EXPECT_EQ(expected_tokens({.draft_tokens = 3, .acceptance = 0.0}), 1);
}

TEST(Engine, SpeculationTakesFewerStepsByTheExpectedNumberOfTokens) {
  // 1 + 2952 tokens after the first at 2.952 a step: 1000 decode steps and one prefill step (one
  // more or less for the carried fraction). Each costs 10 ms and three drafts of 10 % of it.
  ServingPlan plan = plan_of(8, 512);
  plan.speculative = SpeculativeDraft{.draft_tokens = 3, .acceptance = 0.8, .draft_cost = 0.1};
  std::uint32_t sequences = 0;
  const auto result = run_engine(trace_of({request(0, 100, 2953)}), plan, {.kv_tokens = 16000},
                                 constant(0.01), [&](double, double, const StepShape& s) {
                                   sequences = std::max(sequences, s.decode_sequences);
                                 });
  EXPECT_NEAR(static_cast<double>(result.steps), 1001, 1);
  EXPECT_EQ(sequences, 4U);  // one sequence, four tokens verified
  EXPECT_EQ(result.output_tokens, 2953U);
  EXPECT_NEAR(result.busy_s, 1000 * 0.013 + 0.01, 0.02);
}

TEST(Engine, GivesUpWhenTheQueueWaitsTooLong) {
  RequestTrace trace;
  for (int i = 0; i < 1000; ++i) trace.requests.push_back(request(i * 0.001, 100, 10));
  const auto result = run_engine(trace, plan_of(1, 512), {.kv_tokens = 4096, .give_up_wait_s = 0.5},
                                 constant(0.01));
  EXPECT_TRUE(result.gave_up);
  EXPECT_LT(result.requests.size(), 20U);
  EXPECT_LT(result.end_s, 1.0);
}

TEST(Engine, StopsAdmittingAndDrains) {
  RequestTrace trace;
  for (int i = 0; i < 100; ++i) trace.requests.push_back(request(i * 1.0, 100, 50));
  const auto result =
      run_engine(trace, plan_of(8, 512), {.kv_tokens = 4096, .stop_after_s = 10.2}, constant(0.01));
  ASSERT_EQ(result.requests.size(), 11U);  // arrivals at 0 … 10 s
  EXPECT_GT(result.end_s, 10.2);           // the last one runs to its end at 10.5 s
}

TEST(Engine, CountsImageTokensInTheChunksThatHoldThem) {
  auto trace = trace_of({request(0, 250, 1)});
  trace.requests[0].image_tokens = 150;
  std::vector<std::uint32_t> images;
  static_cast<void>(run_engine(
      trace, plan_of(8, 100), {.kv_tokens = 1000}, constant(0.01),
      [&](double, double, const StepShape& s) { images.push_back(s.prefill_image_tokens); }));
  EXPECT_THAT(images, ::testing::ElementsAre(100U, 50U, 0U));
}

TEST(Engine, StopsWhenProgressSaysSo) {
  const auto trace = poisson(2000, 20, 400, 60, 1);
  EXPECT_THROW(
      static_cast<void>(run_engine(trace, plan_of(64, 512), {.kv_tokens = 200000}, linear_time, {},
                                   [](std::string_view, double, double) { throw Interrupted(); })),
      Interrupted);
}

TEST(Engine, RefusesAStepTimeThatIsNoTime) {
  EXPECT_THROW(static_cast<void>(run_engine(trace_of({request(0, 10, 2)}), plan_of(8, 512),
                                            {.kv_tokens = 4096}, constant(std::nan("")))),
               std::invalid_argument);
}

TEST(Engine, AnEmptyTraceIsAnEmptyResult) {
  const auto result = run_engine({}, plan_of(8, 512), {.kv_tokens = 4096}, constant(0.01));
  EXPECT_EQ(result.steps, 0U);
  EXPECT_TRUE(result.requests.empty());
}

}  // namespace
}  // namespace rackwright::workloads
