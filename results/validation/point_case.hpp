#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>

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
