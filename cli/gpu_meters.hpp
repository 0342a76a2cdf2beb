#pragma once

#include <string>

#include "kernels/bench/bench_devices.hpp"

namespace rackwright::cli {

/// Clock and energy counter of GPU `index` by NVML. Without NVML, or where its GPU of that index is
/// not `name` (CUDA may number a part of them, or in another order), both return nothing.
[[nodiscard]] kernels::GpuMeters gpu_meters(unsigned index, const std::string& name);

}  // namespace rackwright::cli
