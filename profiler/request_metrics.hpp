#pragma once

#include <cstdint>
#include <vector>

#include "workloads/engine.hpp"
#include "workloads/workload.hpp"

namespace rackwright::profiler {

/// Ranks (1-based) of the order statistics that enclose a quantile.
struct RankInterval {
  std::uint64_t low = 1;
  std::uint64_t high = 1;
  /// False when even the largest value does not bound the quantile from above with the confidence
  /// asked for (P99 at 90 %: fewer than 299 values); `high` is then the count.
  bool bounded = true;
};

/// Distribution-free interval of the `quantile` of `count` independent values: the number of values
/// below the quantile is binomial, and each tail holds at most (1 - confidence) / 2. For 1,000
/// values and P99 the ranks are 983 and 997 at 95 %. Values of one queue are correlated, so for a
/// saturated replica the true interval is wider.
[[nodiscard]] RankInterval quantile_ranks(std::uint64_t count, double quantile, double confidence);

/// Rank (1-based) of the nearest-rank quantile: ceil(quantile * count).
[[nodiscard]] std::uint64_t nearest_rank(std::uint64_t count, double quantile);

/// Requests that miss each limit. TPOT counts answers of two tokens and more.
struct SloCount {
  std::uint64_t requests = 0;
  std::uint64_t late_first_token = 0;
  std::uint64_t answers = 0;  ///< of two tokens and more
  std::uint64_t slow_answers = 0;
};
[[nodiscard]] SloCount count_misses(const std::vector<workloads::RequestOutcome>& requests,
                                    const workloads::Slo& slo);
/// Misses that `percentile` allows among `count` values: count - ceil(percentile * count).
[[nodiscard]] std::uint64_t allowed_misses(std::uint64_t count, double percentile);
/// Both percentiles hold.
[[nodiscard]] bool holds(const SloCount& count, const workloads::Slo& slo);

}  // namespace rackwright::profiler
