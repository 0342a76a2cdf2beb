#pragma once

#include <optional>
#include <string>

#include <nlohmann/json.hpp>

namespace rackwright::results {

struct RequirementsOptions {
  double guard_band = 0.05;  ///< least share over the value where its interval says less
  int racks = 8;             ///< of the row
  std::string file;          ///< for messages
  std::string previous_file;
};

/// Budgets for a manufacturer from an evaluation document: per component, tray, rack and row, each
/// with its value, guard band and budget; the blank inputs with the value each must reach; what
/// carries over from `previous`. Budgets follow the design envelope and published facts only: no
/// trace, no load case of a trace, no service figure, no workload, no path, and nothing that
/// carries "private": true or whose source says private or confidential. Throws InputError when a
/// document is not an evaluation.
[[nodiscard]] nlohmann::ordered_json to_requirements(
    const nlohmann::ordered_json& evaluation, const std::optional<nlohmann::ordered_json>& previous,
    const RequirementsOptions& options);

}  // namespace rackwright::results
