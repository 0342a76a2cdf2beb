#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "kernels/cuda/cuda_abi.h"

namespace rackwright::kernels {

/// What the CUDA module says of this machine. Nothing here throws: no module, no driver and no GPU
/// are normal, and `reason` says which and what to do.
struct CudaProbe {
  bool module_opened = false;
  std::string reason;  ///< why there is no usable GPU; "" when there is one
  std::vector<RackwrightCudaDevice> devices;
};

/// `../lib/rackwright/rackwright_cuda.so` beside the executable.
[[nodiscard]] std::filesystem::path cuda_module_path();

/// Opens the module at run time and asks it for devices; measures the memory rate of each when
/// `measure` is true (about 0.1 s a device). A module of another ABI number is refused.
[[nodiscard]] CudaProbe probe_cuda(const std::filesystem::path& module, bool measure);

}  // namespace rackwright::kernels
