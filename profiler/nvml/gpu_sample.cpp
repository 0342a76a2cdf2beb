#include "profiler/nvml/gpu_sample.hpp"

namespace rackwright::profiler::nvml {

const QuantityFacts& facts(Quantity quantity) {
  static constexpr std::array<QuantityFacts, kQuantityCount> kFacts = {{
      {"power_instant", "W"},
      {"power_average", "W"},
      {"module_power", "W"},
      {"memory_power", "W"},
      {"energy", "J"},
      {"temperature", "degC"},
      {"memory_temperature", "degC"},
      {"temperature_margin", "K"},
      {"sm_clock", "Hz"},
      {"memory_clock", "Hz"},
      {"throttle_reasons", "bits"},
      {"power_cap_time", "s"},
      {"nvlink_sent", "B"},
      {"nvlink_received", "B"},
      {"pcie_sent", "B"},
      {"pcie_received", "B"},
      {"tensor_active", "%"},
      {"dram_active", "%"},
      {"gpm_nvlink_sent", "B/s"},
      {"gpm_nvlink_received", "B/s"},
      {"gpm_pcie_sent", "B/s"},
      {"gpm_pcie_received", "B/s"},
  }};
  return kFacts[static_cast<std::size_t>(quantity)];
}

}  // namespace rackwright::profiler::nvml
