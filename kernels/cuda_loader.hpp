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

/// What the loader asks of an opened module. Both return 0, or a CUDA error code with the failed
/// call, its error and the remedy in `message` (`cuda::describe`).
class DeviceQueries {
 public:
  virtual ~DeviceQueries() = default;
  virtual int count_devices(int& count, std::string& message) = 0;
  virtual int probe_device(int device, RackwrightCudaDevice& info, std::string& message) = 0;
};

/// Asks an opened module for its devices. A failed call ends it with `reason`; devices before it
/// are kept.
[[nodiscard]] CudaProbe probe_devices(DeviceQueries& module);

/// Opens the module at run time and asks it for devices, which measures the memory rate of each
/// (about 0.1 s a device). A module of another ABI number is refused.
[[nodiscard]] CudaProbe probe_cuda(const std::filesystem::path& module);

}  // namespace rackwright::kernels
