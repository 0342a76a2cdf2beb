#pragma once

#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "kernels/collectives/collective_bench.hpp"

namespace rackwright::cli {

/// One rank in the list of ranks.
struct RankPlace {
  int rank = 0;
  int pid = 0;
  std::string host;
  std::string device;
};

/// What the models say of one row.
struct CollectiveForecast {
  std::optional<double> seconds;  ///< of this operation on the stated topology
  double relative_error = 0;
  std::optional<double> bound_seconds;
  std::vector<std::string> reasons;             ///< why that is to be expected
  std::optional<double> engine_s, symmetric_s;  ///< all-reduce of engines, of NCCL's windows
  std::optional<double> exchange_s;             ///< DeepEP in place of an all-to-all
};

/// A table as nccl-tests prints it, readable by `import nccl-tests`; with forecasts, columns of
/// them and the reasons below.
[[nodiscard]] std::string collective_table(const std::vector<kernels::CollectiveRow>& rows,
                                           const std::vector<RankPlace>& ranks,
                                           const std::string& engine,
                                           const kernels::CollectiveSweep& sweep,
                                           const std::vector<CollectiveForecast>& forecasts);

/// As nccl-tests -J writes it, version 2, with `wire_bytes` beside each result.
[[nodiscard]] nlohmann::ordered_json collective_json(
    const std::vector<kernels::CollectiveRow>& rows, const std::vector<RankPlace>& ranks,
    const std::string& engine, const kernels::CollectiveSweep& sweep);

}  // namespace rackwright::cli
