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

/// GPU temperature in the design envelope against its throttle point, or what is blank of it.
void evaluate_module_temperature(EvaluationContext& context);

}  // namespace rackwright::topology
