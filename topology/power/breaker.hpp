#pragma once

#include <optional>
#include <string>
#include <vector>

#include "topology/catalog.hpp"

namespace rackwright::topology {

/// A breaker class as its standard bounds it: what it must hold, what must open it and within what
/// time from cold. Currents are multiples of the rating.
struct BreakerClass {
  std::string id, name;
  double hold = 1;       ///< never opens at or under it
  double must_trip = 1;  ///< opens within `must_trip_s`
  double must_trip_s = 0;
  std::optional<double> upper, upper_trip_s;  ///< a second point, e.g. 200 % within 120 s
  /// The largest rating that each point's time is known for; blank: any.
  std::optional<double> times_to_a, upper_to_a;
  std::string source;
};
/// From a catalogue part with `hold_pct`, `trip_pct`, `trip_s`, `trip_s_at_…pct` and
/// the ratings that the times hold to, `trip_rating_max_a`, `trip_at_…pct_rating_max_a`. Throws
/// std::logic_error when one of the first three is blank.
[[nodiscard]] BreakerClass breaker_class(const Part& part);

enum class BreakerState { holds, may_trip, trips };
[[nodiscard]] std::string_view to_string(BreakerState state);

struct BreakerVerdict {
  BreakerState state = BreakerState::holds;
  std::optional<double> trips_within_s;  ///< from cold, where the class bounds it
};
/// `amps` for ever on a breaker of `rated_a`: holds up to the hold current, may trip up to the
/// tripping current, trips above it within the class's time (interpolated in log time over log
/// current between its two points; beyond the last the last bound stands). For a larger rating than
/// a time is known for, the time is blank.
[[nodiscard]] BreakerVerdict judge_breaker(const BreakerClass& breaker, double amps,
                                           double rated_a);

/// Thermal replica: time to open at i (multiples of the rating) from a steady preload p:
/// t = tau ln((i^2 - p^2) / (i^2 - k^2)). Nothing when i <= k: it never opens.
[[nodiscard]] std::optional<double> replica_trip_s(double tau_s, double k, double i, double p = 0);
/// The replica's time constant from one known point: opens after `t_s` at `i` from cold.
[[nodiscard]] double replica_tau_s(double k, double i, double t_s);

}  // namespace rackwright::topology
