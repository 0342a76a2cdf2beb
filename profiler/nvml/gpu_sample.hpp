#pragma once

#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace rackwright::profiler::nvml {

/// What is sampled. Scopes are never mixed: GPU, module (CPU, GPU and memory of a superchip) and
/// memory power stand side by side.
enum class Quantity : std::uint8_t {
  power_instant,  ///< W, GPU scope
  power_average,  ///< W, GPU scope, mean over the driver's window
  module_power,   ///< W
  memory_power,   ///< W, average
  energy,         ///< J since the driver was loaded
  temperature,    ///< degC
  memory_temperature,
  temperature_margin,  ///< K left to the slowdown limit
  sm_clock,            ///< Hz
  memory_clock,
  throttle_reasons,  ///< bits as NVML defines them
  power_cap_time,    ///< s held down by the software power cap, cumulative: misses no short event
  nvlink_sent,       ///< B, cumulative, all links
  nvlink_received,
  pcie_sent,  ///< B, cumulative
  pcie_received,
  tensor_active,  ///< %, GPM
  dram_active,
  gpm_nvlink_sent,  ///< B/s, GPM
  gpm_nvlink_received,
  gpm_pcie_sent,
  gpm_pcie_received
};
inline constexpr std::size_t kQuantityCount = 22;

/// Name and SI unit as in the run file's `counters`.
struct QuantityFacts {
  std::string_view name, unit;
};
[[nodiscard]] const QuantityFacts& facts(Quantity quantity);

/// One GPU at one time. NaN where the GPU does not say.
struct GpuSample {
  std::int64_t time_us = 0;  ///< CLOCK_REALTIME; the driver's own stamp where it gives one
  std::uint32_t gpu = 0;
  std::array<double, kQuantityCount> values = blank();

  [[nodiscard]] double operator[](Quantity q) const { return values[static_cast<std::size_t>(q)]; }
  double& operator[](Quantity q) { return values[static_cast<std::size_t>(q)]; }
  [[nodiscard]] bool has(Quantity q) const { return !std::isnan((*this)[q]); }

  [[nodiscard]] static std::array<double, kQuantityCount> blank() {
    std::array<double, kQuantityCount> values{};
    values.fill(std::numeric_limits<double>::quiet_NaN());
    return values;
  }
};

/// Where a GPU sits, as far as it says itself; strings empty and numbers absent where it does not.
struct GpuPlace {
  std::string chassis_serial;
  std::optional<int> slot;  ///< counts switch trays too
  std::optional<int> tray;  ///< compute trays only
  std::optional<int> host;
  std::optional<int> module;
  std::string cluster_uuid;  ///< with the clique: the NVLink domain
  std::optional<unsigned> clique;
};

/// What does not change during a run.
struct GpuIdentity {
  std::string name, uuid, pci_bus_id;
  std::string compute_capability;  ///< "9.0"
  GpuPlace place;
  bool mig = false;
  std::optional<bool> persistence;
  std::optional<double> power_limit_w;
  /// Field number and value of what limits temperature (193 to 196) and shapes power (smoothing 251
  /// to 268, EDPp 274; drivers before 575 number these otherwise).
  std::vector<std::pair<unsigned, double>> settings;
};

}  // namespace rackwright::profiler::nvml
