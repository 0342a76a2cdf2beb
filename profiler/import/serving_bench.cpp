#include <algorithm>
#include <numeric>

#include <fmt/format.h>

#include "common/json_document.hpp"
#include "profiler/import/import.hpp"
#include "profiler/import/text_lines.hpp"

namespace rackwright::profiler {

namespace fs = std::filesystem;
using nlohmann::ordered_json;

namespace {

std::vector<double> numbers(const fs::path& path, const ordered_json& root, const char* key) {
  if (!root.contains(key) || !root.at(key).is_array()) {
    throw bad_input(path, 0, fmt::format("/{}", key),
                    "a list with a number per request (vLLM: --save-detailed; SGLang: "
                    "--output-details)",
                    "nothing");
  }
  std::vector<double> result;
  for (const auto& value : root.at(key))
    result.push_back(value.is_number() ? value.get<double>() : 0);
  return result;
}

/// Lists of vLLM's and SGLang's bench_serving. A failed request has output length 0. Without
/// `start_times` the arrivals are not known: they are laid out at the mean rate.
Recording read_lists(const fs::path& path, const ordered_json& root) {
  Recording recording;
  const auto prompts = numbers(path, root, "input_lens");
  const auto outputs = numbers(path, root, "output_lens");
  const auto ttfts = numbers(path, root, "ttfts");
  std::vector<double> starts;
  if (root.contains("start_times")) starts = numbers(path, root, "start_times");
  const ordered_json* itls = root.contains("itls") ? &root.at("itls") : nullptr;
  if (outputs.size() != prompts.size() || ttfts.size() != prompts.size() ||
      (itls != nullptr && itls->size() != prompts.size())) {
    throw bad_input(path, 0, "/output_lens",
                    fmt::format("{} values, as /input_lens has", prompts.size()),
                    fmt::format("{}", outputs.size()));
  }
  if (itls == nullptr) {
    throw bad_input(path, 0, "/itls", "the times between tokens of each request", "nothing");
  }
  const double duration = root.value("duration", 0.0);
  if (starts.size() != prompts.size()) {
    recording.notes.push_back(
        "no start_times: arrivals are laid out evenly over the run's duration");
    starts.resize(prompts.size());
    for (std::size_t i = 0; i < starts.size(); ++i) {
      starts[i] = duration * static_cast<double>(i) / static_cast<double>(starts.size());
    }
  }
  RecordCount count{"requests", prompts.size(), 0, ""};
  for (std::size_t i = 0; i < prompts.size(); ++i) {
    if (outputs[i] <= 0) continue;
    const auto& gaps = itls->at(i);
    const double decode =
        std::accumulate(gaps.begin(), gaps.end(), 0.0, [](double sum, const auto& gap) {
          return sum + (gap.is_number() ? gap.template get<double>() : 0.0);
        });
    workloads::RequestOutcome request;
    request.arrival_s = starts[i];
    request.first_token_s = starts[i] + ttfts[i];
    request.finish_s = request.first_token_s + decode;
    request.prompt_tokens = static_cast<std::uint32_t>(prompts[i]);
    request.output_tokens = static_cast<std::uint32_t>(outputs[i]);
    recording.requests.push_back(request);
    ++count.kept;
  }
  if (count.kept < count.read) count.skipped_because = "failed: no output token";
  recording.counts.push_back(count);
  return recording;
}

/// Arrival is Unix time, the others a monotonic clock: the queue time stamp joins the two.
Recording read_lines(const fs::path& path) {
  Recording recording;
  std::ifstream in = open_input(path);
  std::string text;
  RecordCount count{"requests", 0, 0, ""};
  for (std::size_t line = 1; std::getline(in, text); ++line) {
    if (text.find_first_not_of(" \t\r") == std::string::npos) continue;
    const auto row = ordered_json::parse(text, nullptr, false);
    if (row.is_discarded() || !row.is_object()) {
      throw bad_input(path, line, "", "a JSON object per line", "other text");
    }
    const auto value = [&](const char* key) {
      if (!row.contains(key) || !row.at(key).is_number()) {
        throw bad_input(path, line, key, "a number",
                        row.contains(key) ? row.at(key).dump() : "nothing");
      }
      return row.at(key).get<double>();
    };
    ++count.read;
    workloads::RequestOutcome request;
    request.arrival_s = value("queued_ts");
    request.first_token_s = value("first_token_ts");
    request.finish_s = value("last_token_ts");
    request.prompt_tokens = static_cast<std::uint32_t>(value("input_toks"));
    request.output_tokens = static_cast<std::uint32_t>(value("output_toks"));
    if (request.first_token_s < request.arrival_s || request.finish_s < request.first_token_s) {
      throw bad_input(path, line, "first_token_ts", "queued <= first token <= last token",
                      "another order");
    }
    recording.requests.push_back(request);
    ++count.kept;
  }
  recording.counts.push_back(count);
  recording.notes.push_back(
      "TTFT counts from the engine's queue (queued_ts): arrival_time is another clock");
  return recording;
}

}  // namespace

Recording read_serving_bench(const fs::path& path, const ImportProgress&) {
  const std::string text = read_file(path);
  const auto whole = ordered_json::parse(text, nullptr, false);
  Recording recording = whole.is_object() && whole.contains("input_lens") ? read_lists(path, whole)
                                                                          : read_lines(path);
  if (recording.requests.empty()) throw bad_input(path, 0, "", "requests that finished", "none");
  recording.format = "vllm-bench";
  std::sort(recording.requests.begin(), recording.requests.end(),
            [](const auto& a, const auto& b) { return a.arrival_s < b.arrival_s; });
  settle(recording);
  return recording;
}

}  // namespace rackwright::profiler
