#include "topology/limits.hpp"

#include <algorithm>
#include <cmath>
#include <tuple>

#include <fmt/format.h>

namespace rackwright::topology {

namespace {
constexpr double kNearMargin = 0.05;  // report convention: near is below +5 %
}

double margin_of(double load, double limit) {
  if (limit > 0) return (limit - load) / limit;
  if (load <= limit) return 0;
  return std::min(-1.0, load > 0 ? (limit - load) / load : -1.0);
}

Limit make_limit(LimitName name, Estimate load, Estimate limit, std::string cause) {
  Limit result;
  result.id = std::move(name.id);
  result.domain = std::move(name.domain);
  result.name = std::move(name.name);
  result.failure_unit = std::move(name.failure_unit);
  result.failure = std::move(name.failure);
  result.promised = name.promised;
  result.cause = std::move(cause);
  result.margin = margin_of(load.value, limit.value);
  result.margin_low = std::min(result.margin, margin_of(load.high, limit.low));
  result.margin_high = std::max(result.margin, margin_of(load.low, limit.high));
  if (result.margin < 0) {
    result.state = LimitState::violated;
  } else if (result.margin < kNearMargin || result.margin_low <= 0) {
    result.state = LimitState::near;
  }
  result.load = std::move(load);
  result.limit = std::move(limit);
  return result;
}

Limit make_blank_limit(LimitName name, Estimate load, std::string cause) {
  Limit result = make_limit(std::move(name), load, load, std::move(cause));
  result.limit.reset();
  result.margin = result.margin_low = result.margin_high = 0;
  result.state = LimitState::blank;
  return result;
}

void sort_limits(std::vector<Limit>& limits) {
  std::stable_sort(limits.begin(), limits.end(), [](const Limit& a, const Limit& b) {
    const bool blank_a = a.state == LimitState::blank, blank_b = b.state == LimitState::blank;
    return std::tie(blank_a, a.margin, a.id) < std::tie(blank_b, b.margin, b.id);
  });
}

std::string watts_text(double watts) {
  const double size = std::abs(watts);
  if (size < 1e3) return fmt::format("{:.0f} W", watts);
  if (size < 1e6) return fmt::format("{:.1f} kW", watts / 1e3);
  if (size < 1e7) return fmt::format("{:.0f} kW", watts / 1e3);
  return fmt::format("{:.2f} MW", watts / 1e6);
}

std::string percent_text(double share) {
  return fmt::format("{:+.1f} %", share * 100);
}

}  // namespace rackwright::topology
