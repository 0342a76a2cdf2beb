#pragma once

#include <string>
#include <vector>

#include "common/units.hpp"
#include "topology/rack_design.hpp"

namespace rackwright::topology {

/// A single failure of a power bus and the DC output that stays.
struct BusFailure {
  std::string unit;  ///< "none", "PSU", "shelf", "whip", "feed"
  std::string what;  ///< "feed A", "" without failure
  std::string feed;  ///< the feed concerned, "" otherwise
  double remaining_w = 0;
  int remaining_sources = 0;
};

/// DC output rating of all PSUs.
[[nodiscard]] double bus_rating_w(const PowerBus& bus);
/// No failure, then each worst single failure: the largest PSU; the largest shelf (buses of shelves
/// only); one whip of each feed that has several; each feed when there are two or more.
[[nodiscard]] std::vector<BusFailure> bus_failures(const PowerBus& bus,
                                                   const std::vector<Feed>& feeds);
/// True when the maker promises `failure` to be survived on this bus; running without failure is
/// always promised. A whip stands or falls with its feed's promise or its shelf's.
[[nodiscard]] bool is_promised(const PowerBus& bus, const BusFailure& failure);
/// The share of the bus's output that the sources of `feed` carry when all share by rating; with
/// `lost` they carry what that feed leaves.
[[nodiscard]] double feed_share(const PowerBus& bus, const std::string& feed,
                                const std::string& lost = "");

}  // namespace rackwright::topology
