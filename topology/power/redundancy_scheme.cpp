#include "topology/power/redundancy_scheme.hpp"

#include <algorithm>
#include <numeric>
#include <regex>

namespace rackwright::topology {

namespace {

using Kind = RedundancyScheme::Kind;

double sum(const std::vector<double>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0);
}

double without_largest(std::vector<double> ratings, int spare) {
  std::sort(ratings.begin(), ratings.end());
  const auto keep = ratings.size() - std::min(ratings.size(), static_cast<std::size_t>(spare));
  return std::accumulate(ratings.begin(), ratings.begin() + static_cast<std::ptrdiff_t>(keep), 0.0);
}

}  // namespace

std::optional<RedundancyScheme> parse_redundancy(std::string_view text) {
  const std::string given(text);
  RedundancyScheme scheme;
  scheme.text = given;
  std::smatch match;
  static const std::regex counted(R"(^\s*(N|\d+)\s*\+\s*(N|\d+)\b(.*)$)", std::regex::icase);
  static const std::regex block(R"(^\s*block(-redundant|\s+redundant)?(\s+(?:N|\d+)\+(\d+))?\s*$)",
                                std::regex::icase);
  static const std::regex twice(R"(^\s*2N\b.*$)", std::regex::icase);
  static const std::regex distributed(R"(^\s*(3N/2|\d+ to make \d+|distributed)\s*$)",
                                      std::regex::icase);
  static const std::regex plain(R"(^\s*N\s*$)", std::regex::icase);
  static const std::regex in_shelf(R"(\bper shelf\b)", std::regex::icase);
  if (std::regex_match(given, match, block)) {
    scheme.kind = Kind::block;
    scheme.spare = match[3].matched ? std::stoi(match[3]) : 1;
  } else if (std::regex_match(given, distributed)) {
    scheme.kind = Kind::distributed;
    scheme.spare = 1;
  } else if (std::regex_match(given, twice)) {
    scheme.kind = Kind::half;
  } else if (std::regex_match(given, plain)) {
    scheme.kind = Kind::none;
  } else if (std::regex_match(given, match, counted)) {
    const std::string needed = match[1], spare = match[2], rest = match[3];
    if (spare == "N" || spare == "n" || needed == spare) {
      scheme.kind = Kind::half;
      if (needed == spare && spare != "N" && spare != "n") {
        scheme.needed = scheme.spare = std::stoi(needed);
      }
    } else {
      scheme.kind = std::stoi(spare) > 0 ? Kind::spare_units : Kind::none;
      scheme.spare = std::stoi(spare);
      if (needed != "N" && needed != "n") scheme.needed = std::stoi(needed);
    }
    // "5+1" counts the PSUs of one shelf or node; "N+1" those of the bus unless it says otherwise.
    scheme.per_shelf = scheme.needed > 0 || std::regex_search(rest, in_shelf);
  } else {
    return std::nullopt;
  }
  return scheme;
}

double usable_w(const RedundancyScheme& scheme, int shelves, int per_shelf, double unit_w) {
  const int units = shelves * per_shelf;
  switch (scheme.kind) {
    case Kind::none:
      return units * unit_w;
    case Kind::half:
      // The side that stays: whole shelves where there are several, else half the units.
      return (shelves > 1 ? shelves / 2 * per_shelf : units / 2) * unit_w;
    case Kind::spare_units:
    case Kind::distributed:
    case Kind::block:
      return std::max(0, units - scheme.spare * (scheme.per_shelf ? shelves : 1)) * unit_w;
  }
  return 0;
}

double usable_feeds_w(const RedundancyScheme& scheme, std::vector<double> ratings_w) {
  if (ratings_w.empty()) return 0;
  switch (scheme.kind) {
    case Kind::none:
      return sum(ratings_w);
    case Kind::half: {
      std::sort(ratings_w.begin(), ratings_w.end());
      const auto half = static_cast<std::ptrdiff_t>(ratings_w.size() / 2);
      return std::accumulate(ratings_w.begin(), ratings_w.begin() + half, 0.0);
    }
    case Kind::spare_units:
    case Kind::block:
      return without_largest(std::move(ratings_w), scheme.spare);
    case Kind::distributed:
      return without_largest(std::move(ratings_w), 1);
  }
  return 0;
}

}  // namespace rackwright::topology
