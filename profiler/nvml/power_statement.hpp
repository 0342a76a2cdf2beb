#pragma once

#include <optional>
#include <span>
#include <string>

#include "profiler/nvml/gpu_sample.hpp"

namespace rackwright::profiler::nvml {

/// Rules for what may be said of power.
struct WindowRules {
  double least_s = 5;           ///< shorter windows are refused
  double settle_s = 1;          ///< dropped at the start: averaging lag and clock settling
  double counter_step_s = 0.1;  ///< the energy counter moves about this often: error step/window
  double disagreement = 0.05;   ///< of the two sources, relative, from which on it is flagged
  double longest_gap_s = 0.5;   ///< between samples: longer ones are reported, not bridged
};

enum class Verdict { fine, too_short, no_data, frozen, reset, gap, disagree };

/// Mean power of one GPU from two sources: difference of the energy counter, and trapezoid over the
/// instantaneous readings with their own times.
struct PowerStatement {
  Verdict verdict = Verdict::no_data;
  std::string reason;  ///< empty when fine
  double window_s = 0;
  std::optional<double> counter_w;
  std::optional<double> sampled_w;
  double counter_error = 0;  ///< relative bound from the counter's step
  double disagreement = 0;   ///< |counter - sampled| / counter
  [[nodiscard]] bool usable() const { return verdict == Verdict::fine; }
};

/// `samples` of one GPU by time. The window runs between moves of the counter. With one source only
/// the statement stands on that and says so.
[[nodiscard]] PowerStatement power_statement(std::span<const GpuSample> samples,
                                             const WindowRules& rules = {});

/// Increase of a counter of `bits` width. A narrower counter that went down has wrapped around; one
/// of 64 bits (or kept as a double) was reset, and the increase is unknown.
[[nodiscard]] std::optional<double> counter_increase(double before, double after, int bits = 64);

}  // namespace rackwright::profiler::nvml
