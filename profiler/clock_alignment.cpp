#include "profiler/clock_alignment.hpp"

#include <algorithm>
#include <cmath>
#include <ctime>
#include <stdexcept>

#include <fmt/format.h>

namespace rackwright::profiler {

namespace {

/// RFC 5905 section 12: the highest rate at which the clock discipline slews.
constexpr double kMaxSlew = 500e-6;

double read_clock(clockid_t clock) {
  timespec now{};
  ::clock_gettime(clock, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

}  // namespace

ClockOffset clock_offset(std::span<const PingPong> exchanges) {
  if (exchanges.empty()) throw std::invalid_argument("a clock offset needs an exchange");
  const auto trip = [](const PingPong& p) { return p.received_s - p.sent_s; };
  const auto best =
      std::min_element(exchanges.begin(), exchanges.end(),
                       [&](const auto& a, const auto& b) { return trip(a) < trip(b); });
  if (trip(*best) < 0) throw std::invalid_argument("an answer was received before it was sent for");
  const double middle = best->sent_s + 0.5 * trip(*best);
  return {middle, best->answered_s - middle, 0.5 * trip(*best)};
}

double ClockAlignment::offset_at(double local_s) const {
  const double length = end.at_s - start.at_s;
  if (length <= 0) return start.offset_s;
  const double share = (local_s - start.at_s) / length;
  return start.offset_s + share * (end.offset_s - start.offset_s);
}

double ClockAlignment::bound_s() const {
  return std::max(start.bound_s, end.bound_s);
}

ClockPair read_clock_pair() {
  // The raw clock is read on both sides, so that the pair is of one moment.
  const double before = read_clock(CLOCK_MONOTONIC_RAW);
  const double realtime = read_clock(CLOCK_REALTIME);
  const double after = read_clock(CLOCK_MONOTONIC_RAW);
  return {realtime, 0.5 * (before + after)};
}

ClockDisturbance find_disturbance(std::span<const ClockPair> pairs, double limit_s) {
  ClockDisturbance found;
  double worst_interval = 0;
  for (std::size_t i = 1; i < pairs.size(); ++i) {
    const double interval = pairs[i].raw_s - pairs[i - 1].raw_s;
    const double change = pairs[i].realtime_s - pairs[i - 1].realtime_s - interval;
    found.seconds += change;
    if (std::abs(change) > std::abs(found.worst_s)) {
      found.worst_s = change;
      worst_interval = interval;
    }
  }
  if (std::abs(found.worst_s) <= limit_s && std::abs(found.seconds) <= limit_s) return found;
  if (std::abs(found.worst_s) > limit_s && std::abs(found.worst_s) > kMaxSlew * worst_interval) {
    found.kind = ClockDisturbance::Kind::step;
    found.reason = fmt::format("the clock was stepped by {:+.1f} ms", 1e3 * found.worst_s);
  } else {
    found.kind = ClockDisturbance::Kind::slew;
    found.reason =
        fmt::format("the clock was slewed by {:+.1f} ms over the run", 1e3 * found.seconds);
  }
  return found;
}

std::int64_t realtime_ns() {
  timespec time{};
  ::clock_gettime(CLOCK_REALTIME, &time);
  return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

}  // namespace rackwright::profiler
