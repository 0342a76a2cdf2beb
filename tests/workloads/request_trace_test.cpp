#include "workloads/request_trace.hpp"

#include <algorithm>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/input_error.hpp"
#include "tests/shared_data.hpp"
#include "tests/temporary_folder.hpp"
#include "workloads/request_readers.hpp"

namespace rackwright::workloads {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr const char* kAzureHeader = "TIMESTAMP,ContextTokens,GeneratedTokens\n";

class Readers : public ::testing::Test {
 protected:
  RequestTrace read(const std::string& format, const std::string& content,
                    const std::string& name = "trace.csv") {
    return read_requests(format + ":" + folder_.write(name, content).string(), 1);
  }
  std::string error_of(const std::string& format, const std::string& content,
                       const std::string& name = "trace.csv") {
    try {
      static_cast<void>(read(format, content, name));
    } catch (const InputError& error) {
      return error.what();
    }
    return "no error";
  }
  testing::TemporaryFolder folder_;
};

TEST(Timestamp, CountsTicksSince1970) {
  // 2023-11-16 is day 19677; 18:17:03.97996 is 65823.97996 s: 19677 x 86400 + 65823 = 1700158623.
  EXPECT_EQ(parse_timestamp("2023-11-16 18:17:03.9799600"), 17001586239799600LL);
  EXPECT_EQ(parse_timestamp("2023-11-16T18:17:03.97996Z"), 17001586239799600LL);
  EXPECT_EQ(parse_timestamp("1970-01-01 00:00:00"), 0);
  EXPECT_EQ(parse_timestamp("2024-05-10 00:00:00.009930+00:00").value() % 10000000, 99300);
  EXPECT_EQ(parse_timestamp("2024-03-01 00:00:00").value() -
                parse_timestamp("2024-02-29 00:00:00").value(),
            864000000000LL);  // a leap year
  for (const char* bad :
       {"", "2023-11-16", "2023-13-16 18:17:03", "2023-11-16 25:17:03", "2023-11-16 18:17:03.",
        "2023-11-16 18:17:03 PM", "18:17:03 2023-11-16"}) {
    EXPECT_FALSE(parse_timestamp(bad).has_value()) << bad;
  }
}

TEST_F(Readers, AzureIsSortedAndStartsAtZero) {
  const auto trace = read("azure", std::string(kAzureHeader) +
                                       "2023-11-16 18:17:05.0000000,200,20\r\n"
                                       "2023-11-16 18:17:03.9799600,100,0\r\n");
  ASSERT_EQ(trace.requests.size(), 2U);
  EXPECT_EQ(trace.requests[0].prompt_tokens, 100U);
  EXPECT_EQ(trace.requests[0].output_tokens, 1U);  // no output counts as one token
  EXPECT_EQ(trace.requests[0].arrival_s, 0);
  EXPECT_NEAR(trace.requests[1].arrival_s, 1.02004, 1e-9);
  EXPECT_EQ(trace.source, "azure trace.csv");
}

TEST_F(Readers, BadRowsAreToldTogetherWithLineAndColumn) {
  EXPECT_THAT(
      error_of("azure", std::string(kAzureHeader) + "2023-11-16 18:17:03.9799600,100,10\n"
                                                    "yesterday,100,10\n"
                                                    "2023-11-16 18:17:03.9799600,-5,10\n"
                                                    "2023-11-16 18:17:03.9799600,0,10\n"
                                                    "2023-11-16 18:17:03.9799600,100,nan\n"
                                                    "2023-11-16 18:17:03.9799600,1e20,10\n"
                                                    "2023-11-16 18:17:0"),
      AllOf(HasSubstr("trace.csv:3: TIMESTAMP"), HasSubstr("trace.csv:4: ContextTokens"),
            HasSubstr("trace.csv:5: ContextTokens"), HasSubstr("trace.csv:6: GeneratedTokens"),
            HasSubstr("trace.csv:7: ContextTokens"), HasSubstr("trace.csv:8:"),
            HasSubstr("truncated")));
}

TEST_F(Readers, AMillionBadRowsGiveTwentyProblems) {
  std::string content = kAzureHeader;
  for (int i = 0; i < 1000; ++i) content += "x,1,1\n";
  const std::string error = error_of("azure", content);
  EXPECT_EQ(std::count(error.begin(), error.end(), '\n'), 19);
}

TEST_F(Readers, MissingColumnEmptyFileFolderAndMissingFileAreSaid) {
  EXPECT_THAT(error_of("azure", "TIMESTAMP,ContextToken,GeneratedTokens\n"),
              AllOf(HasSubstr("ContextTokens"), HasSubstr("nearest is \"ContextToken\"")));
  EXPECT_THAT(error_of("azure", ""), HasSubstr("empty"));
  EXPECT_THAT(error_of("azure", kAzureHeader), HasSubstr("at least one request"));
  EXPECT_THAT(error_of("mooncake", ""), HasSubstr("at least one request"));
  for (const char* format : {"azure", "burstgpt", "mooncake", "vllm-bench"}) {
    try {
      static_cast<void>(read_requests(std::string(format) + ":" + folder_.path().string(), 1));
      FAIL() << format;
    } catch (const InputError& error) {
      EXPECT_THAT(error.what(), HasSubstr("a folder")) << format;
    }
    EXPECT_THROW(static_cast<void>(read_requests(std::string(format) + ":none", 1)), InputError);
  }
}

TEST_F(Readers, UnknownFormatOffersTheNearest) {
  EXPECT_THAT(error_of("moncake", "x"),
              AllOf(HasSubstr("azure, burstgpt, mooncake, servegen, vllm-bench"),
                    HasSubstr("did you mean \"mooncake\"?")));
  EXPECT_THROW(static_cast<void>(read_requests("trace.csv", 1)), InputError);
  EXPECT_THROW(static_cast<void>(read_requests("azure:", 1)), InputError);
}

TEST_F(Readers, MooncakeHasMillisecondsAndPrefixBlocks) {
  const auto trace =
      read("mooncake",
           R"({"timestamp": 3000, "input_length": 1030, "output_length": 7, "hash_ids": [0, 4, 5]}
{"timestamp": 4500, "input_length": 600, "output_length": 9, "hash_ids": [0, 6]}
)");
  EXPECT_EQ(trace.prefix_block, 512);
  ASSERT_EQ(trace.requests.size(), 2U);
  EXPECT_THAT(trace.requests[0].prefix_blocks, ElementsAre(0U, 4U, 5U));
  EXPECT_EQ(trace.requests[1].arrival_s, 1.5);
  EXPECT_THAT(error_of("mooncake",
                       "{\"timestamp\": 3000, \"input_length\": -3, "
                       "\"output_length\": 7}\n[1]\n{\"timestamp\": 3000}\n"
                       "{\"timestamp\": 3000, \"inp"),
              AllOf(HasSubstr("trace.csv:1: input_length"), HasSubstr("trace.csv:2:"),
                    HasSubstr("trace.csv:3: input_length"), HasSubstr("trace.csv:4:"),
                    HasSubstr("truncated")));
}

TEST_F(Readers, BurstGptLeavesFailedRequestsOut) {
  const auto trace = read("burstgpt",
                          "Timestamp,Model,Request tokens,Response tokens,Total tokens,Log Type\n"
                          "5,ChatGPT,472,18,490,Conversation log\n"
                          "45,GPT-4,1087,0,1087,API log\n"
                          "118,ChatGPT,417,276,693,API log\n");
  ASSERT_EQ(trace.requests.size(), 2U);
  EXPECT_EQ(trace.requests[1].arrival_s, 113);
  EXPECT_EQ(trace.requests[1].output_tokens, 276U);
}

TEST_F(Readers, ServeGenSamplesRatesAndHistograms) {
  folder_.write("client-dataset.json",
                R"({"0": {"text_tokens": "{10: 0.5, 30: 0.5}", "image_tokens": "{100: 1.0}",
                    "image_count": "{0: 0.5, 2: 0.5}", "output_tokens": "{7: 1.0}"},
                    "600": {"text_tokens": "{}", "output_tokens": "{}"}})");
  const auto trace =
      read("servegen", "0,10,1,Gamma,1,0.1\n600,0,0,,0,0\n1200,20,2,Weibull,0.5,0.02\n",
           "client-trace.csv");
  // 6000 and 12000 expected; a Weibull of shape 0.5 has cv^2 = 5, so 4 sigma are 4 sqrt(5 x 12000).
  const auto first = std::count_if(trace.requests.begin(), trace.requests.end(),
                                   [](const Request& r) { return r.arrival_s < 700; });
  EXPECT_NEAR(static_cast<double>(first), 6000, 310);
  EXPECT_NEAR(static_cast<double>(trace.requests.size()) - static_cast<double>(first), 12000, 1000);
  EXPECT_NEAR(trace.mean_prompt(), 20 + 100, 5);
  std::set<std::uint32_t> images;
  for (const Request& r : trace.requests) {
    images.insert(r.image_tokens);
    EXPECT_EQ(r.output_tokens, 7U);
  }
  EXPECT_THAT(images, ElementsAre(0U, 200U));
}

TEST_F(Readers, ServeGenSaysWhatIsMissing) {
  EXPECT_THAT(error_of("servegen", "0,10,1,Gamma,1,0.1\n", "client.csv"),
              HasSubstr("...-trace.csv"));
  EXPECT_THAT(error_of("servegen", "0,10,1,Gamma,1,0.1\n", "lonely-trace.csv"),
              HasSubstr("lonely-dataset.json"));
  folder_.write("bad-dataset.json", R"({"0": {"input_tokens": "{10: x}", "output_tokens": "{}"}})");
  EXPECT_THAT(error_of("servegen", "0,10,1,Gamma,1,0.1\n", "bad-trace.csv"),
              HasSubstr("/0/input_tokens"));
  folder_.write("odd-dataset.json",
                R"({"0": {"input_tokens": "{10: 1}", "output_tokens": "{5: 1}"}})");
  EXPECT_THAT(error_of("servegen", "0,10,1,Pareto,1,0.1\n", "odd-trace.csv"),
              HasSubstr("odd-trace.csv:1: distribution"));
  EXPECT_THAT(error_of("servegen", "0,-10,1,Gamma,1,0.1\n", "odd-trace.csv"),
              HasSubstr("odd-trace.csv:1: rate"));
}

TEST(SharedTraces, HaveThePublishedNumbersOfRequests) {
  using testing::shared_data;
  RACKWRIGHT_NEED_SHARED("azure-llm-traces");
  RACKWRIGHT_NEED_SHARED("mooncake-traces");
  RACKWRIGHT_NEED_SHARED("llmservingsim-vllm");
  const auto read = [](const std::string& format, const std::string& file) {
    return read_requests(format + ":" + (shared_data() / file).string(), 1);
  };
  const auto azure = read("azure", "azure-llm-traces/AzureLLMInferenceTrace_code.csv");
  EXPECT_EQ(azure.requests.size(), 8819U);
  EXPECT_NEAR(azure.mean_prompt(), 2048, 1);  // Splitwise, table of traces: 2048 and 28
  EXPECT_NEAR(azure.mean_output(), 28, 0.5);
  EXPECT_NEAR(azure.duration_s(), 3435.948, 0.001);
  const auto mooncake = read("mooncake", "mooncake-traces/conversation_trace_first6000.jsonl");
  EXPECT_EQ(mooncake.requests.size(), 6000U);
  for (const Request& r : mooncake.requests) {
    ASSERT_EQ(r.prefix_blocks.size(), (r.prompt_tokens + 511) / 512);
  }
  const auto vllm = read("vllm-bench", "llmservingsim-vllm/RTX4090_Llama-3.1-8B_requests.jsonl");
  EXPECT_EQ(vllm.requests.size(), 300U);
}

RequestTrace small_trace() {
  RequestTrace trace;
  trace.prefix_block = 16;
  for (std::uint32_t i = 0; i < 1000; ++i) {
    trace.requests.push_back({i * 0.1, 100 + i, 10, 0, {i % 7}});
  }
  return trace;
}

TEST(Superpose, OneCopyIsTheTraceItself) {
  const auto trace = small_trace();
  const auto copy = superpose(trace, 1, 5);
  ASSERT_EQ(copy.requests.size(), trace.requests.size());
  for (std::size_t i = 0; i < copy.requests.size(); ++i) {
    EXPECT_EQ(copy.requests[i].arrival_s, trace.requests[i].arrival_s);
    EXPECT_EQ(copy.requests[i].prompt_tokens, trace.requests[i].prompt_tokens);
  }
}

TEST(Superpose, ScalesTheNumberOfRequestsAndKeepsTheDuration) {
  const auto trace = small_trace();
  const auto copies = superpose(trace, 3.4, 5);
  EXPECT_NEAR(static_cast<double>(copies.requests.size()), 3400, 65);  // 4 sigma of the fraction
  EXPECT_LE(copies.duration_s(), trace.duration_s() + 0.1);
  EXPECT_TRUE(
      std::is_sorted(copies.requests.begin(), copies.requests.end(),
                     [](const Request& a, const Request& b) { return a.arrival_s < b.arrival_s; }));
  const auto part = superpose(trace, 0.25, 5);
  EXPECT_NEAR(static_cast<double>(part.requests.size()), 250, 55);
}

TEST(Superpose, KeepsPrefixBlocksOfCopiesApart) {
  const auto copies = superpose(small_trace(), 3, 5);
  std::set<std::uint32_t> ids;
  for (const Request& r : copies.requests)
    ids.insert(r.prefix_blocks.begin(), r.prefix_blocks.end());
  EXPECT_EQ(ids.size(), 21U);
}

TEST(Superpose, IsTheSameForTheSameSeed) {
  const auto a = superpose(small_trace(), 2.5, 5);
  const auto b = superpose(small_trace(), 2.5, 5);
  ASSERT_EQ(a.requests.size(), b.requests.size());
  for (std::size_t i = 0; i < a.requests.size(); ++i) {
    ASSERT_EQ(a.requests[i].arrival_s, b.requests[i].arrival_s);
  }
}

TEST(Superpose, RefusesWhatIsNoFactorAndWhatDoesNotFit) {
  EXPECT_THROW(static_cast<void>(superpose(small_trace(), 0, 5)), std::invalid_argument);
  EXPECT_THROW(static_cast<void>(superpose(small_trace(), 1e6, 5)), InputError);
}

TEST(RequestTrace, SummarisesItsRequests) {
  const auto trace = small_trace();
  EXPECT_NEAR(trace.duration_s(), 99.9, 1e-9);
  EXPECT_NEAR(trace.rate(), 10, 1e-9);
  EXPECT_EQ(trace.mean_output(), 10);
  EXPECT_EQ(trace.mean_prompt(), 599.5);
  EXPECT_EQ(trace.longest(), 1109U);
  EXPECT_EQ(RequestTrace{}.rate(), 0);
}

}  // namespace
}  // namespace rackwright::workloads
