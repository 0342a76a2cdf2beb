#include <algorithm>
#include <cmath>
#include <iterator>
#include <numbers>
#include <numeric>
#include <utility>

#include <fmt/format.h>

#include "common/input_error.hpp"
#include "common/random.hpp"
#include "workloads/arrivals.hpp"
#include "workloads/request_description.hpp"
#include "workloads/request_readers.hpp"
#include "workloads/request_trace.hpp"

namespace rackwright::workloads {

namespace {

std::uint32_t whole_tokens(double tokens) {
  return static_cast<std::uint32_t>(std::clamp(std::round(tokens), 1.0, 1e8));
}

double normal_cdf(double x) {
  return 0.5 * std::erfc(-x / std::numbers::sqrt2);
}

/// Prompt and output of one request, joined by a Gaussian copula. Pearson's correlation of the
/// normals is 2 sin(pi r / 6) for Spearman's r.
struct LengthSampler {
  explicit LengthSampler(const RequestDescription& of)
      : description(of), pearson(2 * std::sin(std::numbers::pi * of.rank_correlation / 6)) {}

  void sample(Request& request, RandomSource& random) const {
    const double x = random.normal();
    const double y = pearson * x + std::sqrt(1 - pearson * pearson) * random.normal();
    request.prompt_tokens = whole_tokens(description.prompt_tokens.at(normal_cdf(x)));
    request.output_tokens = whole_tokens(description.output_tokens.at(normal_cdf(y)));
    if (description.image_tokens && random.uniform() < description.image_share) {
      request.image_tokens = whole_tokens(description.image_tokens->at(random.uniform()));
      request.prompt_tokens += request.image_tokens;
    }
  }

  const RequestDescription& description;
  double pearson;
};

/// Windows of the rate of what arrives (requests or sessions), `rate` on average over the run.
std::vector<ArrivalWindow> arrival_windows(const RequestDescription& description, double rate,
                                           double duration_s, RandomSource& random) {
  if (description.modulation_cv <= 0) return {{0, rate, description.cv, 0}};
  const double squared = description.modulation_cv * description.modulation_cv;
  std::vector<ArrivalWindow> windows;
  double sum = 0;
  const double step = description.modulation_window_s;
  for (double start = 0; start < duration_s; start += step) {
    const double length = std::min(step, duration_s - start);
    windows.push_back({start, random.gamma(1 / squared, squared), description.cv, 0});
    sum += windows.back().rate_per_s * length;
  }
  // The described rate is that of the run, so that a short run is not busy or idle by luck.
  for (ArrivalWindow& window : windows) window.rate_per_s *= rate * duration_s / sum;
  return windows;
}

/// Makes the turns of sessions. Blocks of a growing prompt keep their ids from turn to turn; those
/// of the system prompt are the same in all sessions.
class SessionWriter {
 public:
  explicit SessionWriter(const RequestDescription& description)
      : description_(description), session_(*description.sessions), lengths_(description) {
    shared_blocks_ =
        static_cast<std::uint32_t>(session_.shared_prefix_tokens / session_.prefix_block);
    next_id_ = shared_blocks_;
  }

  /// Appends the turns of a session to `requests`; returns how many.
  int write(double start_s, RandomSource& random, std::vector<Request>& requests) {
    const auto turns = static_cast<int>(whole_tokens(session_.turns.at(random.uniform())));
    std::vector<std::uint32_t> blocks(shared_blocks_);
    std::iota(blocks.begin(), blocks.end(), 0U);
    Request request;
    lengths_.sample(request, random);
    request.arrival_s = start_s;
    int turn = 0;
    while (true) {
      const auto full = static_cast<std::ptrdiff_t>(request.prompt_tokens /
                                                    static_cast<unsigned>(session_.prefix_block));
      while (std::ssize(blocks) < full) blocks.push_back(next_id_++);
      request.prefix_blocks.assign(blocks.begin(), blocks.begin() + full);
      requests.push_back(request);
      if (++turn >= turns) return turn;
      request.arrival_s += request.output_tokens * session_.answer_s_per_token +
                           session_.tool_wait_s.at(random.uniform());
      const double prompt = static_cast<double>(request.prompt_tokens) + request.output_tokens +
                            session_.new_tokens.at(random.uniform());
      if (prompt > session_.max_prompt_tokens) return turn;
      request.prompt_tokens = whole_tokens(prompt);
      request.output_tokens = whole_tokens(description_.output_tokens.at(random.uniform()));
      request.image_tokens = 0;  // those of earlier turns are in the cache or part of the prompt
    }
  }

 private:
  const RequestDescription& description_;
  const SessionDescription& session_;
  LengthSampler lengths_;
  std::uint32_t shared_blocks_ = 0;
  std::uint32_t next_id_ = 0;
};

/// Turns and seconds of a session on average, from 4000 of them: sessions that reach the longest
/// prompt end early, so the mean of the quantiles would be too high.
std::pair<double, double> mean_session(const RequestDescription& description, RandomSource random) {
  constexpr int kSessions = 4000;
  SessionWriter writer(description);
  std::vector<Request> requests;
  double turns = 0;
  double seconds = 0;
  for (int i = 0; i < kSessions; ++i) {
    requests.clear();
    turns += writer.write(0, random, requests);
    seconds += requests.back().arrival_s;
  }
  return {turns / kSessions, seconds / kSessions};
}

/// A run that starts empty would be short of late turns: sessions also start in a time before the
/// run that covers most of a session, and only the requests inside the run are kept.
void add_sessions(const RequestDescription& description, double duration_s,
                  const RandomSource& random, RequestTrace& trace) {
  RandomSource arrivals = random.stream("arrivals");
  RandomSource lengths = random.stream("lengths");
  const auto [turns, seconds] = mean_session(description, random.stream("mean session"));
  const double warm_up_s = std::min(4 * seconds, 100 * duration_s);
  const double end_s = warm_up_s + duration_s;
  const double rate = description.rate_per_s / turns;
  SessionWriter writer(description);
  std::vector<Request> session;
  sample_arrivals(arrival_windows(description, rate, end_s, arrivals), end_s, arrivals,
                  [&](double start_s) {
                    session.clear();
                    writer.write(start_s, lengths, session);
                    for (Request& request : session) {
                      if (request.arrival_s < warm_up_s || request.arrival_s >= end_s) continue;
                      request.arrival_s -= warm_up_s;
                      trace.requests.push_back(std::move(request));
                    }
                  });
}

}  // namespace

RequestTrace generate_requests(const JsonDocument& document, double duration_s,
                               std::uint64_t seed) {
  return generate_requests(read_request_description(document), duration_s, seed);
}

RequestTrace generate_requests(const RequestDescription& description, double duration_s,
                               std::uint64_t seed) {
  const std::string source = fmt::format("generator {}", description.name);
  if (!(duration_s > 0) || !std::isfinite(duration_s)) {
    throw InputError(
        InputProblem{source, 0, "duration_s", "a time above 0 s", fmt::format("{}", duration_s)});
  }
  if (description.rate_per_s * duration_s > static_cast<double>(kMaxRequests)) {
    throw InputError(InputProblem{
        source, 0, "rate_per_s", fmt::format("at most {} requests in all", kMaxRequests),
        fmt::format("{:g} per s for {:g} s", description.rate_per_s, duration_s)});
  }
  const RandomSource random(seed);
  RequestTrace trace;
  trace.name = description.name;
  trace.source = source;
  if (description.sessions) {
    trace.prefix_block = description.sessions->prefix_block;
    add_sessions(description, duration_s, random, trace);
  } else {
    RandomSource arrivals = random.stream("arrivals");
    RandomSource lengths = random.stream("lengths");
    const LengthSampler sampler(description);
    const auto windows = arrival_windows(description, description.rate_per_s, duration_s, arrivals);
    sample_arrivals(windows, duration_s, arrivals, [&](double arrival_s) {
      Request& request = trace.requests.emplace_back();
      request.arrival_s = arrival_s;
      sampler.sample(request, lengths);
    });
  }
  if (trace.requests.empty()) {
    throw InputError(
        InputProblem{source, 0, "duration_s", "a run that holds at least one request", "none"});
  }
  sort_by_arrival(trace);
  return trace;
}

}  // namespace rackwright::workloads
