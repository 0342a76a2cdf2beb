#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace rackwright::cli {

/// One thing this machine has or lacks.
struct MachineCheck {
  std::string name;
  bool found = false;
  std::string detail;   ///< version, path, size, or why it is missing
  std::string without;  ///< what cannot be done without it; "" when found
  std::string remedy;   ///< how to get it; "" when found
};

/// CPU, memory, driver, NVML, CUDA, NCCL, MPI: by /proc, by opening libraries, by looking on PATH.
/// Changes nothing and needs no rights. `cuda_module` is asked for GPUs.
[[nodiscard]] std::vector<MachineCheck> check_machine(const std::filesystem::path& cuda_module);

/// A usable GPU is there.
[[nodiscard]] bool has_gpu(const std::vector<MachineCheck>& checks);

}  // namespace rackwright::cli
