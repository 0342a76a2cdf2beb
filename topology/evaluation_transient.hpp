#pragma once

#include <optional>
#include <string>

#include "topology/evaluation_context.hpp"

namespace rackwright::topology {

/// From a GPU's reading to the fluid that reaches it, per watt of the module.
struct ModuleResistance {
  Estimate k_per_w;
  std::string basis;
};
/// Of the rack file, else from a published rise of this device; nothing when both are blank.
[[nodiscard]] std::optional<ModuleResistance> module_resistance(const EvaluationContext& context);

/// How long cooling and power may be gone: the site's own figure, else the start of a generator.
struct CoolingGap {
  double seconds = 0;
  Origin origin = Origin::assumed;
  std::string basis;
};
[[nodiscard]] std::optional<CoolingGap> cooling_gap(const EvaluationContext& context);

/// Where the module lowers its clocks; nothing when blank.
[[nodiscard]] std::optional<double> module_limit_c(const EvaluationContext& context);

/// GPU temperature in the design envelope against its throttle point, or what is blank of it.
void evaluate_module_temperature(EvaluationContext& context);

}  // namespace rackwright::topology
