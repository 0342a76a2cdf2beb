#include "kernels/bench/sampler.hpp"

#include <algorithm>
#include <cmath>
#include <memory>
#include <new>
#include <span>

#include <fmt/format.h>

#include "common/input_error.hpp"
#include "common/random.hpp"
#include "common/statistics.hpp"

namespace rackwright::kernels {

namespace {

/// One case on its way.
struct Series {
  Series(BenchResult& to, const SamplingLimits& limits) : result(&to), rule(limits) {}
  BenchResult* result;
  StoppingRule rule;
  std::unique_ptr<BenchWork> work;
  double wall_s = 0;
  double wait_s = 0;
};

class Sampler {
 public:
  Sampler(BenchDevice& device, const BenchOptions& options, const ProgressCallback& progress,
          double cases)
      : device_(device),
        options_(options),
        progress_(progress),
        order_(RandomSource(options.seed).stream("order")),
        cases_(cases) {}

  void run_group(std::span<const BenchCase> cases, std::span<BenchResult> results) {
    std::vector<Series> open;
    for (std::size_t i = 0; i < cases.size(); ++i) {
      Series series(results[i], options_.limits);
      try {
        prepare(cases[i], series);
        open.push_back(std::move(series));
      } catch (const BackendUnavailable& error) {
        skip(results[i], error.what());
      } catch (const std::bad_alloc&) {
        skip(results[i], "does not fit into memory");
      }
    }
    std::vector<Series*> running;
    for (Series& series : open) running.push_back(&series);
    while (!running.empty()) {
      shuffle(running);
      for (Series* series : running) turn(*series);
      std::erase_if(running, [](const Series* series) {
        return series->result->stopped != StopReason::running;
      });
    }
    for (Series& series : open) measure_power(series);
  }

 private:
  void skip(BenchResult& result, std::string why) {
    result.skipped = std::move(why);
    done(result);
  }

  void done(const BenchResult& result) {
    ++done_;
    if (progress_) progress_(result.name, done_, cases_);
  }

  void prepare(const BenchCase& one, Series& series) {
    if (progress_) progress_(one.name, done_, cases_);
    series.work =
        device_.prepare(one.op, series.result->copies, static_cast<unsigned>(options_.seed));
    series.result->choice = series.work->choice();
    warm_up(series);
  }

  /// Until two windows of runs agree to 2 %.
  void warm_up(Series& series) {
    constexpr double kWindow = 0.1, kAgree = 0.02;
    constexpr std::size_t kLeast = 3;
    const double start = device_.now();
    double before = 0;
    while (!series.result->settled && device_.now() - start < options_.warm_up_s) {
      std::vector<double> window;
      const double begin = device_.now();
      while (window.size() < kLeast || device_.now() - begin < kWindow) {
        window.push_back(series.work->run().seconds);
        if (device_.now() - start >= options_.warm_up_s) break;
      }
      const double now = quantile(window, 0.5);
      series.result->settled = window.size() >= kLeast && std::abs(now - before) < kAgree * now;
      before = now;
    }
    series.result->warm_up_s = device_.now() - start;
  }

  /// One turn lasts 20 ms or one sample: short operators must not wait for long ones each time.
  void turn(Series& series) {
    constexpr double kTurn = 0.02;
    const double start = device_.now();
    try {
      do {
        sample(series);
        series.result->stopped = series.rule.check(series.wall_s + device_.now() - start);
      } while (series.result->stopped == StopReason::running && device_.now() - start < kTurn);
    } catch (const BackendUnavailable& error) {
      series.result->skipped = error.what();
      series.result->stopped = StopReason::wall;
    }
    series.wall_s += device_.now() - start;
    if (series.result->stopped != StopReason::running) done(*series.result);
    if (progress_) progress_(series.result->name, done_, cases_);
  }

  void sample(Series& series) {
    const Sample one = series.work->run();
    const auto clock = device_.clock_hz();
    const auto rated = device_.rated_clock_hz();
    if (clock && rated && *clock < options_.limits.least_clock_share * *rated) {
      ++series.result->discarded;
      series.wait_s = series.wait_s > 0 ? 1.5 * series.wait_s : options_.limits.first_wait_s;
      device_.wait(series.wait_s);
      return;
    }
    series.wait_s = 0;
    series.rule.add(one.seconds);
    series.result->samples.push_back(one);
  }

  void measure_power(Series& series) {
    if (!(options_.power_window_s > 0) || !device_.joules()) return;
    const double start = device_.now();
    double runs = 0;
    while (device_.now() - start < options_.power_window_s) {
      (void)series.work->run();
      ++runs;
      if (progress_) progress_(series.result->name, done_, cases_);
    }
    const double seconds = device_.now() - start;
    const auto joules = device_.joules();
    if (!joules) return;
    series.result->watts = *joules / seconds;
    series.result->joules = *joules / runs;
  }

  void shuffle(std::vector<Series*>& series) {
    for (std::size_t i = series.size(); i > 1; --i) {
      std::swap(series[i - 1], series[order_.below(i)]);
    }
  }

  BenchDevice& device_;
  const BenchOptions& options_;
  const ProgressCallback& progress_;
  RandomSource order_;
  double cases_;
  double done_ = 0;
};

double buffer_bytes(const BenchResult& result) {
  return std::max(1.0, result.work.memory_bytes);
}

/// Copies of each case, and whether they make it cold.
void plan_copies(const std::vector<BenchCase>& cases, const BenchDevice& device, bool cold,
                 std::vector<BenchResult>& results) {
  for (const BenchCase& one : cases) {
    BenchResult result;
    result.name = one.name;
    result.work = device.work(one.op);
    result.math = device.math_type(one.op);
    if (cold) {
      result.copies =
          rotating_copies(buffer_bytes(result), device.cache_bytes(), device.memory_bytes());
      result.cold = device.cache_bytes() > 0 &&
                    result.copies * buffer_bytes(result) >= 2 * device.cache_bytes();
    }
    results.push_back(std::move(result));
  }
}

/// The cases after `first` that fit into memory beside it; at least one.
std::size_t group_end(const std::vector<BenchResult>& results, std::size_t first, double memory) {
  double bytes = 0;
  std::size_t end = first;
  while (end < results.size()) {
    bytes += results[end].copies * buffer_bytes(results[end]);
    if (end > first && bytes > memory) break;
    ++end;
  }
  return end;
}

double rate(double amount, const SampleSummary& summary) {
  return summary.median > 0 ? amount / summary.median : 0;
}

}  // namespace

double BenchResult::bytes_per_s() const {
  return rate(work.memory_bytes, summary);
}
double BenchResult::flop_per_s() const {
  return rate(work.flops, summary);
}

int rotating_copies(double bytes, double cache_bytes, double memory_bytes) {
  if (!(cache_bytes > 0)) return 1;
  const double wanted = std::max(2.0, std::ceil(2 * cache_bytes / bytes));
  return static_cast<int>(std::clamp(std::floor(memory_bytes / bytes), 1.0, wanted));
}

std::vector<BenchResult> run_benchmarks(const std::vector<BenchCase>& cases, BenchDevice& device,
                                        const BenchOptions& options,
                                        const ProgressCallback& progress) {
  std::vector<BenchResult> results;
  plan_copies(cases, device, options.cold, results);
  Sampler sampler(device, options, progress, static_cast<double>(cases.size()));
  for (std::size_t first = 0; first < cases.size();) {
    const std::size_t end = group_end(results, first, device.memory_bytes());
    sampler.run_group(std::span(cases).subspan(first, end - first),
                      std::span(results).subspan(first, end - first));
    first = end;
  }
  for (BenchResult& result : results) {
    std::vector<double> seconds;
    for (const Sample& one : result.samples) seconds.push_back(one.seconds);
    result.summary = summarise(std::move(seconds), options.seed);
  }
  return results;
}

}  // namespace rackwright::kernels
