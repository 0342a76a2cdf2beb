#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "results/review.hpp"

namespace rackwright::results {

/// A quantity candidates can be ranked by.
struct RankMetric {
  std::string_view key;
  std::string_view label;  ///< "output tokens per second per provisioned MW"
  std::string_view lead;   ///< "more … than" without the last word: "fewer racks"
  bool higher_is_better = true;
  std::optional<Estimate> Candidate::*value;
};

/// All metrics, the default first.
[[nodiscard]] const std::vector<RankMetric>& all_rank_metrics();
/// Throws InputError for an unknown key, with the nearest known one.
[[nodiscard]] const RankMetric& find_rank_metric(std::string_view key);

/// How a candidate is judged: by promised limits and deciding blanks alone, not by its service.
struct Judgement {
  Verdict verdict = Verdict::undecided;
  /// The smallest changes that clear every violated promised limit, tightest first. One change may
  /// clear several limits: remedies that differ only in their numbers or in the name of the failed
  /// unit are one change, and the one of the worst limit is kept, without its effect. Empty when a
  /// violated limit has no remedy.
  std::vector<std::string> changes;
};
/// Not feasible: a violated promised limit has no remedy that brings its margin to zero or more.
/// Undecided: none is so, but service is unknown or a blank decides. Otherwise feasible, as it is
/// or after changes.
[[nodiscard]] Judgement judge(const topology::RackEvaluation& evaluation);

/// True for verdicts that carry a rank.
[[nodiscard]] bool can_be_ranked(Verdict verdict);

/// Orders candidates (ranked first, then not feasible by worst margin, then undecided) and gives
/// ranks by `Candidate::metric`. A candidate that cannot be told apart from the first of a rank
/// (`compare`) shares the rank; the next rank counts on (1, 1, 3). Ties of value keep the order of
/// the ids.
void rank_candidates(std::vector<Candidate>& candidates, bool higher_is_better);

}  // namespace rackwright::results
