#include "workloads/request_trace.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include <fmt/format.h>

#include "common/input_error.hpp"
#include "workloads/request_readers.hpp"

namespace rackwright::workloads {

namespace {

template <class Field>
double mean_of(const std::vector<Request>& requests, Field field) {
  if (requests.empty()) return 0;
  double sum = 0;
  for (const Request& request : requests) sum += request.*field;
  return sum / static_cast<double>(requests.size());
}

/// The replica that a session sticks to.
std::size_t replica_of(const Request& request, std::uint64_t copy, std::size_t replicas) {
  if (request.prefix_blocks.empty()) return request.prompt_tokens % replicas;
  const std::uint32_t block = request.prefix_blocks[request.prefix_blocks.size() > 1 ? 1 : 0];
  return RandomSource((copy << 32) ^ block).below(replicas);
}

}  // namespace

double RequestTrace::duration_s() const {
  return requests.empty() ? 0 : requests.back().arrival_s;
}

double RequestTrace::rate() const {
  const double duration = duration_s();
  return requests.size() < 2 || duration <= 0 ? 0
                                              : static_cast<double>(requests.size() - 1) / duration;
}

double RequestTrace::mean_prompt() const {
  return mean_of(requests, &Request::prompt_tokens);
}
double RequestTrace::mean_output() const {
  return mean_of(requests, &Request::output_tokens);
}

std::uint32_t RequestTrace::longest() const {
  std::uint32_t longest = 0;
  for (const Request& request : requests) {
    longest = std::max(longest, request.prompt_tokens + request.output_tokens);
  }
  return longest;
}

std::vector<std::string> request_formats() {
  return {"azure", "burstgpt", "mooncake", "servegen", "vllm-bench"};
}

RequestTrace read_requests(std::string_view format_and_file, std::uint64_t seed) {
  const auto fail = [&](std::string found) {
    return InputError(InputProblem{
        "", 0, "traffic",
        fmt::format("FORMAT:FILE with one of the formats {}", fmt::join(request_formats(), ", ")),
        std::move(found)});
  };
  const auto colon = format_and_file.find(':');
  if (colon == std::string_view::npos) throw fail(fmt::format("\"{}\"", format_and_file));
  const std::string_view format = format_and_file.substr(0, colon);
  const std::filesystem::path path(format_and_file.substr(colon + 1));
  if (path.empty()) throw fail(fmt::format("no file in \"{}\"", format_and_file));

  RequestTrace trace;
  if (format == "azure") {
    trace = read_azure_requests(path);
  } else if (format == "burstgpt") {
    trace = read_burstgpt_requests(path);
  } else if (format == "mooncake") {
    trace = read_mooncake_requests(path);
  } else if (format == "servegen") {
    trace = read_servegen_requests(path, seed);
  } else if (format == "vllm-bench") {
    trace = read_vllm_bench_requests(path);
  } else {
    std::string found = fmt::format("\"{}\"", format);
    const std::string near = nearest_word(format, request_formats());
    if (!near.empty()) found += fmt::format(", did you mean \"{}\"?", near);
    throw fail(found);
  }
  sort_by_arrival(trace);
  trace.name = path.filename().string();
  trace.source = fmt::format("{} {}", format, trace.name);
  return trace;
}

void sort_by_arrival(RequestTrace& trace) {
  auto& requests = trace.requests;
  const auto earlier = [](const Request& a, const Request& b) { return a.arrival_s < b.arrival_s; };
  if (!std::is_sorted(requests.begin(), requests.end(), earlier)) {
    std::stable_sort(requests.begin(), requests.end(), earlier);
  }
  if (requests.empty()) return;
  const double first = requests.front().arrival_s;
  for (Request& request : requests) request.arrival_s -= first;
}

RequestTrace superpose(const RequestTrace& trace, double factor, std::uint64_t seed,
                       int replicas) {
  if (!(factor > 0) || !std::isfinite(factor)) {
    throw std::invalid_argument("superpose: the factor must be positive and finite");
  }
  RequestTrace result;
  result.name = trace.name;
  result.source = trace.source;
  result.prefix_block = trace.prefix_block;
  if (trace.requests.empty()) return result;

  std::uint64_t ids = 0;  // of prefix blocks in one copy
  for (const Request& request : trace.requests) {
    for (const std::uint32_t id : request.prefix_blocks)
      ids = std::max<std::uint64_t>(ids, id + 1ULL);
  }
  const auto copies = static_cast<std::uint64_t>(std::ceil(factor));
  const auto every = static_cast<std::size_t>(std::max(1, replicas));
  const double expected =
      factor * static_cast<double>(trace.requests.size()) / static_cast<double>(every);
  if (expected > static_cast<double>(kMaxRequests) || copies * ids > 0xffffffffULL) {
    throw InputError(InputProblem{
        trace.source, 0, "load factor", fmt::format("at most {} requests", kMaxRequests),
        fmt::format("{:.0f} copies of {} requests", factor, trace.requests.size())});
  }
  result.requests.reserve(static_cast<std::size_t>(expected) + trace.requests.size() / 8 + 1);
  // A cycle closes one mean gap after the last arrival, so that its rate is the trace's.
  const double gap = trace.rate() > 0 ? 1 / trace.rate() : 0;
  const double cycle = trace.duration_s() + gap;
  const RandomSource random(seed);
  for (std::uint64_t copy = 0; copy < copies; ++copy) {
    RandomSource source = random.stream(fmt::format("superpose {}", copy));
    const double shift = copy == 0 ? 0 : source.uniform() * cycle;
    const double share = std::min(1.0, factor - static_cast<double>(copy));
    const auto id_offset = static_cast<std::uint32_t>(copy * ids);
    const bool sticky = every > 1 && ids > 0;
    const std::size_t first = every > 1 ? source.below(every) : 0;
    for (std::size_t i = sticky ? 0 : first; i < trace.requests.size(); i += sticky ? 1 : every) {
      const Request& request = trace.requests[i];
      if (sticky && replica_of(request, copy, every) != first) continue;
      if (share < 1 && source.uniform() >= share) continue;
      Request& added = result.requests.emplace_back(request);
      added.arrival_s += shift;
      if (added.arrival_s >= cycle && cycle > 0) added.arrival_s -= cycle;
      for (std::uint32_t& id : added.prefix_blocks) id += id_offset;
    }
  }
  std::stable_sort(result.requests.begin(), result.requests.end(),
                   [](const Request& a, const Request& b) { return a.arrival_s < b.arrival_s; });
  return result;
}

}  // namespace rackwright::workloads
