#pragma once

#include <optional>
#include <string>
#include <vector>

#include "kernels/cuda/cuda_abi.h"

namespace rackwright::cli {

/// What `--backend` came to.
struct BackendChoice {
  std::string name;                         ///< "analytical", "cuda", "host"
  std::string reason;                       ///< "host: no GPU can be used: …", for people
  std::optional<RackwrightCudaDevice> gpu;  ///< with cuda: GPU 0, its copy rate measured
  std::vector<std::string> pci_bus_ids;     ///< with cuda: of all GPUs, as CUDA numbers them
};

/// `auto` takes cuda where a GPU can be used, else `otherwise`. `known`: what this command takes
/// beside auto. Throws InputError for another word and BackendUnavailable with the reason when
/// cuda is asked for and no GPU can be used.
[[nodiscard]] BackendChoice choose_backend(const std::string& asked,
                                           const std::vector<std::string>& known,
                                           const std::string& otherwise);

}  // namespace rackwright::cli
