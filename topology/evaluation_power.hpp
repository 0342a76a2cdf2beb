#pragma once

#include <functional>
#include <string>

#include "topology/evaluation_context.hpp"

namespace rackwright::topology {

/// Adds the smallest cap that clears `limit`: to the limit when violated, to +5 % when near. `load`
/// is the limit's load at a power of the rack; `condition` says when the cap holds, as " when feed
/// A is lost". With `nodes` the cap is worded per node.
void add_cap_remedy(const EvaluationContext& context, Limit& limit,
                    const std::function<double(const RackPower&)>& load,
                    const std::string& condition, int nodes);

/// Seconds that PSUs and batteries bridge against those needed, and the cold start.
void evaluate_power_start(EvaluationContext& context);

/// Whether a failure lowers the margin of its level at all.
[[nodiscard]] bool worse_than_in_service(const std::vector<FailureRow>& worst,
                                         const FailureRow& row);

}  // namespace rackwright::topology
