#include "profiler/trace.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>

namespace rackwright::profiler {

namespace {

/// A slice's length is a float; a gap to the next slice below this share of it is rounding.
constexpr double kRoundingShare = 1e-6;

/// Appends `watts` from the last edge to `until`, merging equal neighbours.
void extend(PowerTimeline& timeline, double until, double watts) {
  if (until <= timeline.t.back()) return;
  if (!timeline.w.empty() && timeline.w.back() == watts) {
    timeline.t.back() = until;
    return;
  }
  timeline.t.push_back(until);
  timeline.w.push_back(watts);
}

}  // namespace

double Trace::busy_share() const {
  return end_s > 0 ? engine.busy_s / end_s : 0.0;
}

double Trace::joules_per_gpu() const {
  double joules = idle_w * std::max(0.0, end_s - engine.busy_s);
  for (const ClassTotal& total : totals) joules += total.joules;
  return joules;
}

double slice_end_s(const Trace& trace, std::size_t index) {
  const Slice& slice = trace.slices[index];
  const double next =
      index + 1 < trace.slices.size() ? trace.slices[index + 1].start_s : trace.end_s;
  const double end = slice.start_s + slice.duration_s;
  return std::abs(next - end) <= kRoundingShare * slice.duration_s + 1e-12 ? next : end;
}

double PowerTimeline::integral() const {
  double joules = 0;
  for (std::size_t i = 0; i < w.size(); ++i) joules += w[i] * (t[i + 1] - t[i]);
  return joules;
}

PowerTimeline power_timeline(const Trace& trace) {
  if (trace.slices.empty() && trace.engine.busy_s > 0) {
    throw std::invalid_argument("power_timeline: the trace was recorded without slices");
  }
  PowerTimeline timeline;
  if (!(trace.end_s > 0)) return timeline;
  timeline.t.reserve(trace.slices.size() + 2);
  timeline.w.reserve(trace.slices.size() + 1);
  timeline.t.push_back(0);
  for (std::size_t i = 0; i < trace.slices.size(); ++i) {
    extend(timeline, trace.slices[i].start_s, trace.idle_w);
    extend(timeline, slice_end_s(trace, i), trace.slices[i].watts);
  }
  extend(timeline, trace.end_s, trace.idle_w);
  return timeline;
}

std::vector<double> windowed_means(const PowerTimeline& timeline, double window_s) {
  if (!(window_s > 0)) throw std::invalid_argument("windowed_means: the window must be positive");
  std::vector<double> means;
  if (timeline.w.empty()) return means;
  const double begin = timeline.t.front();
  const double end = timeline.t.back();
  std::size_t piece = 0;
  // A rest shorter than a billionth of a window is rounding of the end, not a window.
  for (std::size_t k = 0; begin + static_cast<double>(k) * window_s < end - 1e-9 * window_s; ++k) {
    const double from = begin + static_cast<double>(k) * window_s;
    const double to = std::min(end, begin + static_cast<double>(k + 1) * window_s);
    double joules = 0;
    while (true) {
      const double left = std::max(from, timeline.t[piece]);
      const double right = std::min(to, timeline.t[piece + 1]);
      if (right > left) joules += timeline.w[piece] * (right - left);
      if (timeline.t[piece + 1] > to || piece + 1 == timeline.w.size()) break;
      ++piece;
    }
    means.push_back(joules / (to - from));
  }
  return means;
}

}  // namespace rackwright::profiler
