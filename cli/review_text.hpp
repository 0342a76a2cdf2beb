#pragma once

#include <string>

#include "results/review.hpp"

namespace rackwright::cli {

/// Headline, reason and the table of candidates for a terminal.
[[nodiscard]] std::string review_text(const results::Review& review);
/// Figures, limits and requirements of one rack for a terminal.
[[nodiscard]] std::string evaluation_text(const topology::RackEvaluation& evaluation);
/// "Feasible after 2 changes".
[[nodiscard]] std::string verdict_text(results::Verdict verdict, int changes);

}  // namespace rackwright::cli
