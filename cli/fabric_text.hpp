#pragma once

#include <optional>
#include <string>

#include <nlohmann/json.hpp>

#include "topology/network/collective_expectation.hpp"
#include "topology/network/fabric.hpp"

/// How `fabric` prints what it counted.
namespace rackwright::cli {

[[nodiscard]] nlohmann::ordered_json counts_json(const topology::FabricDesign& design,
                                                 const topology::FabricCounts& counts);
[[nodiscard]] std::string counts_text(const topology::FabricDesign& design,
                                      const topology::FabricCounts& counts);
/// Shares of the NIC's rate.
struct RateSummary {
  double mean = 0, least = 0, median = 0, most = 0;
};

/// How traffic shares a fabric.
struct TrafficAnswer {
  std::string traffic, routing;
  std::size_t endpoints = 0, flows = 0;
  RateSummary share;
  std::optional<double> up_alone;    ///< of hashed flows: mean with the way down unlimited
  std::optional<double> first_hash;  ///< what the hash at the leaves is expected to leave
  int uplinks = 0;                   ///< of a leaf
  bool core = false;                 ///< spines hash again towards a core
  std::optional<double> whole;       ///< mean with nothing failed
};
[[nodiscard]] nlohmann::ordered_json traffic_json(const topology::FabricDesign& design,
                                                  const TrafficAnswer& answer);
[[nodiscard]] std::string traffic_text(const topology::FabricDesign& design,
                                       const TrafficAnswer& answer);

[[nodiscard]] nlohmann::ordered_json expectation_json(
    const topology::CollectiveExpectation& expectation);
[[nodiscard]] std::string expectation_text(const topology::CollectiveExpectation& expectation);

}  // namespace rackwright::cli
