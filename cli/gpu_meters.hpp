#pragma once

#include <string>

#include "kernels/bench/bench_devices.hpp"

namespace rackwright::cli {

/// Clock and energy counter of the GPU at a PCI bus id, by NVML: CUDA may number a part of the
/// node's GPUs, or in another order. Without NVML, or where it knows no such GPU, both return
/// nothing.
[[nodiscard]] kernels::GpuMeters gpu_meters(const std::string& pci_bus_id,
                                            const std::string& library = "libnvidia-ml.so.1");

}  // namespace rackwright::cli
