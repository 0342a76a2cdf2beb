#include "workloads/request_description.hpp"

#include <cmath>
#include <cstdlib>
#include <regex>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/csv_reader.hpp"
#include "common/output_file.hpp"
#include "tests/shared_data.hpp"
#include "workloads/request_readers.hpp"

namespace rackwright::workloads {
namespace {

using nlohmann::ordered_json;
using testing::shared_data;

RequestTrace trace_of(const std::string& format, const std::string& file) {
  return read_requests(format + ":" + (shared_data() / file).string(), 1);
}

/// The hour with most arrivals.
RequestTrace busiest_hour(RequestTrace trace) {
  const auto& all = trace.requests;
  std::size_t begin = 0;
  std::size_t most = 0;
  for (std::size_t b = 0, e = 0; b < all.size(); ++b) {
    while (e < all.size() && all[e].arrival_s < all[b].arrival_s + 3600) ++e;
    if (e - b > most) {
      begin = b;
      most = e - b;
    }
  }
  trace.requests = {all.begin() + static_cast<std::ptrdiff_t>(begin),
                    all.begin() + static_cast<std::ptrdiff_t>(begin + most)};
  sort_by_arrival(trace);
  return trace;
}

RequestTrace servegen_clients(const std::vector<std::string>& clients) {
  RequestTrace trace;
  for (const auto& client : clients) {
    const auto one =
        read_servegen_requests(shared_data() / "servegen" / (client + "-trace.csv"), 1);
    trace.requests.insert(trace.requests.end(), one.requests.begin(), one.requests.end());
  }
  sort_by_arrival(trace);
  return busiest_hour(std::move(trace));
}

RequestTrace arxiv_lengths() {
  CsvReader csv(shared_data() / "vidur-request-lengths/arxiv_summarization_first4000.csv", {});
  RequestTrace trace;
  while (csv.next()) {
    Request& request = trace.requests.emplace_back();
    request.arrival_s = static_cast<double>(trace.requests.size());
    request.prompt_tokens = static_cast<std::uint32_t>(csv.integer("num_prefill_tokens", 1));
    request.output_tokens = static_cast<std::uint32_t>(csv.integer("num_decode_tokens", 1));
  }
  return trace;
}

ordered_json source(const char* data_set, const char* url, const char* licence,
                    const char* derivation, ordered_json assumptions) {
  return {{"data_set", data_set},     {"url", url},          {"licence", licence},
          {"derivation", derivation}, {"status", "derived"}, {"assumptions", assumptions}};
}

ordered_json code() {
  return describe_requests(
      trace_of("azure", "azure-llm-traces/AzureLLMInferenceTrace_code.csv"), "code",
      "Code completion",
      source("Azure LLM inference trace 2023, code (Patel et al., Splitwise, ISCA 2024)",
             "https://github.com/Azure/AzurePublicDataset", "CC-BY-4.0",
             "8819 requests of one hour; quantiles, rate, gaps within and rate between windows of "
             "60 s, by describe_requests",
             ordered_json::array()));
}

ordered_json chat() {
  return describe_requests(
      trace_of("mooncake", "mooncake-traces/conversation_trace_first6000.jsonl"), "chat",
      "Conversation with long histories",
      source("Mooncake conversation trace (Qin et al., FAST 2025)",
             "https://github.com/kvcache-ai/Mooncake", "Apache-2.0",
             "first 6000 of 12031 requests, by describe_requests; the clock ticks every 3 s, so cv "
             "is from the dispersion of counts over 30 s",
             {"requests are independent: shared prefixes are left to the agentic description"}));
}

ordered_json long_context() {
  ordered_json json = describe_requests(
      arxiv_lengths(), "long-context", "Summaries of papers",
      source("arXiv summarisation lengths shipped with Vidur (Agrawal et al., MLSys 2024)",
             "https://github.com/microsoft/vidur", "MIT",
             "lengths of the first 4000 requests, by describe_requests",
             {"the source has no arrival times: Poisson arrivals, one per second"}));
  json["arrivals"] = {{"rate_per_s", 1.0}, {"cv", 1.0}};
  return json;
}

ordered_json reasoning() {
  return describe_requests(
      servegen_clients({"reason_deepseek-r1_chunk-0", "reason_deepseek-r1_chunk-1",
                        "reason_deepseek-r1_chunk-3"}),
      "reasoning", "Reasoning with long answers",
      source("ServeGen deepseek-r1, three clients (Xiang et al., 2025)",
             "https://github.com/alibaba/ServeGen", "Apache-2.0",
             "clients sampled with seed 1, laid over each other, busiest hour, by "
             "describe_requests; reasoning tokens are part of the output",
             {"prompt and output of one client are independent, as ServeGen publishes them"}));
}

ordered_json multimodal() {
  return describe_requests(
      servegen_clients({"multimodal_mm-image_chunk-10", "multimodal_mm-image_chunk-4",
                        "multimodal_mm-image_chunk-7"}),
      "multimodal", "Questions about images",
      source("ServeGen mm-image, three clients (Xiang et al., 2025)",
             "https://github.com/alibaba/ServeGen", "Apache-2.0",
             "clients sampled with seed 1, laid over each other, busiest hour, by "
             "describe_requests; image tokens as the source's own model counts them",
             {"text, image and output lengths are independent, as ServeGen publishes them"}));
}

ordered_json agentic() {
  const RequestTrace trace =
      trace_of("mooncake", "mooncake-traces/conversation_trace_first6000.jsonl");
  const SessionStatistics found = find_sessions(trace);
  ordered_json json = describe_requests(
      trace, "agentic", "Agent sessions with tools",
      source("Mooncake conversation trace (Qin et al., FAST 2025)",
             "https://github.com/kvcache-ai/Mooncake", "Apache-2.0",
             "first 6000 requests; first prompts, tokens a turn adds and the system prompt from "
             "requests whose prefix blocks continue an earlier request (find_sessions); answers "
             "and rate by describe_requests",
             {"turns: no public trace has the turns of agents; people's sessions in this one have "
              "1.4. Median 12, a tenth above 40",
              "tool_wait_s: median 2 s for a tool call, 1 in 100 above 2 minutes (builds, tests); "
              "people's waits in the trace have a median of 2 minutes",
              "answer_s_per_token: 20 ms, the pace at which a turn's answer arrives before its "
              "tool starts",
              "max_prompt_tokens: below a context window of 131072"}));
  const auto points = [](const Quantiles& quantiles) {
    ordered_json list = ordered_json::array();
    for (const auto& [p, value] : quantiles.points()) list.push_back({p, value});
    return ordered_json{{"quantiles", list}};
  };
  json["prompt_tokens"] = points(quantiles_of(found.first_prompt));
  json["rank_correlation"] = 0.0;
  json["arrivals"]["cv"] = 1.0;
  json["source"]["assumptions"].push_back("sessions start independently of each other: cv 1");
  json["sessions"] = {
      {"turns", points(Quantiles({{0, 1}, {0.1, 3}, {0.5, 12}, {0.9, 40}, {1, 100}}))},
      {"tool_wait_s",
       points(Quantiles({{0, 0.1}, {0.25, 0.5}, {0.5, 2}, {0.9, 15}, {0.99, 120}, {1, 600}}))},
      {"new_tokens", points(quantiles_of(found.new_tokens))},
      {"answer_s_per_token", 0.02},
      {"shared_prefix_tokens", found.shared_prefix_tokens},
      {"max_prompt_tokens", 126000},
      {"prefix_block", 512}};
  return json;
}

/// As shipped: one pair of a quantile list per line.
std::string text_of(const ordered_json& json) {
  static const std::regex pair(R"(\[\s+([-+0-9.e]+),\s+([-+0-9.e]+)\s+\])");
  return std::regex_replace(json.dump(2), pair, "[$1, $2]") + "\n";
}

struct Shipped {
  const char* file;
  const char* data;
  ordered_json (*derive)();
};

class ShippedDescription : public ::testing::TestWithParam<Shipped> {};

/// RACKWRIGHT_ACCEPT=1 writes the files anew from the traces.
TEST_P(ShippedDescription, FollowsFromItsTrace) {
  RACKWRIGHT_NEED_SHARED(GetParam().data);
  const auto path =
      std::filesystem::path(RACKWRIGHT_SOURCE_DIR) / "workloads/requests" / GetParam().file;
  const std::string derived = text_of(GetParam().derive());
  if (std::getenv("RACKWRIGHT_ACCEPT") != nullptr) write_file(path, derived);
  EXPECT_EQ(read_file(path), derived);
}

TEST_P(ShippedDescription, IsReadAndGenerates) {
  const auto path =
      std::filesystem::path(RACKWRIGHT_SOURCE_DIR) / "workloads/requests" / GetParam().file;
  const auto trace = generate_requests(JsonDocument::parse_file(path), 600, 1);
  EXPECT_GT(trace.requests.size(), 100U);
  EXPECT_LT(trace.longest(), 131072U);  // context window of the smallest model shipped with it
}

INSTANTIATE_TEST_SUITE_P(Requests, ShippedDescription,
                         ::testing::Values(Shipped{"code.json", "azure-llm-traces", code},
                                           Shipped{"chat.json", "mooncake-traces", chat},
                                           Shipped{"long-context.json", "vidur-request-lengths",
                                                   long_context},
                                           Shipped{"reasoning.json", "servegen", reasoning},
                                           Shipped{"multimodal.json", "servegen", multimodal},
                                           Shipped{"agentic.json", "mooncake-traces", agentic}),
                         [](const auto& shipped) {
                           std::string name = shipped.param.file;
                           name.resize(name.find('.'));
                           std::erase(name, '-');
                           return name;
                         });

std::vector<double> prompts_of(const RequestTrace& trace) {
  std::vector<double> result;
  for (const auto& request : trace.requests) {
    result.push_back(request.prompt_tokens - request.image_tokens);
  }
  return result;
}
std::vector<double> outputs_of(const RequestTrace& trace) {
  std::vector<double> result;
  for (const auto& request : trace.requests) result.push_back(request.output_tokens);
  return result;
}

/// A quantile p of n samples lies, with 99.9 %, between the quantiles p -/+ 3.3 sqrt(p (1-p) / n).
void expect_same_distribution(const std::vector<double>& sample, const Quantiles& expected) {
  const Quantiles got = quantiles_of(sample);
  const double n = static_cast<double>(sample.size());
  for (const auto& [p, value] : got.points()) {
    if (p < 0.05 || p > 0.95) continue;
    const double width = 3.3 * std::sqrt(p * (1 - p) / n);
    EXPECT_GE(value, expected.at(p - width) - 1) << "quantile " << p;
    EXPECT_LE(value, expected.at(p + width) + 1) << "quantile " << p;
  }
}

TEST(RequestDescription, RegeneratesTheQuantilesAndMeansOfTheAzureCodeTrace) {
  RACKWRIGHT_NEED_SHARED("azure-llm-traces");
  const RequestTrace trace = trace_of("azure", "azure-llm-traces/AzureLLMInferenceTrace_code.csv");
  const auto json = describe_requests(trace, "code", "code", {});
  const auto document = JsonDocument::parse_text(json.dump(), "derived");
  const RequestTrace made = generate_requests(document, 20000, 3);  // some 51 000 requests
  expect_same_distribution(prompts_of(made), quantiles_of(prompts_of(trace)));
  expect_same_distribution(outputs_of(made), quantiles_of(outputs_of(trace)));
  // 20 straight pieces cost at most 3 % of the mean.
  EXPECT_NEAR(made.mean_prompt(), trace.mean_prompt(), 0.03 * trace.mean_prompt());
  EXPECT_NEAR(made.mean_output(), trace.mean_output(), 0.03 * trace.mean_output());
  EXPECT_NEAR(made.rate(), trace.rate(), 0.1 * trace.rate());
}

TEST(RequestDescription, MeasuresWhatTheGeneratorWasTold) {
  const auto document = JsonDocument::parse_text(R"({"format_version": 1, "name": "x",
      "arrivals": {"rate_per_s": 20, "cv": 2.0, "modulation_cv": 0.5},
      "prompt_tokens": {"quantiles": [[0, 100], [1, 1100]]},
      "output_tokens": {"quantiles": [[0, 10], [1, 210]]}, "rank_correlation": 0.6})",
                                                 "x.json");
  const RequestTrace trace = generate_requests(document, 40000, 1);
  const auto json = describe_requests(trace, "x", "x", {});
  // Means of uniform lengths: 600 and 110.
  EXPECT_NEAR(trace.mean_prompt(), 600, 3);
  EXPECT_NEAR(trace.mean_output(), 110, 1);
  EXPECT_NEAR(json["arrivals"]["rate_per_s"].get<double>(), 20, 0.2);
  // Windows of 60 s cut long gaps off, so the cv within them is a little low.
  EXPECT_NEAR(json["arrivals"]["cv"].get<double>(), 2.0, 0.1);
  EXPECT_NEAR(json["arrivals"]["modulation_cv"].get<double>(), 0.5, 0.05);
  EXPECT_NEAR(json["rank_correlation"].get<double>(), 0.6, 0.01);
}

TEST(RequestDescription, RankCorrelationFollowsSpearman) {
  // Ranks 1 2 3 4 5 against 2 1 4 3 5: 1 - 6 x (1+1+1+1+0) / (5 x 24) = 0.8.
  EXPECT_NEAR(rank_correlation({10, 20, 30, 40, 50}, {7, 3, 12, 9, 40}), 0.8, 1e-12);
  // A tie takes the mean rank: 1, 2.5, 2.5, 4 against 1 2 3 4: r = 4.5 / sqrt(4.5 x 5) = 0.9487.
  EXPECT_NEAR(rank_correlation({1, 5, 5, 9}, {1, 2, 3, 4}), 0.948683, 1e-6);
}

TEST(RequestDescription, FindsSessionsByTheirGrowingPrefix) {
  RequestTrace trace;
  trace.prefix_block = 10;
  const auto add = [&](double at, std::uint32_t prompt, std::uint32_t output,
                       std::vector<std::uint32_t> blocks) {
    trace.requests.push_back({at, prompt, output, 0, std::move(blocks)});
  };
  add(0, 35, 5, {0, 1, 2});           // session A
  add(1, 45, 5, {0, 20, 21, 22});     // session B
  add(4, 62, 5, {0, 1, 2, 3, 4, 5});  // A: 62 - 35 - 5 = 22 new tokens, 4 s later
  add(5, 25, 5, {0, 30});
  add(6, 25, 5, {0, 40});
  const auto found = find_sessions(trace);
  EXPECT_EQ(found.shared_prefix_tokens, 10);
  EXPECT_EQ(found.sessions, 4U);
  EXPECT_EQ(found.continuations, 1U);
  EXPECT_THAT(found.turns, ::testing::UnorderedElementsAre(1, 1, 1, 2));
  EXPECT_THAT(found.gap_s, ::testing::ElementsAre(4));
  EXPECT_THAT(found.new_tokens, ::testing::ElementsAre(22));
}

TEST(RequestDescription, RefusesATraceWithoutDuration) {
  EXPECT_THROW(static_cast<void>(describe_requests({}, "x", "x", {})), InputError);
}

}  // namespace
}  // namespace rackwright::workloads
