#pragma once

#include <string>
#include <vector>

#include "cli/machine_checks.hpp"

namespace rackwright::cli {

/// What NVML says of the node: its features, MIG, persistence, clocks, peer access, fabric daemon.
void add_nvml_checks(std::vector<MachineCheck>& checks, const MachineView& view);
/// Why a run is refused when one of the GPUs at these PCI bus ids is split by MIG, with the remedy;
/// "" where none is, or where NVML does not say.
[[nodiscard]] std::string mig_refusal(const std::vector<std::string>& pci_bus_ids,
                                      const std::string& library = "libnvidia-ml.so.1");
/// Who may read performance counters, and who holds them.
void add_counter_checks(std::vector<MachineCheck>& checks, const MachineView& view);

}  // namespace rackwright::cli
