#pragma once

#include <string>

#include "topology/evaluation.hpp"

namespace rackwright::results {

/// The single-line diagram of a rack in its design envelope: feeds, whips, shelves or nodes' PSUs,
/// busbar and loads, each with load and limit in service and its worst margin over every single
/// failure. Stands alone (own fonts and colours). "" when the rack has no envelope.
[[nodiscard]] std::string single_line_svg(const topology::RackEvaluation& evaluation);

}  // namespace rackwright::results
