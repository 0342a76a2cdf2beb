#pragma once

#include <string>
#include <vector>

#include "results/report/number.hpp"
#include "results/review.hpp"

namespace rackwright::results {

/// Seven steps between two ends that are the same for every candidate of a review.
struct Ramp {
  double low = 0, high = 1;
  bool known = false;  ///< at least one value was there
  /// 1 … 7; values outside the ends take the end steps.
  [[nodiscard]] int step(double value) const;
};

/// What every section needs: the review, the ids of its numbers, and the scales that are common to
/// all candidates.
struct ReportContext {
  explicit ReportContext(const Review& r);

  const Review& review;
  NumberIds ids;
  /// The candidate the verdict speaks of: rank 1, else the one nearest to feasible; null without
  /// candidates.
  const Candidate* subject = nullptr;
  std::vector<const Candidate*> listed;    ///< in the table at once
  std::vector<const Candidate*> folded;    ///< in the folded table
  std::vector<const Candidate*> detailed;  ///< with sections 3 to 10; the subject first
  Ramp power_kw;                           ///< tray input
  Ramp hottest_c;                          ///< hottest part
  DisplayUnit metric_unit;
  double metric_high = 0;  ///< upper end of the largest interval, in `metric_unit`
};

/// A blank input and the racks that share it: same input, same solved value, same supplier.
struct BlankInput {
  topology::Requirement requirement;
  std::vector<std::string> racks;
};
/// Those that decide a verdict first, else in the order of the candidates.
[[nodiscard]] std::vector<BlankInput> blank_inputs(const Review& review);

/// True for the rank-1 candidate.
[[nodiscard]] bool has_winner(const Review& review);
/// Candidates that no ranked one beats in provisioned power, floor and tokens per joule at once.
[[nodiscard]] std::vector<const Candidate*> pareto_front(const Review& review);
/// The next larger of 1, 1.2, 1.4, 1.6, 2, 2.5, 3, 4, 5, 6, 7, 8, 10 times a power of ten.
[[nodiscard]] double nice_above(double value);
/// Grid steps of 1, 2 or 5 times a power of ten so that at most `most` lines fit between the ends.
[[nodiscard]] double nice_step(double span, int most);

/// The figure of a key, with its note, in HTML; "" when absent.
[[nodiscard]] std::string figure_html(const ReportContext& context, const Candidate& candidate,
                                      const std::string& key, const NumberStyle& style = {});

}  // namespace rackwright::results
