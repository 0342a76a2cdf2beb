#pragma once

#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "common/csv_reader.hpp"
#include "results/validation/validation.hpp"
#include "topology/catalog.hpp"

namespace rackwright::results {

/// What the tool says to one published point, or why it says nothing.
struct PointAnswer {
  double value = 0;
  double low = 0;  ///< 90 % interval
  double high = 0;
  bool extrapolated = false;
  std::string excluded;

  [[nodiscard]] static PointAnswer none(std::string reason);
  /// `value` -/+ `relative` of it.
  [[nodiscard]] static PointAnswer about(double value, double relative);
};

/// A table of points, one a row, named by `case_id`.
struct PointTable {
  std::vector<std::string> columns;  ///< that must be there besides case_id and unit
  std::string value;                 ///< column of the published number
  std::string group;                 ///< column by which rows are scored together
  std::function<PointAnswer(const CsvReader& row)> answer;
};
/// Asks for every row that prints a number; the others are listed with the reason.
[[nodiscard]] std::vector<ValidationRow> answer_points(const ValidationRequest& request,
                                                       const PointTable& table);

/// Lower-case words of a text: runs of letters and digits.
[[nodiscard]] std::set<std::string> words_of(std::string_view text);

/// The part with a fact whose key starts with `fact` and whose id has most words, all of them among
/// `words`; null when none has.
[[nodiscard]] const topology::Part* part_in(const topology::Catalog& catalog,
                                            const std::set<std::string>& words,
                                            std::string_view fact);

/// The value of a fact; nothing when blank.
[[nodiscard]] std::optional<double> value_of(const topology::Part& part, const std::string& fact);

/// The number that follows `prefix` in a text: 4 of "DGX H100 rack of 4" for "rack of".
[[nodiscard]] std::optional<double> number_after(std::string_view text, std::string_view prefix);

}  // namespace rackwright::results
