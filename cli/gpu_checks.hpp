#pragma once

#include <vector>

#include "cli/machine_checks.hpp"

namespace rackwright::cli {

/// What NVML says of the node: its features, MIG, persistence, clocks, peer access, fabric daemon.
void add_nvml_checks(std::vector<MachineCheck>& checks, const MachineView& view);
/// Who may read performance counters, and who holds them.
void add_counter_checks(std::vector<MachineCheck>& checks, const MachineView& view);

}  // namespace rackwright::cli
