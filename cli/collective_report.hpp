#pragma once

#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "kernels/collectives/collective_bench.hpp"
#include "topology/network/collective_forecast.hpp"

namespace rackwright::cli {

/// One rank in the list of ranks.
struct RankPlace {
  int rank = 0;
  int pid = 0;
  std::string host;
  std::string device;
};

/// A table as nccl-tests prints it, readable by `import nccl-tests`; with forecasts, columns of
/// them and the reasons below.
[[nodiscard]] std::string collective_table(
    const std::vector<kernels::CollectiveRow>& rows, const std::vector<RankPlace>& ranks,
    const std::string& engine, const kernels::CollectiveSweep& sweep,
    const std::vector<topology::CollectiveForecast>& forecasts);

/// As nccl-tests -J writes it, version 2, with `wire_bytes` beside each result.
[[nodiscard]] nlohmann::ordered_json collective_json(
    const std::vector<kernels::CollectiveRow>& rows, const std::vector<RankPlace>& ranks,
    const std::string& engine, const kernels::CollectiveSweep& sweep);

}  // namespace rackwright::cli
