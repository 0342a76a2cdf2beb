#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

#include <fmt/format.h>

#include "common/input_error.hpp"
#include "profiler/replica_run.hpp"

namespace rackwright::profiler {

namespace {

/// Requests that a first look at a load needs at least.
constexpr double kWindowRequests = 2000;
/// Share of the traffic that a first look takes at least.
constexpr double kWindowShare = 0.1;
/// Width of the bracket that the first look hands over.
constexpr double kCoarseRatio = 1.15;
constexpr double kExpansion = 4;
/// A percentile of fewer requests than this says nothing.
constexpr double kFewestRequests = 10;
/// Loads above this many requests are not tried.
constexpr double kMostRequests = 4e6;
constexpr std::size_t kIdleRequests = 500;
constexpr std::uint32_t kIdleOutput = 8;

/// Highest load known to hold the SLO, lowest known to miss it.
struct Bracket {
  double low = 0;
  double high = std::numeric_limits<double>::infinity();
  std::optional<Probe> at_low;
  std::optional<Probe> at_high;
  [[nodiscard]] bool closed() const { return low > 0 && std::isfinite(high); }
  [[nodiscard]] double ratio() const { return closed() ? high / low : 1e300; }
  void add(double factor, const Probe& probe) {
    if (probe.holds) {
      if (factor > low) low = factor, at_low = probe;
    } else if (factor < high) {
      high = factor;
      at_high = probe;
    }
  }
};

/// Where the worse percentile should cross its limit: log-log interpolation, kept away from the
/// ends. When the upper end was broken off nearer to it: a run that fails ends early and is cheap,
/// one that holds takes all of the traffic.
double next_load(const Bracket& bracket) {
  double share = 0.65;
  if (bracket.at_low && bracket.at_high && bracket.at_low->worst_ratio > 0 &&
      bracket.at_high->worst_ratio > 1) {
    const double low = std::log(bracket.at_low->worst_ratio);
    const double high = std::log(bracket.at_high->worst_ratio);
    if (high > low) share = std::clamp(-low / (high - low), 0.2, 0.8);
  }
  return bracket.low * std::pow(bracket.ratio(), share);
}

/// The requests one at a time, far apart, answers cut short: the metrics of an idle replica.
workloads::RequestTrace one_at_a_time(const workloads::RequestTrace& traffic) {
  workloads::RequestTrace result;
  result.name = traffic.name;
  result.source = traffic.source;
  const std::size_t count = std::min(traffic.requests.size(), kIdleRequests);
  for (std::size_t i = 0; i < count; ++i) {
    workloads::Request request = traffic.requests[i * traffic.requests.size() / count];
    request.prefix_blocks.clear();
    request.output_tokens = std::min(request.output_tokens, kIdleOutput);
    request.arrival_s = static_cast<double>(i) * 1e4;
    result.requests.push_back(std::move(request));
  }
  return result;
}

class Search {
 public:
  Search(const workloads::Workload& workload, const ReplicaSetup& setup, kernels::Backend& backend,
         std::uint64_t seed, double tolerance, const ProgressCallback& progress)
      : workload_(workload),
        replicas_(std::max(1, setup.replicas)),
        seed_(seed),
        tolerance_(std::max(tolerance, 1e-4)),
        progress_(progress),
        run_(workload, setup, backend),
        requests_(static_cast<double>(workload.traffic.requests.size())),
        duration_s_(workload.traffic.duration_s()) {}

  SloCapacity find() {
    const auto idle_traffic = one_at_a_time(workload_.traffic);
    const Probe idle = probe(idle_traffic, allowance_of(idle_traffic, workload_.slo), 0);
    if (!idle.holds) return never(idle, idle_traffic);
    const double start = coarse();
    const Bracket bracket = start > 0 ? fine(start) : Bracket{};
    if (bracket.low <= 0) return too_slow(idle, idle_traffic);
    return finish(bracket, idle);
  }

 private:
  std::string percentile_label() const {
    return fmt::format("P{:g}", 100 * workload_.slo.percentile);
  }
  std::string limit_of(const Probe& probe) const {
    return fmt::format("{} {}", probe.slow_answers && !probe.late_first_tokens ? "TPOT" : "TTFT",
                       percentile_label());
  }

  Probe probe(const workloads::RequestTrace& traffic, MissAllowance allowance, double factor) {
    ++runs_;
    const auto tell = [this, factor](std::string_view, double done, double total) {
      if (progress_) {
        progress_(fmt::format("capacity, run {}, load {:.3g}", runs_, factor), done, total);
      }
    };
    return run_.probe(traffic, allowance, tell);
  }

  workloads::RequestTrace traffic_at(double factor) const {
    return traffic_of_replica(workload_.traffic, factor, replicas_, seed_);
  }
  bool may_try(double factor) const {
    return factor * requests_ <= kMostRequests && factor * requests_ >= kFewestRequests;
  }

  /// How much of the traffic a first look at `factor` takes, in s.
  double window_s(double factor) const {
    const double share = std::max(kWindowShare, kWindowRequests / (requests_ * factor));
    return share * duration_s_;
  }

  /// `whole`: on all of the traffic. Otherwise on its busiest window with the misses allowed that
  /// all of it has: misses crowd there, so a load that fails there fails on the whole.
  Probe look(double factor, bool whole) {
    const workloads::RequestTrace traffic = traffic_at(factor);
    const MissAllowance allowance = allowance_of(traffic, workload_.slo);
    const double window = window_s(factor);
    if (whole || window >= duration_s_) return probe(traffic, allowance, factor);
    return probe(busiest_window(traffic, window), allowance, factor);
  }

  /// A load near the capacity or above it, from the busiest window; 0 when none holds.
  double coarse() {
    Bracket bracket;
    double factor = std::max(1.0, kFewestRequests / requests_);
    while (!bracket.closed() && may_try(factor)) {
      bracket.add(factor, look(factor, false));
      factor = bracket.low > 0 ? bracket.low * kExpansion : bracket.high / kExpansion;
    }
    while (bracket.closed() && bracket.ratio() > kCoarseRatio) {
      const double middle = next_load(bracket);
      bracket.add(middle, look(middle, false));
    }
    if (bracket.closed()) return std::sqrt(bracket.low * bracket.high);
    return bracket.low > 0 ? bracket.low : kFewestRequests / requests_;
  }

  /// Brackets the capacity on all of the traffic. Downwards in small steps at first, as runs that
  /// fail are cheap; the steps grow because the window may have been far from typical.
  Bracket fine(double factor) {
    Bracket bracket;
    double step = kCoarseRatio;
    for (int tries = 1; !bracket.closed() && may_try(factor); ++tries) {
      bracket.add(factor, look(factor, true));
      factor = bracket.low > 0 ? bracket.low * step : bracket.high / step;
      if (bracket.low > 0 || tries % 2 == 0) step *= std::sqrt(step);
    }
    while (bracket.closed() && bracket.ratio() > 1 + tolerance_) {
      const double middle = next_load(bracket);
      bracket.add(middle, look(middle, true));
    }
    return bracket;
  }

  SloCapacity never(const Probe& idle, const workloads::RequestTrace& traffic) {
    SloCapacity result = without_load(traffic);
    result.limited_by = "never meets " + limit_of(idle);
    return result;
  }
  SloCapacity too_slow(const Probe& idle, const workloads::RequestTrace& traffic) {
    SloCapacity result = without_load(traffic);
    static_cast<void>(idle);
    result.limited_by =
        fmt::format("below {:g} requests in {:.0f} s of traffic", kFewestRequests, duration_s_);
    return result;
  }
  SloCapacity without_load(const workloads::RequestTrace& traffic) {
    SloCapacity result;
    ReplayOptions options;
    options.seed = seed_;
    options.load_factor = 0;
    result.trace = run_.record(traffic, options, progress_);
    result.engine_runs = runs_ + 1;
    return result;
  }

  SloCapacity finish(const Bracket& bracket, const Probe& idle) {
    SloCapacity result;
    ReplayOptions options;
    options.seed = seed_;
    options.load_factor = bracket.low;
    const workloads::RequestTrace traffic = traffic_at(bracket.low);
    result.trace = run_.record(traffic, options, progress_);
    result.engine_runs = runs_ + 1;
    result.load_factor = bracket.low;
    const double gap = requests_ > 1 ? duration_s_ / (requests_ - 1) : 0;
    const double time = std::max(duration_s_ + gap, result.trace.end_s);
    if (time > 0) {
      result.requests_per_s = static_cast<double>(traffic.requests.size()) / time;
      result.output_tokens_per_s = static_cast<double>(result.trace.engine.output_tokens) / time;
    }
    result.limited_by = limiter(bracket);
    result.relative_error = error_of(bracket, idle, result.trace.relative_error);
    return result;
  }

  std::string limiter(const Bracket& bracket) const {
    if (!bracket.at_high) return "not reached";
    const Probe& over = *bracket.at_high;
    if (over.late_first_tokens && over.cache_share > 0.95) return "KV cache";
    if (over.late_first_tokens && over.batch_share >= 1) return "max batch";
    return limit_of(over);
  }

  double error_of(const Bracket& bracket, const Probe& idle, double step_error) const {
    double used = 0;
    if (bracket.at_high) {
      const bool tpot = bracket.at_high->slow_answers && !bracket.at_high->late_first_tokens;
      used = tpot ? idle.tpot_s / workload_.slo.tpot_s : idle.ttft_s / workload_.slo.ttft_s;
    }
    const double from_steps = used < 1 ? step_error / (1 - used) : 1.0;
    const double from_search = bracket.closed() ? bracket.ratio() - 1 : 0.0;
    return std::min(1.0, std::hypot(from_steps, from_search));
  }

  const workloads::Workload& workload_;
  int replicas_;
  std::uint64_t seed_;
  double tolerance_;
  const ProgressCallback& progress_;
  ReplicaRun run_;
  double requests_;
  double duration_s_;
  int runs_ = 0;
};

}  // namespace

SloCapacity find_slo_capacity(const workloads::Workload& workload, const ReplicaSetup& setup,
                              kernels::Backend& backend, std::uint64_t seed, double tolerance,
                              const ProgressCallback& progress) {
  if (workload.traffic.requests.empty()) {
    throw InputError(InputProblem{workload.traffic.source, 0, "", "at least one request", "none"});
  }
  return Search(workload, setup, backend, seed, tolerance, progress).find();
}

}  // namespace rackwright::profiler
