#pragma once

#include <string>

#include "topology/evaluation.hpp"

namespace rackwright::topology {

/// (limit - load) / limit. With a limit at or below zero nothing fits: minus one, or the excess
/// over the load when that is worse.
[[nodiscard]] double margin_of(double load, double limit);

/// What a limit is about.
struct LimitName {
  std::string id, domain, name;
  std::string failure_unit = "none";
  std::string failure;
  bool promised = true;
};

/// Fills margin, its interval (load and limit over their intervals) and state: violated below zero,
/// near below +5 % or when the interval touches zero.
[[nodiscard]] Limit make_limit(LimitName name, Estimate load, Estimate limit, std::string cause);
/// A limit whose limiting value is not published.
[[nodiscard]] Limit make_blank_limit(LimitName name, Estimate load, std::string cause);
/// Worst margin first, blanks last, ties by id.
void sort_limits(std::vector<Limit>& limits);

/// "12.4 kW", "820 W", "1.2 MW" for sentences; plain spaces.
[[nodiscard]] std::string watts_text(double watts);
[[nodiscard]] std::string percent_text(double share);

}  // namespace rackwright::topology
