#pragma once

#include <optional>
#include <vector>

#include "topology/power/load_timeline.hpp"

namespace rackwright::topology {

/// Energy that a store must hold so that the draw of a repeating load never exceeds `cap_w`: the
/// largest draw-up of the integral of P - cap over exact edges, the store refilled under the cap.
/// Nothing when the mean exceeds the cap: no store holds that. N devices in step at a square wave
/// about its mean: N (P_high - P_low) d (1 - d) T.
[[nodiscard]] std::optional<double> store_for_cap_j(const profiler::PowerTimeline& timeline,
                                                    double cap_w);
/// The same for means over equal windows: exact at window edges, blind to excursions inside one.
[[nodiscard]] std::optional<double> store_for_cap_j(const std::vector<double>& means,
                                                    double window_s, double cap_w);

/// Energy for one step of `step_w` at a draw that may change by `ramp_w_per_s`: dP^2 / (2 r).
[[nodiscard]] double store_for_step_j(double step_w, double ramp_w_per_s);

/// What of a signal lies between two frequencies.
struct Band {
  double rms_w = 0;
  double dominant_hz = 0;     ///< strongest line in the band; 0 without one
  double dominant_rms_w = 0;  ///< of that line and its neighbours
};
/// Welch estimate from window means: segments of a power of two, Hann window, half overlapped, mean
/// removed; the band ends at half the sampling rate. The sinc of the averaging window is divided
/// out. Empty when there are fewer than 16 means.
[[nodiscard]] Band band_of(const std::vector<double>& means, double window_s, double low_hz,
                           double high_hz);

/// A published backup time at a load.
struct BackupPoint {
  double watts = 0, seconds = 0;
};
/// Time at `watts` between published points, a power law through neighbours (Peukert). At or under
/// the least load its time stands as a lower bound; nothing over the greatest.
[[nodiscard]] std::optional<double> backup_time_s(std::vector<BackupPoint> points, double watts);

/// Hold-up of a supply that holds `full_load_s` at `rating_w`: the same energy at `watts`.
[[nodiscard]] double hold_up_s(double full_load_s, double rating_w, double watts);

}  // namespace rackwright::topology
