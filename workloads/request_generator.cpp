#include <algorithm>
#include <cmath>
#include <numbers>

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

/// Adds the turns of one session. Blocks of a growing prompt keep their ids from turn to turn;
/// those of the system prompt are the same in all sessions.
class SessionWriter {
 public:
  SessionWriter(const RequestDescription& description, RequestTrace& trace)
      : description_(description),
        session_(*description.sessions),
        lengths_(description),
        trace_(trace) {
    shared_blocks_ =
        static_cast<std::uint32_t>(session_.shared_prefix_tokens / session_.prefix_block);
    next_id_ = shared_blocks_;
  }

  void write(double start_s, double duration_s, RandomSource& random) {
    const auto turns = static_cast<int>(whole_tokens(session_.turns.at(random.uniform())));
    std::vector<std::uint32_t> blocks(shared_blocks_);
    for (std::uint32_t i = 0; i < shared_blocks_; ++i) blocks[i] = i;
    Request request;
    lengths_.sample(request, random);
    double time = start_s;
    for (int turn = 0; turn < turns && time < duration_s; ++turn) {
      if (turn > 0) {
        const double prompt = static_cast<double>(request.prompt_tokens) + request.output_tokens +
                              session_.new_tokens.at(random.uniform());
        if (prompt > session_.max_prompt_tokens) break;
        request.prompt_tokens = whole_tokens(prompt);
        request.output_tokens = whole_tokens(description_.output_tokens.at(random.uniform()));
      }
      request.arrival_s = time;
      const std::size_t full =
          request.prompt_tokens / static_cast<std::uint32_t>(session_.prefix_block);
      while (blocks.size() < full) blocks.push_back(next_id_++);
      request.prefix_blocks.assign(blocks.begin(),
                                   blocks.begin() + static_cast<std::ptrdiff_t>(full));
      trace_.requests.push_back(request);
      time += request.output_tokens * session_.answer_s_per_token +
              session_.tool_wait_s.at(random.uniform());
    }
  }

 private:
  const RequestDescription& description_;
  const SessionDescription& session_;
  LengthSampler lengths_;
  RequestTrace& trace_;
  std::uint32_t shared_blocks_ = 0;
  std::uint32_t next_id_ = 0;
};

/// A run of sessions that starts empty would be short of late turns: sessions also start in a time
/// before the run as long as one session can be expected to take, and only what falls in the run
/// is kept.
void add_sessions(const RequestDescription& description, double duration_s, RandomSource& arrivals,
                  RandomSource& lengths, RequestTrace& trace) {
  const SessionDescription& session = *description.sessions;
  const double turns = session.turns.mean();
  const double turn_s =
      session.tool_wait_s.mean() + description.output_tokens.mean() * session.answer_s_per_token;
  const double warm_up_s = std::min(3 * turns * turn_s, 10 * duration_s);
  SessionWriter writer(description, trace);
  const double whole = warm_up_s + duration_s;
  sample_arrivals(arrival_windows(description, description.rate_per_s / turns, whole, arrivals),
                  whole, arrivals, [&](double start_s) { writer.write(start_s, whole, lengths); });
  std::erase_if(trace.requests, [&](const Request& r) { return r.arrival_s < warm_up_s; });
  for (Request& request : trace.requests) request.arrival_s -= warm_up_s;
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
  RandomSource arrivals = random.stream("arrivals");
  RandomSource lengths = random.stream("lengths");
  RequestTrace trace;
  trace.name = description.name;
  trace.source = source;
  if (description.sessions) {
    trace.prefix_block = description.sessions->prefix_block;
    add_sessions(description, duration_s, arrivals, lengths, trace);
  } else {
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
