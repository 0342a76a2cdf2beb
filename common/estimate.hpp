#pragma once

#include <string>
#include <string_view>

namespace rackwright {

/// Where a number comes from, strongest first. A composite takes the weakest origin of its inputs.
enum class Origin { measured, modelled, catalogue, assumed };

[[nodiscard]] std::string_view to_string(Origin origin);
/// The origin of a number computed from numbers of these two origins. A model over measured or
/// catalogue inputs is `modelled`; anything that rests on an assumption is `assumed`.
[[nodiscard]] Origin weakest(Origin a, Origin b);

/// A number with unit, 90 % interval, origin and boundary; travels with every result.
struct Estimate {
  double value = 0.0;
  std::string unit;
  Origin origin = Origin::modelled;
  /// 90 % interval; equal to `value` when no uncertainty is known.
  double low = 0.0;
  double high = 0.0;
  bool extrapolated = false;
  /// Where it is taken: "module input", "tray", "busbar DC", "rack AC input", "facility", "" when
  /// the notion does not apply.
  std::string boundary;

  [[nodiscard]] bool has_interval() const { return low != high; }
};

/// Unit, origin and boundary of an Estimate, for the factory functions below.
struct EstimateTag {
  std::string unit;
  Origin origin = Origin::modelled;
  std::string boundary;
  bool extrapolated = false;
};

/// An estimate without known uncertainty.
[[nodiscard]] Estimate exact(double value, EstimateTag tag);
/// An estimate whose 90 % interval is `value * (1 -/+ relative)`. Throws std::invalid_argument when
/// `relative` is negative or not finite.
[[nodiscard]] Estimate with_relative(double value, double relative, EstimateTag tag);
/// An estimate between two bounds. Throws std::invalid_argument unless low <= value <= high.
[[nodiscard]] Estimate between(double low, double value, double high, EstimateTag tag);
/// `estimate` times an exact factor, in a new unit.
[[nodiscard]] Estimate scaled(const Estimate& estimate, double factor, std::string unit);
/// Sum of independent estimates of one unit: half-widths add in quadrature. Throws
/// std::invalid_argument when the units differ.
[[nodiscard]] Estimate sum_independent(const Estimate& a, const Estimate& b);
/// Sum of fully correlated estimates of one unit: half-widths add. Throws as above.
[[nodiscard]] Estimate sum_correlated(const Estimate& a, const Estimate& b);
/// Ratio of independent estimates, relative half-widths in quadrature, in a new unit.
[[nodiscard]] Estimate ratio(const Estimate& a, const Estimate& b, std::string unit);

/// Text with digits that follow the uncertainty: two significant digits of the half-width when it
/// starts with 1 or 2, else one; three significant digits at most without one. Thin space (U+2009)
/// per thousand, U+2212 for minus. No unit.
[[nodiscard]] std::string format_value(const Estimate& estimate);
/// The half-width to the same place as `format_value`, or "" without an interval.
[[nodiscard]] std::string format_half_width(const Estimate& estimate);
/// `value` to `digits` significant digits in the same typography.
[[nodiscard]] std::string format_significant(double value, int digits);

}  // namespace rackwright
