#pragma once

#include "results/validation/validation.hpp"

namespace rackwright::results {

/// `cable-bom`: lines of published bills of material (case_id, system, item, connection, count,
/// erratum) against the counts of our fabrics and pods. A line whose system, item or size has no
/// rule is listed, not guessed; one with an erratum is listed with the figure that is right.
[[nodiscard]] ValidationFormat cable_bom_format();

}  // namespace rackwright::results
