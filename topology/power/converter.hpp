#pragma once

#include <vector>

#include "common/units.hpp"

namespace rackwright::topology {

/// Loss of a converter, as a function of its output: P_loss = a0 + a1 P + a2 P^2. Idle, linear and
/// resistive parts.
struct ConverterLoss {
  double a0_w = 0;
  double a1 = 0;
  double a2_per_w = 0;
  [[nodiscard]] Power loss(Power output) const;
  [[nodiscard]] Power input(Power output) const { return output + loss(output); }
  /// The output that draws `input`, by inversion of the quadratic; 0 when the idle loss takes all.
  [[nodiscard]] Power output(Power input) const;
  [[nodiscard]] double efficiency(Power output) const;
};

/// What a single published efficiency does not say: how the loss at the peak splits. At the peak
/// the idle and the resistive part are equal, so one share is free.
struct ConverterPrior {
  double peak_load = 0.5;     ///< load fraction of the peak ("half load" in published figures)
  double linear_share = 0.5;  ///< of the loss at the peak; 0 bends most, 1 not at all. A judgement
};

/// The loss curve of `units` equal units of `rating` each that share `output` evenly, from one
/// published peak efficiency. At the peak d(loss/P)/dP = 0, hence a0 = a2 P^2. Throws
/// std::invalid_argument unless 0 < peak_efficiency <= 1.
[[nodiscard]] ConverterLoss converter_from_peak(double peak_efficiency, Power rating, int units,
                                                const ConverterPrior& prior = {});

/// One published point of an efficiency curve.
struct EfficiencyPoint {
  double load = 0;        ///< fraction of the rating
  double efficiency = 0;  ///< (0, 1]
};

/// A loss curve and what it rests on.
struct ConverterFit {
  ConverterLoss loss;
  bool assumed = false;      ///< fewer than three points: the shape is a prior scaled to them
  double largest_error = 0;  ///< of the efficiency over the points
};

/// The loss curve of one unit of `rating` from published points: three or more by non-negative
/// least squares in relative loss; one by the prior scaled to it at its own load; two by the
/// prior's idle share with the other two terms through both points. Throws std::invalid_argument
/// without points, for a load that is not positive and an efficiency outside (0, 1]. 80 PLUS
/// thresholds are a pass floor, not such points.
[[nodiscard]] ConverterFit fit_converter(const std::vector<EfficiencyPoint>& points, Power rating,
                                         const ConverterPrior& prior = {});

}  // namespace rackwright::topology
