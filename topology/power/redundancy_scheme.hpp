#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rackwright::topology {

/// Redundancy as makers print it: `needed` units carry the load, `spare` may be lost. "N" has no
/// spare; "N+1", "5+1", "4+2" count units; "N+N", "2N", "3+3" keep a half; "3N/2" ("3 to make 2",
/// distributed) and "block" (a reserve block that stands idle) are of feeds.
struct RedundancyScheme {
  enum class Kind { none, spare_units, half, distributed, block };
  Kind kind = Kind::none;
  int needed = 0;          ///< of "5+1"; 0 where the text says N
  int spare = 0;           ///< units; of `half`: all of one side
  bool per_shelf = false;  ///< the spare is one in every shelf, not one on the bus
  std::string text;
};

/// Reads "N", "N+1", "N+1 per shelf", "N+1 per bus", "N+N", "2N", "4+2", "5+1", "3+3 Titanium",
/// "3N/2", "block N+1", "block 4+1". Nothing for another text.
[[nodiscard]] std::optional<RedundancyScheme> parse_redundancy(std::string_view text);

/// What equal units of `unit_w`, `shelves` of `per_shelf` units each, carry with the scheme kept:
/// N+1 per bus 17 x 5.5 kW of three shelves of six, per shelf 15 x 5.5 kW, 4+2 any four of six.
[[nodiscard]] double usable_w(const RedundancyScheme& scheme, int shelves, int per_shelf,
                              double unit_w);

/// What feeds of these ratings carry with the scheme kept. none: all. half: the smaller half is
/// kept in reserve. spare_units and block: without the largest `spare`. distributed ("n to make
/// n - 1"): each feed is loaded so that the others take it up.
[[nodiscard]] double usable_feeds_w(const RedundancyScheme& scheme, std::vector<double> ratings_w);

}  // namespace rackwright::topology
