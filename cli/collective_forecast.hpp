#pragma once

#include <functional>
#include <string>

#include "cli/collective_report.hpp"
#include "common/data_locator.hpp"

namespace rackwright::cli {

/// The topology that a bench is told it runs on.
struct StatedTopology {
  std::string device;                     ///< id; "": unknown, or that of the design
  std::string design;                     ///< id or file of a fabric; "": one scale-up domain
  int domain = 0;                         ///< GPUs that share NVLink; 0: of the design, else 8
  std::string moe_model = "deepseek-v3";  ///< whose tokens an exchange moves
};

/// Expected time by the calibrated model and the fabric, and how engines would do it. Returns null
/// when nothing is stated. Throws InputError: unknown device or design, more ranks than the domain
/// without a design.
using Forecaster = std::function<CollectiveForecast(const kernels::CollectiveRow&)>;
[[nodiscard]] Forecaster make_forecaster(const StatedTopology& topology, int ranks,
                                         const DataLocator& data);

}  // namespace rackwright::cli
