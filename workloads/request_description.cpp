#include "workloads/request_description.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <numeric>

#include <fmt/format.h>

#include "common/input_error.hpp"

namespace rackwright::workloads {

namespace {

/// Closer together in the upper tail, where lengths curve: straight pieces then keep the mean.
constexpr std::array kProbabilities{0.0,  0.01, 0.05, 0.1,  0.2,   0.3,   0.4,
                                    0.5,  0.6,  0.7,  0.8,  0.85,  0.9,   0.93,
                                    0.95, 0.97, 0.98, 0.99, 0.995, 0.999, 1.0};

SessionDescription read_sessions(ObjectReader reader) {
  SessionDescription session;
  session.turns = Quantiles::read(reader, "turns", 1);
  session.tool_wait_s = Quantiles::read(reader, "tool_wait_s", 0);
  session.new_tokens = Quantiles::read(reader, "new_tokens", 1);
  session.answer_s_per_token = reader.number("answer_s_per_token", {.min = 0, .max = 10});
  session.shared_prefix_tokens =
      reader.number_or("shared_prefix_tokens", 0, {.min = 0, .max = 1e7});
  session.max_prompt_tokens = reader.number("max_prompt_tokens", {.min = 1, .max = 1e8});
  session.prefix_block =
      static_cast<int>(reader.integer_or("prefix_block", 512, {.min = 1, .max = 65536}));
  reader.finish();
  return session;
}

double mean_of(const std::vector<double>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

double variance_of(const std::vector<double>& values) {
  const double mean = mean_of(values);
  double sum = 0;
  for (const double value : values) sum += (value - mean) * (value - mean);
  return sum / static_cast<double>(values.size());
}

/// Requests in each whole window of `window_s`.
std::vector<double> counts(const RequestTrace& trace, double window_s) {
  std::vector<double> result(static_cast<std::size_t>(trace.duration_s() / window_s), 0.0);
  for (const Request& request : trace.requests) {
    const auto window = static_cast<std::size_t>(request.arrival_s / window_s);
    if (window < result.size()) ++result[window];
  }
  return result;
}

struct Burstiness {
  double cv = 1;
  double modulation_cv = 0;
  double window_s = 60;
};

/// cv of gaps inside each window, weighted by arrivals; a window needs 20 of them to have one.
double gap_cv_inside(const RequestTrace& trace, double window_s) {
  std::map<std::size_t, std::vector<double>> gaps;
  for (std::size_t i = 1; i < trace.requests.size(); ++i) {
    const auto window = static_cast<std::size_t>(trace.requests[i].arrival_s / window_s);
    if (window != static_cast<std::size_t>(trace.requests[i - 1].arrival_s / window_s)) continue;
    gaps[window].push_back(trace.requests[i].arrival_s - trace.requests[i - 1].arrival_s);
  }
  double weight = 0;
  double sum = 0;
  for (const auto& [window, values] : gaps) {
    if (values.size() < 20 || mean_of(values) <= 0) continue;
    const auto n = static_cast<double>(values.size());
    sum += n * std::sqrt(variance_of(values)) / mean_of(values);
    weight += n;
  }
  return weight > 0 ? sum / weight : 1;
}

/// Gaps say how arrivals bunch inside a window; counts of windows say how the rate changes between
/// them: var(N) = mean * cv^2 + (mean * modulation_cv)^2.
Burstiness burstiness_of(const RequestTrace& trace) {
  std::vector<double> ticks;
  std::size_t together = 0;
  for (std::size_t i = 1; i < trace.requests.size(); ++i) {
    const double gap = trace.requests[i].arrival_s - trace.requests[i - 1].arrival_s;
    if (gap > 0)
      ticks.push_back(gap);
    else
      ++together;
  }
  Burstiness result;
  if (ticks.empty()) return result;
  if (together * 2 > trace.requests.size()) {  // a coarse clock
    std::nth_element(ticks.begin(), ticks.begin() + static_cast<std::ptrdiff_t>(ticks.size() / 2),
                     ticks.end());
    const auto n = counts(trace, 10 * ticks[ticks.size() / 2]);
    if (n.size() > 1) result.cv = std::sqrt(variance_of(n) / mean_of(n));
    return result;
  }
  result.cv = gap_cv_inside(trace, result.window_s);
  const auto n = counts(trace, result.window_s);
  if (n.size() > 1) {
    const double mean = mean_of(n);
    const double slow = variance_of(n) - mean * result.cv * result.cv;
    result.modulation_cv = slow > 0 ? std::sqrt(slow) / mean : 0;
  }
  return result;
}

double rounded(double value) {
  return value == 0 ? 0 : std::stod(fmt::format("{:.4g}", value));
}

nlohmann::ordered_json to_json(const Quantiles& quantiles) {
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const auto& [probability, value] : quantiles.points()) list.push_back({probability, value});
  return {{"quantiles", std::move(list)}};
}

std::vector<double> ranks(const std::vector<double>& values) {
  std::vector<std::size_t> order(values.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return values[a] < values[b]; });
  std::vector<double> result(values.size());
  for (std::size_t first = 0; first < order.size();) {
    std::size_t last = first;
    while (last + 1 < order.size() && values[order[last + 1]] == values[order[first]]) ++last;
    const double rank = static_cast<double>(first + last) / 2;
    for (std::size_t i = first; i <= last; ++i) result[order[i]] = rank;
    first = last + 1;
  }
  return result;
}

}  // namespace

RequestDescription read_request_description(const JsonDocument& document) {
  ProblemList problems;
  ObjectReader root(document, problems);
  root.check_format_version(1);
  RequestDescription description;
  description.name = root.text("name");
  description.title = root.text_or("title", description.name);
  root.ignore({"source"});
  ObjectReader arrivals = root.object("arrivals");
  description.rate_per_s = arrivals.number("rate_per_s", {.min = 1e-9, .max = 1e9});
  description.cv = arrivals.number("cv", {.min = 0, .max = 1000});
  description.modulation_cv = arrivals.number_or("modulation_cv", 0, {.min = 0, .max = 100});
  description.modulation_window_s =
      arrivals.number_or("modulation_window_s", 60, {.min = 1e-3, .max = 1e9});
  arrivals.finish();
  description.prompt_tokens = Quantiles::read(root, "prompt_tokens", 1);
  description.output_tokens = Quantiles::read(root, "output_tokens", 1);
  description.rank_correlation = root.number_or("rank_correlation", 0, {.min = -1, .max = 1});
  description.image_share = root.number_or("image_share", 0, {.min = 0, .max = 1});
  if (root.has("image_tokens")) description.image_tokens = Quantiles::read(root, "image_tokens", 1);
  if (root.has("sessions")) description.sessions = read_sessions(root.object("sessions"));
  root.finish();
  problems.throw_if_any();
  return description;
}

Quantiles quantiles_of(std::vector<double> values) {
  if (values.empty()) throw std::invalid_argument("quantiles of nothing");
  std::sort(values.begin(), values.end());
  std::vector<std::pair<double, double>> points;
  for (const double probability : kProbabilities) {
    const double place = probability * static_cast<double>(values.size() - 1);
    const auto below = static_cast<std::size_t>(place);
    const std::size_t above = std::min(below + 1, values.size() - 1);
    const double value =
        values[below] + (values[above] - values[below]) * (place - static_cast<double>(below));
    points.emplace_back(probability, std::round(value * 100) / 100);
  }
  return Quantiles(std::move(points));
}

double rank_correlation(const std::vector<double>& a, const std::vector<double>& b) {
  if (a.size() != b.size() || a.size() < 2) throw std::invalid_argument("two samples of one size");
  const std::vector<double> x = ranks(a);
  const std::vector<double> y = ranks(b);
  const double mean = static_cast<double>(a.size() - 1) / 2;
  double xy = 0;
  double xx = 0;
  double yy = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    xy += (x[i] - mean) * (y[i] - mean);
    xx += (x[i] - mean) * (x[i] - mean);
    yy += (y[i] - mean) * (y[i] - mean);
  }
  return xx > 0 && yy > 0 ? xy / std::sqrt(xx * yy) : 0;
}

nlohmann::ordered_json describe_requests(const RequestTrace& trace, std::string_view name,
                                         std::string_view title, nlohmann::ordered_json source) {
  if (trace.requests.size() < 2 || trace.duration_s() <= 0) {
    throw InputError(InputProblem{trace.source, 0, "", "at least two requests apart in time",
                                  fmt::format("{}", trace.requests.size())});
  }
  std::vector<double> prompt;
  std::vector<double> output;
  std::vector<double> image;
  for (const Request& request : trace.requests) {
    prompt.push_back(request.prompt_tokens - request.image_tokens);
    output.push_back(request.output_tokens);
    if (request.image_tokens > 0) image.push_back(request.image_tokens);
    prompt.back() = std::max(prompt.back(), 1.0);
  }
  const Burstiness burstiness = burstiness_of(trace);
  nlohmann::ordered_json arrivals{{"rate_per_s", rounded(trace.rate())},
                                  {"cv", rounded(burstiness.cv)}};
  if (burstiness.modulation_cv > 0) {
    arrivals["modulation_cv"] = rounded(burstiness.modulation_cv);
    arrivals["modulation_window_s"] = burstiness.window_s;
  }
  nlohmann::ordered_json result{{"format_version", 1}, {"name", name}, {"title", title}};
  result["source"] = std::move(source);
  result["arrivals"] = std::move(arrivals);
  result["prompt_tokens"] = to_json(quantiles_of(prompt));
  result["output_tokens"] = to_json(quantiles_of(output));
  result["rank_correlation"] = rounded(rank_correlation(prompt, output));
  if (!image.empty()) {
    result["image_share"] =
        rounded(static_cast<double>(image.size()) / static_cast<double>(trace.requests.size()));
    result["image_tokens"] = to_json(quantiles_of(image));
  }
  return result;
}

SessionStatistics find_sessions(const RequestTrace& trace) {
  SessionStatistics result;
  if (trace.prefix_block < 1 || trace.requests.empty()) return result;
  const auto block = static_cast<std::uint32_t>(trace.prefix_block);
  std::map<std::uint32_t, std::size_t> users;
  for (const Request& request : trace.requests) {
    for (const std::uint32_t id : request.prefix_blocks) ++users[id];
  }
  const auto common = [&](std::uint32_t id) { return users[id] * 2 >= trace.requests.size(); };
  const auto& first = trace.requests.front().prefix_blocks;
  std::size_t shared = 0;
  while (shared < first.size() && common(first[shared])) ++shared;
  result.shared_prefix_tokens = static_cast<double>(shared) * block;

  // The last full block of a prompt stands for the whole prompt: ids are of prefixes, not of text.
  std::map<std::uint32_t, std::size_t> ends;  // id of the last full block -> latest request
  std::vector<std::size_t> depth(trace.requests.size(), 1);
  std::vector<bool> continued(trace.requests.size(), false);
  for (std::size_t i = 0; i < trace.requests.size(); ++i) {
    const Request& request = trace.requests[i];
    const std::size_t full =
        std::min<std::size_t>(request.prompt_tokens / block, request.prefix_blocks.size());
    bool found = false;
    for (std::size_t k = full; k > shared && !found; --k) {
      const auto end = ends.find(request.prefix_blocks[k - 1]);
      if (end == ends.end() || trace.requests[end->second].prompt_tokens >= request.prompt_tokens) {
        continue;
      }
      const Request& earlier = trace.requests[end->second];
      found = true;
      continued[end->second] = true;
      depth[i] = depth[end->second] + 1;
      result.gap_s.push_back(request.arrival_s - earlier.arrival_s);
      result.new_tokens.push_back(std::max(
          1.0, double{1} * request.prompt_tokens - earlier.prompt_tokens - earlier.output_tokens));
    }
    if (found)
      ++result.continuations;
    else
      result.first_prompt.push_back(request.prompt_tokens);
    if (full > shared) ends[request.prefix_blocks[full - 1]] = i;
  }
  for (std::size_t i = 0; i < depth.size(); ++i) {
    if (!continued[i]) result.turns.push_back(static_cast<double>(depth[i]));
  }
  result.sessions = result.turns.size();
  return result;
}

}  // namespace rackwright::workloads
