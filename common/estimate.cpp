#include "common/estimate.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include <fmt/format.h>

namespace rackwright {

namespace {

constexpr std::string_view kThinSpace = "\u2009";
constexpr std::string_view kMinus = "\u2212";

Estimate combine(const Estimate& a, const Estimate& b, double value, double half_low,
                 double half_high) {
  Estimate result;
  result.value = value;
  result.unit = a.unit;
  result.origin = weakest(a.origin, b.origin);
  result.low = value - half_low;
  result.high = value + half_high;
  result.extrapolated = a.extrapolated || b.extrapolated;
  result.boundary = a.boundary;
  return result;
}

void require_same_unit(const Estimate& a, const Estimate& b) {
  if (a.unit != b.unit) {
    throw std::invalid_argument(fmt::format("sum of {} and {}", a.unit, b.unit));
  }
}

/// Fixed-point text with `decimals` places (negative: rounded to tens, hundreds, …).
std::string fixed(double value, int decimals) {
  const double step = std::pow(10.0, -decimals);
  const double rounded = decimals < 0 ? std::round(value / step) * step : value;
  std::string text = fmt::format("{:.{}f}", std::abs(rounded), std::max(decimals, 0));
  const bool zero = text.find_first_not_of("0.") == std::string::npos;
  const std::size_t point = std::min(text.find('.'), text.size());
  for (std::size_t i = point; i > 3; i -= 3) text.insert(i - 3, kThinSpace);
  if (rounded < 0 && !zero) text.insert(0, kMinus);
  return text;
}

/// Decimals so that the half-width shows two significant digits when it starts with 1 or 2, else
/// one.
int decimals_for(double half_width) {
  const double exponent = std::floor(std::log10(half_width));
  const double lead = half_width / std::pow(10.0, exponent);
  const int digits = lead < 2.95 ? 2 : 1;
  return digits - 1 - static_cast<int>(exponent);
}

double half_width(const Estimate& e) {
  return (e.high - e.low) / 2;
}

}  // namespace

std::string_view to_string(Origin origin) {
  switch (origin) {
    case Origin::measured:
      return "measured";
    case Origin::modelled:
      return "modelled";
    case Origin::catalogue:
      return "catalogue";
    case Origin::assumed:
      return "assumed";
  }
  return "assumed";
}

Origin weakest(Origin a, Origin b) {
  if (a == b) return a;
  if (a == Origin::assumed || b == Origin::assumed) return Origin::assumed;
  return Origin::modelled;
}

Estimate exact(double value, EstimateTag tag) {
  return {value,
          std::move(tag.unit),
          tag.origin,
          value,
          value,
          tag.extrapolated,
          std::move(tag.boundary)};
}

Estimate with_relative(double value, double relative, EstimateTag tag) {
  if (!(relative >= 0) || !std::isfinite(relative)) {
    throw std::invalid_argument("relative half-width must be finite and not negative");
  }
  Estimate result = exact(value, std::move(tag));
  result.low = value - std::abs(value) * relative;
  result.high = value + std::abs(value) * relative;
  return result;
}

Estimate between(double low, double value, double high, EstimateTag tag) {
  if (!(low <= value && value <= high)) {
    throw std::invalid_argument("bounds must enclose the value");
  }
  Estimate result = exact(value, std::move(tag));
  result.low = low;
  result.high = high;
  return result;
}

Estimate scaled(const Estimate& estimate, double factor, std::string unit) {
  Estimate result = estimate;
  result.value *= factor;
  result.low *= factor;
  result.high *= factor;
  if (factor < 0) std::swap(result.low, result.high);
  result.unit = std::move(unit);
  return result;
}

Estimate sum_independent(const Estimate& a, const Estimate& b) {
  require_same_unit(a, b);
  return combine(a, b, a.value + b.value, std::hypot(a.value - a.low, b.value - b.low),
                 std::hypot(a.high - a.value, b.high - b.value));
}

Estimate sum_correlated(const Estimate& a, const Estimate& b) {
  require_same_unit(a, b);
  return combine(a, b, a.value + b.value, (a.value - a.low) + (b.value - b.low),
                 (a.high - a.value) + (b.high - b.value));
}

Estimate ratio(const Estimate& a, const Estimate& b, std::string unit) {
  if (b.value == 0) throw std::invalid_argument("ratio to zero");
  const double value = a.value / b.value;
  const auto relative = [](double part, double whole) { return whole == 0 ? 0 : part / whole; };
  const double low =
      std::hypot(relative(a.value - a.low, a.value), relative(b.high - b.value, b.value));
  const double high =
      std::hypot(relative(a.high - a.value, a.value), relative(b.value - b.low, b.value));
  Estimate result = combine(a, b, value, std::abs(value) * low, std::abs(value) * high);
  result.unit = std::move(unit);
  return result;
}

std::string format_significant(double value, int digits) {
  if (value == 0) return "0";
  const double magnitude = std::abs(value);
  int exponent = static_cast<int>(std::floor(std::log10(magnitude)));
  // 99.96 to three digits is 100: rounding may carry into the next decade.
  if (std::round(magnitude / std::pow(10.0, exponent - digits + 1)) >= std::pow(10.0, digits)) {
    ++exponent;
  }
  return fixed(value, digits - 1 - exponent);
}

std::string format_value(const Estimate& estimate) {
  const double half = half_width(estimate);
  if (!(half > 0)) return format_significant(estimate.value, 3);
  return fixed(estimate.value, decimals_for(half));
}

std::string format_half_width(const Estimate& estimate) {
  const double half = half_width(estimate);
  if (!(half > 0)) return "";
  return fixed(half, decimals_for(half));
}

}  // namespace rackwright
