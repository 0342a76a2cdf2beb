#include "results/validation/score.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include <fmt/format.h>

#include "common/csv_reader.hpp"
#include "common/statistics.hpp"

namespace rackwright::results {

namespace {

using Rows = std::vector<const ValidationRow*>;

/// Rank of each value from 1; equal values share the mean of their ranks.
std::vector<double> ranks_of(const std::vector<double>& values) {
  std::vector<std::size_t> order(values.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return values[a] < values[b]; });
  std::vector<double> ranks(values.size());
  for (std::size_t first = 0; first < order.size();) {
    std::size_t last = first;
    while (last < order.size() && values[order[last]] == values[order[first]]) ++last;
    for (std::size_t i = first; i < last; ++i) {
      ranks[order[i]] = 0.5 * static_cast<double>(first + 1 + last);
    }
    first = last;
  }
  return ranks;
}

std::optional<double> spearman(const std::vector<double>& a, const std::vector<double>& b) {
  if (a.size() < 3) return std::nullopt;
  const auto ranks_a = ranks_of(a), ranks_b = ranks_of(b);
  const double mean_a = mean(ranks_a), mean_b = mean(ranks_b);
  double covariance = 0, variance_a = 0, variance_b = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    covariance += (ranks_a[i] - mean_a) * (ranks_b[i] - mean_b);
    variance_a += (ranks_a[i] - mean_a) * (ranks_a[i] - mean_a);
    variance_b += (ranks_b[i] - mean_b) * (ranks_b[i] - mean_b);
  }
  if (variance_a == 0 || variance_b == 0) return std::nullopt;
  return covariance / std::sqrt(variance_a * variance_b);
}

double ks_distance(std::vector<double> a, std::vector<double> b) {
  std::sort(a.begin(), a.end());
  std::sort(b.begin(), b.end());
  const auto count_a = static_cast<double>(a.size()), count_b = static_cast<double>(b.size());
  double largest = 0;
  for (std::size_t i = 0, j = 0; i < a.size() && j < b.size();) {
    const double value = std::min(a[i], b[j]);
    while (i < a.size() && a[i] == value) ++i;
    while (j < b.size() && b[j] == value) ++j;
    largest = std::max(
        largest, std::abs(static_cast<double>(i) / count_a - static_cast<double>(j) / count_b));
  }
  return largest;
}

ValidationScore score_of(std::string group, const Rows& rows) {
  ValidationScore result;
  result.group = std::move(group);
  result.rows = rows.size();
  if (rows.empty()) return result;
  std::vector<double> errors, signed_errors, measured, predicted, baselines, half_widths, absolute;
  double extrapolated = 0, covered = 0;
  for (const ValidationRow* row : rows) {
    const double error = (row->predicted - row->measured) / row->measured;
    errors.push_back(std::abs(error));
    absolute.push_back(std::abs(row->predicted - row->measured));
    signed_errors.push_back(error);
    measured.push_back(row->measured);
    predicted.push_back(row->predicted);
    if (std::isfinite(row->baseline)) {
      baselines.push_back(std::abs(row->baseline - row->measured) / row->measured);
    }
    if (row->predicted != 0) half_widths.push_back(0.5 * (row->high - row->low) / row->predicted);
    extrapolated += row->extrapolated ? 1 : 0;
    covered += row->low <= row->measured && row->measured <= row->high ? 1 : 0;
  }
  const auto count = static_cast<double>(rows.size());
  result.mape = mean(errors);
  result.p50 = quantile(errors, 0.5);
  result.p90 = quantile(errors, 0.9);
  result.bias = mean(signed_errors);
  result.mean_error = mean(absolute);
  result.p95_error = quantile(absolute, 0.95);
  result.ks_distance = ks_distance(measured, predicted);
  result.rank_correlation = spearman(measured, predicted);
  if (!baselines.empty()) result.baseline_mape = mean(baselines);
  result.extrapolated = extrapolated / count;
  result.covered = covered / count;
  if (!half_widths.empty()) result.half_width = quantile(half_widths, 0.5);
  return result;
}

}  // namespace

ValidationSummary score(std::span<const ValidationRow> rows) {
  ValidationSummary summary;
  Rows scored;
  std::map<std::string, Rows> groups;
  for (const ValidationRow& row : rows) {
    if (!row.excluded.empty()) {
      ++summary.excluded[row.excluded];
    } else if (!(row.measured > 0)) {
      ++summary.excluded["not positive"];
    } else {
      scored.push_back(&row);
      groups[row.group].push_back(&row);
    }
  }
  summary.all = score_of("all", scored);
  if (groups.size() > 1) {
    for (const auto& [name, members] : groups) summary.groups.push_back(score_of(name, members));
  }
  return summary;
}

std::string rows_csv(std::span<const ValidationRow> rows) {
  std::string text = "row,measured,predicted,unit,extrapolated,low,high\n";
  for (const ValidationRow& row : rows) {
    const bool predicted = row.excluded.empty() || row.predicted != 0;
    if (!predicted) continue;
    text +=
        fmt::format("{},{:.9g},{:.9g},{},{},{:.9g},{:.9g}\n", csv_cell(row.row), row.measured,
                    row.predicted, csv_cell(row.unit), row.extrapolated ? 1 : 0, row.low, row.high);
  }
  return text;
}

}  // namespace rackwright::results
