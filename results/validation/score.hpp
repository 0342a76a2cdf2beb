#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "results/validation/validation.hpp"

namespace rackwright::results {

/// How well a group of rows is predicted. Errors are |predicted - measured| / measured.
struct ValidationScore {
  std::string group;  ///< "all" for the total
  std::size_t rows = 0;
  double mape = 0;
  double p50 = 0;
  double p90 = 0;
  double bias = 0;                         ///< mean of (predicted - measured) / measured
  std::optional<double> rank_correlation;  ///< Spearman, mean ranks for ties; from three rows on
  std::optional<double> baseline_mape;     ///< of the rows that have a baseline
  double extrapolated = 0;                 ///< share of rows
  double covered = 0;                      ///< share of rows whose measurement is in the interval
  double half_width = 0;                   ///< median of (high - low) / 2 / predicted
  double mean_error = 0;                   ///< mean |predicted - measured|, in the rows' unit
  double p95_error = 0;                    ///< in the rows' unit
  /// Largest difference between the distributions of measured and predicted values
  /// (Kolmogorov-Smirnov, two samples).
  double ks_distance = 0;
};

struct ValidationSummary {
  ValidationScore all;
  std::vector<ValidationScore> groups;          ///< in the order of their names; none if only one
  std::map<std::string, std::size_t> excluded;  ///< rows by reason
};

/// Scores the rows that are not excluded. A measured value must be > 0 to be scored; others count
/// as excluded ("not positive").
[[nodiscard]] ValidationSummary score(std::span<const ValidationRow> rows);

/// `row,measured,predicted,unit,extrapolated,low,high` of every row that has a prediction, scored
/// or not, with a head.
[[nodiscard]] std::string rows_csv(std::span<const ValidationRow> rows);

}  // namespace rackwright::results
