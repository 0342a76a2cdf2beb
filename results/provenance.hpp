#pragma once

#include <string_view>
#include <vector>

#include "results/review.hpp"

namespace rackwright::results {

/// The sized quantities of a candidate as figures with keys "candidate.racks", ….
[[nodiscard]] std::vector<topology::Figure> sized_figures(const Candidate& candidate,
                                                          std::string_view metric_label);

/// Every figure of every candidate with its leverage, most leverage first, ids P-001, P-002, ….
///
/// Leverage of a number is how far the winner's lead over that candidate (for the winner: over the
/// next) moves, as a share of the winner's metric, when the number moves over its 90 % interval and
/// all others stay. To first order, for the numbers the metric is a product of: relative width of
/// the interval times metric of the candidate over metric of the winner. Zero for all others.
[[nodiscard]] std::vector<ProvenanceEntry> list_provenance(const Review& review);

}  // namespace rackwright::results
