#pragma once

#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "topology/cabling/as_built.hpp"
#include "topology/cabling/cable_load.hpp"
#include "topology/cabling/cable_totals.hpp"
#include "topology/cabling/port_check.hpp"

namespace rackwright::cli {

/// A plan with what follows from it.
struct CablingResult {
  topology::CablePlan plan;
  topology::CableLoads loads;
  topology::CableTotals totals;
  topology::PortCheck ports;
  int nodes = 0;
  int collectives = 1;  ///< small all-reduces over all nodes in a step, one after the other
  [[nodiscard]] double step_cable_time_s() const {
    return collectives * topology::tree_cable_time_s(nodes, totals.latency.across_max_s());
  }
};

[[nodiscard]] std::string cabling_text(const CablingResult& result, const std::string& title);
[[nodiscard]] nlohmann::ordered_json cabling_json(const CablingResult& result);
/// One row a layout: metres, media, cost, power, weight, latency.
[[nodiscard]] std::string layouts_text(const std::vector<CablingResult>& results,
                                       const std::string& title);

/// Faults by rack, tray and port.
[[nodiscard]] std::string as_built_text(const topology::AsBuiltCheck& check,
                                        const std::string& list);
[[nodiscard]] nlohmann::ordered_json as_built_json(const topology::AsBuiltCheck& check);

}  // namespace rackwright::cli
