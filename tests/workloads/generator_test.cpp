#include <algorithm>
#include <cmath>
#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/input_error.hpp"
#include "workloads/arrivals.hpp"
#include "workloads/quantiles.hpp"
#include "workloads/request_description.hpp"
#include "workloads/request_trace.hpp"

namespace rackwright::workloads {
namespace {

using ::testing::HasSubstr;

std::string description(const std::string& arrivals, const std::string& more = "") {
  return R"({"format_version": 1, "name": "test", "arrivals": )" + arrivals +
         R"(, "prompt_tokens": {"quantiles": [[0, 100], [0.5, 200], [1, 1000]]},
             "output_tokens": {"quantiles": [[0, 1], [1, 99]]})" +
         more + "}";
}

RequestTrace generate(const std::string& text, double duration_s, std::uint64_t seed) {
  return generate_requests(JsonDocument::parse_text(text, "test.json"), duration_s, seed);
}

std::string error_of(const std::string& text) {
  try {
    static_cast<void>(generate(text, 10, 1));
  } catch (const InputError& error) {
    return error.what();
  }
  return "no error";
}

TEST(Quantiles, AreStraightBetweenPointsAndHaveTheTrapezoidMean) {
  const Quantiles quantiles({{0, 100}, {0.5, 200}, {1, 1000}});
  EXPECT_EQ(quantiles.at(0.25), 150);
  EXPECT_EQ(quantiles.at(0.75), 600);
  EXPECT_EQ(quantiles.at(1), 1000);
  EXPECT_EQ(quantiles.mean(), 0.5 * 150 + 0.5 * 600);
}

TEST(Arrivals, HaveTheRateAndTheCoefficientOfVariationAskedFor) {
  for (const double cv : {0.3, 1.0, 3.0}) {
    RandomSource random(5);
    std::vector<double> at;
    sample_arrivals({{0, 10, cv, 0}}, 50000, random, [&](double t) { at.push_back(t); });
    double sum = 0;
    double squares = 0;
    for (std::size_t i = 1; i < at.size(); ++i) {
      sum += at[i] - at[i - 1];
      squares += (at[i] - at[i - 1]) * (at[i] - at[i - 1]);
    }
    const double n = static_cast<double>(at.size() - 1);
    const double mean = sum / n;
    // 500 000 gaps: standard error of the mean cv / sqrt(n), at most 0.4 %; of the cv a few times
    // it.
    EXPECT_NEAR(mean, 0.1, 0.002) << cv;
    EXPECT_NEAR(std::sqrt(squares / n - mean * mean) / mean, cv, 0.03 * cv) << cv;
  }
}

TEST(Arrivals, WeibullGapsHaveTheirTextbookVariation) {
  // Shape 0.5: cv^2 = Gamma(5) / Gamma(3)^2 - 1 = 24 / 4 - 1 = 5.
  RandomSource random(5);
  std::vector<double> at;
  sample_arrivals({{0, 10, 1, 0.5}}, 50000, random, [&](double t) { at.push_back(t); });
  double squares = 0;
  for (std::size_t i = 1; i < at.size(); ++i) squares += std::pow(at[i] - at[i - 1], 2);
  const double n = static_cast<double>(at.size() - 1);
  const double mean = (at.back() - at.front()) / n;
  EXPECT_NEAR(mean, 0.1, 0.002);
  EXPECT_NEAR(squares / n / (mean * mean) - 1, 5, 0.25);
}

TEST(Arrivals, FollowTheWindows) {
  RandomSource random(5);
  std::map<int, int> counts;
  sample_arrivals({{0, 100, 1, 0}, {100, 0, 1, 0}, {200, 50, 1, 0}}, 300, random,
                  [&](double t) { ++counts[static_cast<int>(t / 100)]; });
  EXPECT_NEAR(counts[0], 10000, 400);  // four standard deviations of a Poisson count
  EXPECT_EQ(counts[1], 0);
  EXPECT_NEAR(counts[2], 5000, 280);
}

TEST(Generator, SameSeedSameRequestsOtherSeedOthers) {
  const auto text = description(R"({"rate_per_s": 10, "cv": 2})");
  const auto a = generate(text, 100, 1);
  const auto b = generate(text, 100, 1);
  const auto c = generate(text, 100, 2);
  ASSERT_EQ(a.requests.size(), b.requests.size());
  for (std::size_t i = 0; i < a.requests.size(); ++i) {
    EXPECT_EQ(a.requests[i].arrival_s, b.requests[i].arrival_s);
    EXPECT_EQ(a.requests[i].prompt_tokens, b.requests[i].prompt_tokens);
  }
  EXPECT_NE(a.requests[1].arrival_s, c.requests[1].arrival_s);
}

TEST(Generator, LengthsHaveTheMeansOfTheirQuantiles) {
  const auto trace = generate(description(R"({"rate_per_s": 100, "cv": 1})"), 1000, 1);
  EXPECT_NEAR(trace.mean_prompt(), 375, 5);  // 0.5 x 150 + 0.5 x 600
  EXPECT_NEAR(trace.mean_output(), 50, 1);
}

TEST(Generator, ImagesArePartOfThePromptOfTheirShare) {
  const auto trace = generate(description(R"({"rate_per_s": 100, "cv": 1})",
                                          R"(, "image_share": 0.25,
      "image_tokens": {"quantiles": [[0, 500], [1, 500]]})"),
                              1000, 1);
  const auto with = std::count_if(trace.requests.begin(), trace.requests.end(),
                                  [](const Request& r) { return r.image_tokens == 500; });
  EXPECT_NEAR(static_cast<double>(with) / static_cast<double>(trace.requests.size()), 0.25, 0.01);
  for (const Request& r : trace.requests) EXPECT_GE(r.prompt_tokens, r.image_tokens + 100);
}

constexpr const char* kSessions = R"(, "sessions": {
    "turns": {"quantiles": [[0, 5], [1, 5]]}, "tool_wait_s": {"quantiles": [[0, 2], [1, 2]]},
    "new_tokens": {"quantiles": [[0, 50], [1, 50]]}, "answer_s_per_token": 0.01,
    "shared_prefix_tokens": 64, "max_prompt_tokens": 100000, "prefix_block": 32})";

TEST(Generator, SessionsGrowTheirPromptsAndKeepTheirBlocks) {
  const auto trace = generate(description(R"({"rate_per_s": 5, "cv": 1})", kSessions), 2000, 1);
  EXPECT_NEAR(trace.rate(), 5, 0.5);  // 2000 sessions: 2 % standard error, two sides, edges
  EXPECT_EQ(trace.prefix_block, 32);
  const auto found = find_sessions(trace);
  EXPECT_EQ(found.shared_prefix_tokens, 64);
  // Four of five requests continue another one, less the sessions cut by start and end of the run.
  EXPECT_NEAR(static_cast<double>(found.continuations) / static_cast<double>(trace.requests.size()),
              0.8, 0.02);
  for (const double tokens : found.new_tokens) EXPECT_EQ(tokens, 50);
  for (const Request& r : trace.requests) EXPECT_EQ(r.prefix_blocks.size(), r.prompt_tokens / 32);
}

TEST(Generator, SessionsThatReachTheLongestPromptEndAndTheRateStillHolds) {
  std::string sessions = kSessions;
  sessions.replace(sessions.find("100000"), 6, "400");
  const auto trace = generate(description(R"({"rate_per_s": 5, "cv": 1})", sessions), 4000, 1);
  EXPECT_NEAR(trace.rate(), 5, 0.4);
  const auto found = find_sessions(trace);
  EXPECT_GT(found.continuations, 1000U);
  EXPECT_LT(*std::max_element(found.turns.begin(), found.turns.end()), 6);
}

TEST(Generator, SaysWhatIsWrongWithADescription) {
  EXPECT_THAT(error_of(description(R"({"rate_per_s": -1, "cv": 1})")),
              HasSubstr("test.json:1: /arrivals/rate_per_s"));
  EXPECT_THAT(error_of(description(R"({"rate_per_s": 1, "cvv": 1})")), HasSubstr("\"cv\""));
  EXPECT_THAT(error_of(R"({"format_version": 1, "name": "x",
      "arrivals": {"rate_per_s": 1, "cv": 1},
      "prompt_tokens": {"quantiles": [[0, 10], [1, 5]]},
      "output_tokens": {"quantiles": [[0.1, 10], [1, 15]]}})"),
              AllOf(HasSubstr("/prompt_tokens/quantiles"), HasSubstr("/output_tokens/quantiles"),
                    HasSubstr("that do not fall")));
  EXPECT_THAT(error_of(R"({"format_version": 9})"), HasSubstr("older than the file"));
}

TEST(Generator, RefusesMoreRequestsThanFitInMemory) {
  EXPECT_THAT(error_of(description(R"({"rate_per_s": 1e9, "cv": 1})")),
              HasSubstr("50000000 requests"));
}

}  // namespace
}  // namespace rackwright::workloads
