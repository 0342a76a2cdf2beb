#pragma once

#include <string>
#include <vector>

namespace rackwright::topology {

/// Every kind of part of the catalogue, sorted. The evaluation looks parts up by id; the kind
/// groups lists and says which facts are expected (table in topology/README.md).
[[nodiscard]] const std::vector<std::string>& part_kinds();

}  // namespace rackwright::topology
