#pragma once

#include <string>
#include <string_view>

#include "workloads/serving_plan.hpp"

namespace rackwright::profiler {

/// A plan as JSON text with the keys of a workload file; read back by `plan_from_json`.
[[nodiscard]] std::string plan_to_json(const workloads::ServingPlan& plan);
/// `name` stands for the source in messages. Throws InputError.
[[nodiscard]] workloads::ServingPlan plan_from_json(std::string_view text, std::string name);

}  // namespace rackwright::profiler
