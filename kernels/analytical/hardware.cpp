#include "kernels/analytical/hardware.hpp"

#include <algorithm>

namespace rackwright::kernels {

using workloads::DataType;

Hardware hardware_of(const DeviceInfo& device) {
  Hardware hardware;
  for (std::size_t i = 0; i < kDataTypeCount; ++i) {
    const auto type = static_cast<DataType>(i);
    hardware.peak[i] = device.compute_flops(type).value_or(0);
    hardware.weight_only[i] = device.is_weight_only(type);
  }
  hardware.memory = device.memory_bytes_per_s.value.value_or(0);
  hardware.l2_bytes = device.l2_bytes.value.value_or(0);
  hardware.multiprocessors = device.multiprocessors.value.value_or(0);
  hardware.clock_hz = device.max_clock_hz.value.value_or(0);
  hardware.exponentials = device.exponentials_per_clock.value.value_or(0) *
                          hardware.multiprocessors * hardware.clock_hz;
  if (device.max_clock_hz.value && device.rated_clock_hz.value) {
    hardware.clock_ratio = std::max(1.0, *device.max_clock_hz.value / *device.rated_clock_hz.value);
  }
  hardware.link = device.scale_up_bytes_per_s.value.value_or(0);
  hardware.tdp_w = device.tdp_w.value.value_or(0);
  if (device.sustained_bf16_flops.value && hardware.peak_of(DataType::bf16) > 0) {
    hardware.sustained_share =
        std::min(1.0, *device.sustained_bf16_flops.value / hardware.peak_of(DataType::bf16));
  }
  return hardware;
}

}  // namespace rackwright::kernels
