#pragma once

#include <span>
#include <string>
#include <vector>

namespace rackwright::profiler {

/// One exchange with the reference rank: sent and answer received by our clock, answered by the
/// reference's. Seconds of CLOCK_REALTIME on each side.
struct PingPong {
  double sent_s = 0;
  double answered_s = 0;
  double received_s = 0;
};

/// Reference clock minus ours at one moment.
struct ClockOffset {
  double at_s = 0;      ///< by our clock
  double offset_s = 0;  ///< to be added to our times
  double bound_s = 0;   ///< the offset is off by at most this: half the round trip
};

/// From the exchange with the least round trip: offset = answered - (sent + received) / 2, off by
/// at most half the round trip, as the answer was made at some time between. Throws
/// std::invalid_argument without exchanges or when one was received before it was sent.
[[nodiscard]] ClockOffset clock_offset(std::span<const PingPong> exchanges);

/// Offset over a run from one at its start and one at its end, linear between and beyond.
struct ClockAlignment {
  ClockOffset start, end;
  [[nodiscard]] double offset_at(double local_s) const;
  [[nodiscard]] double to_reference(double local_s) const { return local_s + offset_at(local_s); }
  /// Greatest error of an aligned time within the run.
  [[nodiscard]] double bound_s() const;
};

/// CLOCK_REALTIME and CLOCK_MONOTONIC_RAW read together, s. The raw clock is neither stepped nor
/// slewed.
struct ClockPair {
  double realtime_s = 0;
  double raw_s = 0;
};
[[nodiscard]] ClockPair read_clock_pair();

/// What happened to CLOCK_REALTIME between two pairs.
struct ClockDisturbance {
  enum class Kind { none, step, slew } kind = Kind::none;
  double seconds = 0;  ///< change against the raw clock over all pairs
  double worst_s = 0;  ///< largest change between neighbours
  std::string reason;  ///< empty for none
};

/// A change above `limit_s` marks the run. NTP slews by at most 500 ppm (RFC 5905 section 12): a
/// change above the limit in one interval and faster than that is a step, anything else a slew.
[[nodiscard]] ClockDisturbance find_disturbance(std::span<const ClockPair> pairs,
                                                double limit_s = 1e-3);

/// CLOCK_REALTIME, ns.
[[nodiscard]] std::int64_t realtime_ns();

}  // namespace rackwright::profiler
