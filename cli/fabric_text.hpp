#pragma once

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
[[nodiscard]] nlohmann::ordered_json expectation_json(
    const topology::CollectiveExpectation& expectation);
[[nodiscard]] std::string expectation_text(const topology::CollectiveExpectation& expectation);

}  // namespace rackwright::cli
