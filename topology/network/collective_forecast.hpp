#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "common/data_locator.hpp"
#include "kernels/collectives/collective_bench.hpp"
#include "workloads/operator.hpp"

namespace rackwright::topology {

/// The topology that a bench is told it runs on.
struct StatedTopology {
  std::string device;                     ///< id; "": unknown, or that of the design
  std::string design;                     ///< id or file of a fabric; "": one scale-up domain
  int domain = 0;                         ///< GPUs that share NVLink; 0: of the design, else 8
  std::string moe_model = "deepseek-v3";  ///< whose tokens an exchange moves
  /// Who does an all-reduce: the calibrated table that is asked.
  workloads::AllReduceKind all_reduce = workloads::AllReduceKind::nccl;
};

/// What the models say of one row.
struct CollectiveForecast {
  std::optional<double> seconds;  ///< of this operation on the stated topology
  double relative_error = 0;
  std::optional<double> bound_seconds;
  std::vector<std::string> reasons;             ///< why that is to be expected
  std::optional<double> engine_s, symmetric_s;  ///< all-reduce of engines, of NCCL's windows
  std::optional<double> nccl_s;                 ///< where `seconds` is of one of those
  std::optional<double> exchange_s;             ///< DeepEP in place of an all-to-all
};

/// Expected time by the calibrated model and the fabric, and how engines would do it. Returns null
/// when nothing is stated. Throws InputError: unknown device or design, more ranks than the domain
/// without a design.
using Forecaster = std::function<CollectiveForecast(const kernels::CollectiveRow&)>;
[[nodiscard]] Forecaster make_forecaster(const StatedTopology& stated, int ranks,
                                         const DataLocator& data);

}  // namespace rackwright::topology
