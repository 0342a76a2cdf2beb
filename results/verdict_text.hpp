#pragma once

#include <string>
#include <vector>

#include "results/review.hpp"

/// Words of the verdict: one template per outcome. Plain text, not escaped.
namespace rackwright::results {

/// What there is to say.
enum class Outcome {
  winner,         ///< one candidate leads
  only_feasible,  ///< several candidates, one of them holds every limit
  tie,            ///< the first rank is shared
  none_feasible,  ///< all are judged, none holds every limit
  undecided,      ///< none is feasible and at least one cannot be judged
  single          ///< there is only one candidate
};
[[nodiscard]] Outcome outcome_of(const Review& review);

/// "Take gb300-nvl72, and cap each rack at 130 kW when a feed is lost."
[[nodiscard]] std::string headline(const Review& review);
/// Demand, size, and the lead over the next with its interval, or why there is none.
[[nodiscard]] std::string reason(const Review& review);
/// At most three: how far the winner's throughput may fall, what a blank would have to be, which
/// limit is nearest.
[[nodiscard]] std::vector<Threshold> thresholds(const Review& review);

/// "132 kW", "1.31 ktok/s", "3 racks": value in the unit people use, three significant digits.
[[nodiscard]] std::string quantity_text(double value, const std::string& unit);

/// "TTFT P99 ≤ 2000 ms, TPOT P99 ≤ 50 ms".
[[nodiscard]] std::string slo_text(const workloads::Slo& slo);

}  // namespace rackwright::results
