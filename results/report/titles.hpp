#pragma once

#include <string>
#include <vector>

#include "results/review.hpp"

/// Section titles: findings built from results, one template per outcome. Plain text, not escaped.
namespace rackwright::results {

[[nodiscard]] std::string candidates_title(const Review& review);
/// Sentence below the candidate table: overlapping ranks, what carries no rank. "" when nothing.
[[nodiscard]] std::string candidates_remark(const Review& review);
[[nodiscard]] std::string elevation_title(const topology::RackEvaluation& evaluation);
[[nodiscard]] std::string timeline_title(const topology::RackEvaluation& evaluation);
[[nodiscard]] std::string limits_title(const std::vector<topology::Limit>& limits);
/// Sections 6 to 9, from the limits of a domain and the number of figures under its prefixes.
/// `topic` is "power chain", "cooling", "network and cabling", "service and mechanics".
[[nodiscard]] std::string domain_title(const std::string& topic,
                                       const std::vector<const topology::Limit*>& limits,
                                       std::size_t figures);
[[nodiscard]] std::string bom_title(const std::vector<topology::BomLine>& bom);
[[nodiscard]] std::string provenance_title(const std::vector<ProvenanceEntry>& entries);
[[nodiscard]] std::string requirements_title(std::size_t blanks, std::size_t deciding);

/// Share of the time in which a lane's maximum is above `value`: an upper bound of the true share,
/// because a column counts when only part of it is above.
[[nodiscard]] double share_above(const topology::TimelineLane& lane, double value);

}  // namespace rackwright::results
