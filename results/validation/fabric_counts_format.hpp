#pragma once

#include "results/validation/validation.hpp"

namespace rackwright::results {

/// Rows of published fabric tables, one quantity at a time: switches per tier, cables between them,
/// GPUs. `validate fabric-counts`.
[[nodiscard]] ValidationFormat fabric_counts_format();

}  // namespace rackwright::results
