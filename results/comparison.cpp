#include "results/comparison.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace rackwright::results {

namespace {

/// Standard deviations of a normal error in half of its 90 % interval.
constexpr double kDeviationsOf90 = 1.6448536269514722;

double relative_half_width(const Estimate& estimate) {
  const double width = 0.5 * (estimate.high - estimate.low);
  return std::isfinite(width) && estimate.value > 0 ? width / estimate.value : 0;
}

/// Relative error of a metric: from the operator model, and the rest.
struct ErrorParts {
  double model = 0;
  double rest = 0;
};

ErrorParts parts_of(const Candidate& candidate) {
  const double whole = relative_half_width(*candidate.metric);
  const auto& throughput = candidate.tokens_per_s_per_rack;
  const double model = throughput ? std::min(whole, relative_half_width(*throughput)) : 0;
  // Equal up to rounding: nothing is left.
  const double rest = whole - model < 1e-9 * whole ? 0 : std::sqrt(whole * whole - model * model);
  return {model, rest};
}

/// Error of the ratio of two metrics that comes from their operator models.
double model_error(const Candidate& first, const Candidate& second, double m1, double m2) {
  const topology::ModelBasis& a = first.evaluation.model_basis;
  const topology::ModelBasis& b = second.evaluation.model_basis;
  double error = std::hypot(m1, m2);
  const bool same_steps = first.evaluation.device == second.evaluation.device &&
                          first.evaluation.placement.plan == second.evaluation.placement.plan;
  if (same_steps) return std::abs(m1 - m2);
  const double gain = std::max(a.gain, b.gain);
  for (const auto& [source, carried] : a.transfer_errors) {
    const auto shared = b.transfer_errors.find(source);
    if (shared == b.transfer_errors.end()) continue;
    error = std::min(error, gain * std::hypot(carried, shared->second));
  }
  return error;
}

double normal_share_below(double deviations) {
  return 0.5 * std::erfc(-deviations / std::numbers::sqrt2);
}

}  // namespace

std::optional<Comparison> compare(const Candidate& first, const Candidate& second,
                                  bool higher_is_better) {
  if (!first.metric || !second.metric) return std::nullopt;
  if (!(first.metric->value > 0) || !(second.metric->value > 0)) return std::nullopt;
  const ErrorParts a = parts_of(first), b = parts_of(second);
  const double apart = std::hypot(a.model, b.model);
  const double model = model_error(first, second, a.model, b.model);
  const double spread = 1 + std::hypot(model, a.rest, b.rest);
  Comparison result;
  result.ratio = ratio(*first.metric, *second.metric, "1");
  result.ratio.low = result.ratio.value / spread;
  result.ratio.high = result.ratio.value * spread;
  result.common = std::sqrt(std::max(0.0, apart * apart - model * model));
  const double lead = std::log(result.ratio.value) * (higher_is_better ? 1 : -1);
  const double deviation = std::log(spread) / kDeviationsOf90;
  result.probability_better = deviation > 0 ? normal_share_below(lead / deviation)
                              : lead > 0    ? 1.0
                              : lead < 0    ? 0.0
                                            : 0.5;
  return result;
}

}  // namespace rackwright::results
