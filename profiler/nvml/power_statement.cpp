#include "profiler/nvml/power_statement.hpp"

#include <algorithm>
#include <vector>

#include <fmt/format.h>

namespace rackwright::profiler::nvml {

namespace {

constexpr double kMicro = 1e-6;

struct Point {
  double t = 0;
  double value = 0;
};

/// Values of one quantity by time from `from_us` on, a repeated time once.
std::vector<Point> series(std::span<const GpuSample> samples, Quantity quantity,
                          std::int64_t from_us) {
  std::vector<Point> points;
  for (const GpuSample& sample : samples) {
    if (sample.time_us < from_us || !sample.has(quantity)) continue;
    const double t = static_cast<double>(sample.time_us - from_us) * kMicro;
    if (points.empty() || t > points.back().t) points.push_back({t, sample[quantity]});
  }
  return points;
}

/// The readings at which the counter moved: a difference between two of them has no open step.
std::vector<Point> moves(const std::vector<Point>& counter) {
  std::vector<Point> edges;
  for (std::size_t i = 1; i < counter.size(); ++i) {
    if (counter[i].value != counter[i - 1].value) edges.push_back(counter[i]);
  }
  return edges;
}

bool goes_down(const std::vector<Point>& counter) {
  for (std::size_t i = 1; i < counter.size(); ++i) {
    if (counter[i].value < counter[i - 1].value) return true;
  }
  return false;
}

double longest_gap(const std::vector<Point>& points) {
  double gap = 0;
  for (std::size_t i = 1; i < points.size(); ++i) {
    gap = std::max(gap, points[i].t - points[i - 1].t);
  }
  return gap;
}

/// Trapezoid over the points within [begin, end], divided by their own span.
std::optional<double> mean_between(const std::vector<Point>& points, double begin, double end) {
  double joules = 0, first = -1, last = -1;
  for (std::size_t i = 0; i < points.size(); ++i) {
    if (points[i].t < begin || points[i].t > end) continue;
    if (first < 0) {
      first = points[i].t;
    } else {
      joules += 0.5 * (points[i].value + points[i - 1].value) * (points[i].t - points[i - 1].t);
    }
    last = points[i].t;
  }
  if (last <= first) return std::nullopt;
  return joules / (last - first);
}

/// What one window holds.
struct Window {
  std::vector<Point> counter, power, edges;
  double length_s = 0;  ///< after settling
  double begin = 0, end = 0;

  Window(std::span<const GpuSample> samples, const WindowRules& rules) {
    const std::int64_t from =
        samples.front().time_us + static_cast<std::int64_t>(rules.settle_s / kMicro);
    counter = series(samples, Quantity::energy, from);
    power = series(samples, Quantity::power_instant, from);
    if (power.size() < 2) power = series(samples, Quantity::power_average, from);
    edges = moves(counter);
    length_s = std::max(0.0, static_cast<double>(samples.back().time_us - from) * kMicro);
    if (edges.size() >= 2) {
      begin = edges.front().t;
      end = edges.back().t;
    } else if (has_power()) {
      begin = power.front().t;
      end = power.back().t;
    }
  }
  [[nodiscard]] bool has_counter() const { return counter.size() >= 2; }
  [[nodiscard]] bool has_power() const { return power.size() >= 2; }
};

PowerStatement refused(PowerStatement statement, Verdict verdict, std::string reason) {
  statement.verdict = verdict;
  statement.reason = std::move(reason);
  return statement;
}

/// Why nothing can be said of the window; `fine` when something can.
PowerStatement refusal(const Window& window, PowerStatement statement, const WindowRules& rules) {
  if (window.length_s < rules.least_s) {
    return refused(statement, Verdict::too_short,
                   fmt::format("{:.1f} s after {:.0f} s of settling; {:.0f} s are needed",
                               window.length_s, rules.settle_s, rules.least_s));
  }
  if (!window.has_counter() && !window.has_power()) {
    return refused(statement, Verdict::no_data, "this GPU tells neither energy nor power");
  }
  if (goes_down(window.counter)) {
    return refused(statement, Verdict::reset,
                   "the energy counter went down: the driver was reloaded in the window");
  }
  if (window.has_counter() && window.edges.size() < 2) {
    return refused(statement, Verdict::frozen, "the energy counter does not move");
  }
  const double gap = longest_gap(window.has_power() ? window.power : window.counter);
  if (gap > rules.longest_gap_s) {
    return refused(statement, Verdict::gap,
                   fmt::format("no sample for {:.2f} s; at most {:.2f} s may lie between two", gap,
                               rules.longest_gap_s));
  }
  if (window.has_counter() && statement.window_s < rules.least_s - 4 * rules.counter_step_s) {
    return refused(statement, Verdict::frozen,
                   fmt::format("the energy counter moved over {:.1f} s only", statement.window_s));
  }
  statement.verdict = Verdict::fine;
  return statement;
}

}  // namespace

std::optional<double> counter_increase(double before, double after, int bits) {
  if (after >= before) return after - before;
  if (bits >= 64) return std::nullopt;
  return after - before + std::ldexp(1.0, bits);
}

PowerStatement power_statement(std::span<const GpuSample> samples, const WindowRules& rules) {
  PowerStatement statement;
  if (samples.size() < 2) return refused(statement, Verdict::no_data, "fewer than two samples");
  const Window window(samples, rules);
  statement.window_s = window.end - window.begin;
  statement = refusal(window, statement, rules);
  if (!statement.usable()) return statement;
  if (window.has_counter()) {
    statement.counter_w =
        (window.edges.back().value - window.edges.front().value) / statement.window_s;
    statement.counter_error = rules.counter_step_s / statement.window_s;
  }
  if (window.has_power()) {
    statement.sampled_w = mean_between(window.power, window.begin, window.end);
  }
  if (!statement.counter_w || !statement.sampled_w) {
    statement.reason = statement.counter_w ? "no power readings: by the energy counter alone"
                                           : "no energy counter: by power readings alone";
    return statement;
  }
  statement.disagreement =
      std::abs(*statement.counter_w - *statement.sampled_w) / std::abs(*statement.counter_w);
  if (statement.disagreement <= rules.disagreement) return statement;
  return refused(
      statement, Verdict::disagree,
      fmt::format("energy counter {:.1f} W, readings {:.1f} W: {:.0f} % apart",
                  *statement.counter_w, *statement.sampled_w, 100 * statement.disagreement));
}

}  // namespace rackwright::profiler::nvml
