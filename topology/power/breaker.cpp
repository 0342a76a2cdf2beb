#include "topology/power/breaker.hpp"

#include <cmath>
#include <cstdlib>

#include <fmt/format.h>

namespace rackwright::topology {

BreakerClass breaker_class(const Part& part) {
  BreakerClass result;
  result.id = part.id;
  result.name = part.name;
  result.source = part.source;
  result.hold = part.estimate("hold_pct", "%").value / 100;
  result.must_trip = part.estimate("trip_pct", "%").value / 100;
  result.must_trip_s = part.estimate("trip_s", "s").value;
  const std::string prefix = "trip_s_at_";
  for (const auto& [key, fact] : part.facts) {
    if (key.rfind(prefix, 0) != 0 || fact.blank()) continue;
    result.upper = std::strtod(key.c_str() + prefix.size(), nullptr) / 100;
    result.upper_trip_s = *fact.value;
    result.upper_to_a =
        part.number(fmt::format("trip_at_{:.0f}pct_rating_max_a", *result.upper * 100));
  }
  result.times_to_a = part.number("trip_rating_max_a");
  return result;
}

std::string_view to_string(BreakerState state) {
  switch (state) {
    case BreakerState::holds:
      return "holds";
    case BreakerState::may_trip:
      return "may trip";
    case BreakerState::trips:
      return "trips";
  }
  return "";
}

BreakerVerdict judge_breaker(const BreakerClass& breaker, double amps, double rated_a) {
  const double i = amps / rated_a;
  // Half a part per billion: a load of exactly the hold current is held.
  if (i <= breaker.hold * (1 + 5e-10)) return {};
  if (i < breaker.must_trip) return {BreakerState::may_trip, std::nullopt};
  if (breaker.times_to_a && rated_a > *breaker.times_to_a) {
    return {BreakerState::trips, std::nullopt};
  }
  double seconds = breaker.must_trip_s;
  if (breaker.upper_to_a && rated_a > *breaker.upper_to_a) return {BreakerState::trips, seconds};
  if (breaker.upper && i >= *breaker.upper) {
    seconds = *breaker.upper_trip_s;
  } else if (breaker.upper) {
    const double share =
        std::log(i / breaker.must_trip) / std::log(*breaker.upper / breaker.must_trip);
    seconds = std::exp(std::log(breaker.must_trip_s) +
                       share * std::log(*breaker.upper_trip_s / breaker.must_trip_s));
  }
  return {BreakerState::trips, seconds};
}

std::optional<double> replica_trip_s(double tau_s, double k, double i, double p) {
  if (!(i > k)) return std::nullopt;
  return tau_s * std::log((i * i - p * p) / (i * i - k * k));
}

double replica_tau_s(double k, double i, double t_s) {
  return t_s / std::log(i * i / (i * i - k * k));
}

}  // namespace rackwright::topology
