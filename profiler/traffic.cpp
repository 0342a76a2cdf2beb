#include "profiler/traffic.hpp"

#include <algorithm>
#include <cmath>
#include <iterator>

namespace rackwright::profiler {

namespace {

using workloads::CollectiveKind;

/// Of the boundaries between pipeline stages, those where the next stage is in another domain.
double crossing_boundaries(const workloads::ServingPlan& plan, int domain) {
  if (plan.pp < 2) return 0;
  const int stage = std::max(1, plan.gpus() / plan.pp);
  const int stages_per_domain = std::max(1, domain / stage);
  const int groups = (plan.pp + stages_per_domain - 1) / stages_per_domain;
  return static_cast<double>(groups - 1) / (plan.pp - 1);
}

}  // namespace

LinkShares link_shares(const workloads::CollectiveShape& shape, const workloads::ServingPlan& plan,
                       int domain) {
  if (domain < 1) domain = 1;
  if (shape.ranks < 2 || plan.gpus() <= domain) return {};
  if (shape.kind == CollectiveKind::send_recv) {
    const double across = crossing_boundaries(plan, domain);
    return {1 - across, across};
  }
  if (shape.ranks <= domain) return {};
  const double n = shape.ranks;
  const double g = domain;
  const double d = std::ceil(n / g);
  const double across =
      shape.kind == CollectiveKind::all_to_all ? (n - g) / (n - 1) : (d - 1) / (n - 1);
  return {1 - across, across};
}

double PeakRate::sent_until(double time) const {
  const auto later =
      std::partition_point(intervals_.begin(), intervals_.end(),
                           [time](const Interval& interval) { return interval.start <= time; });
  if (later == intervals_.begin()) return intervals_.empty() ? total_ : intervals_.front().before;
  const Interval& interval = *std::prev(later);
  if (time >= interval.end) return interval.after;
  return interval.before + (interval.after - interval.before) * (time - interval.start) /
                               (interval.end - interval.start);
}

void PeakRate::close_windows_until(double time) {
  while (next_start_ < intervals_.size() && intervals_[next_start_].start + window_s_ <= time) {
    const Interval& interval = intervals_[next_start_];
    best_ = std::max(best_, sent_until(interval.start + window_s_) - interval.before);
    ++next_start_;
  }
}

void PeakRate::add(double start_s, double duration_s, double bytes) {
  if (!(bytes > 0)) return;
  const double end = start_s + std::max(0.0, duration_s);
  close_windows_until(start_s);
  intervals_.push_back({start_s, end, total_, total_ + bytes});
  total_ += bytes;
  // The sum of a piecewise constant rate over a sliding window has its maxima where the window
  // begins with an interval or ends with one.
  best_ = std::max(best_, total_ - sent_until(end - window_s_));
  close_windows_until(end);
  while (next_start_ > 0 && intervals_.front().end <= end - window_s_) {
    intervals_.pop_front();
    --next_start_;
  }
}

double PeakRate::peak() const {
  double best = best_;
  for (std::size_t i = next_start_; i < intervals_.size(); ++i) {
    best = std::max(best, sent_until(intervals_[i].start + window_s_) - intervals_[i].before);
  }
  return best / window_s_;
}

}  // namespace rackwright::profiler
