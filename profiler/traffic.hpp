#pragma once

#include <deque>

#include "workloads/operator.hpp"
#include "workloads/serving_plan.hpp"

namespace rackwright::profiler {

/// Shares of the bytes one GPU sends in a collective, by what they cross. Sum 1.
struct LinkShares {
  double scale_up = 1;
  double scale_out = 0;
};

/// How `plan`'s collective `shape` splits over scale-up domains of `domain` GPUs, for a replica
/// whose ranks fill domains in order (tensor parallel fastest), averaged over its GPUs.
///
/// n ranks in domains of g = min(n, domain) make d = n/g groups; volumes are hierarchical:
/// - all-reduce, all-gather, reduce-scatter: inside d(g-1)/(n-1), across (d-1)/(n-1) of the volume.
///   (All-reduce of S: 2(g-1)/g S inside, 2(d-1)/n S across; their sum is 2(n-1)/n S, the ring's.)
/// - all-to-all: each of the n-1 peers gets the same; g-1 of them are inside. No multicast across
///   domains (DeepEP's low-latency kernels), so across is an upper bound for engines that send a
///   token once per remote domain.
/// - send to the next pipeline stage: the share of stage boundaries that are domain boundaries.
/// A last domain that is not full counts as a full one.
[[nodiscard]] LinkShares link_shares(const workloads::CollectiveShape& shape,
                                     const workloads::ServingPlan& plan, int domain);

/// Highest mean rate over any window of fixed length (not only aligned ones) of a stream of
/// intervals in order of time. Memory: one window.
class PeakRate {
 public:
  explicit PeakRate(double window_s) : window_s_(window_s) {}
  /// `bytes` sent evenly over [start_s, start_s + duration_s); not before the previous interval's
  /// end. A duration of zero counts as an instant.
  void add(double start_s, double duration_s, double bytes);
  /// Bytes per second; valid at any time.
  [[nodiscard]] double peak() const;

 private:
  struct Interval {
    double start, end, before, after;  ///< cumulative bytes at start and end
  };
  void close_windows_until(double time);
  [[nodiscard]] double sent_until(double time) const;

  double window_s_;
  double total_ = 0;
  double best_ = 0;             ///< bytes in one window
  std::size_t next_start_ = 0;  ///< first interval whose window [start, start + w) is still open
  std::deque<Interval> intervals_;
};

}  // namespace rackwright::profiler
