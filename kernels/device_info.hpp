#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "common/data_locator.hpp"
#include "common/estimate.hpp"
#include "workloads/data_type.hpp"

namespace rackwright::kernels {

/// A data-sheet fact of `kernels/devices/*.json`. Blank stays blank.
struct DeviceFact {
  std::optional<double> value;
  std::optional<double> low, high;  ///< published range
  std::string source;
  std::string status;      ///< published, derived, estimated
  std::string confidence;  ///< high, medium, low
};

/// Data-sheet facts of one GPU. SI units: FLOP/s, B/s, B, W. Dense rates.
struct DeviceInfo {
  std::string id;            ///< "h100-sxm"
  std::string name;          ///< "H100 SXM 80 GB"
  std::string vendor;
  std::string architecture;  ///< "hopper": picks the source of a transferred calibration
  std::map<workloads::DataType, DeviceFact> peak_flops;
  DeviceFact memory_bytes_per_s;
  DeviceFact memory_bytes;
  DeviceFact scale_up_bytes_per_s;   ///< per GPU, one direction
  DeviceFact scale_out_bytes_per_s;  ///< NIC per GPU, one direction
  DeviceFact tdp_w;                  ///< at module input
  DeviceFact idle_w;
  DeviceFact l2_bytes;
  DeviceFact multiprocessors;
  DeviceFact max_clock_hz;
  DeviceFact max_operating_c;

  /// The facts the analytical backend cannot do without that are blank, as "fp8 dense FLOP/s".
  [[nodiscard]] std::vector<std::string> missing_for(workloads::DataType type) const;
};

[[nodiscard]] DeviceInfo read_device(const std::filesystem::path& path);
/// Looks `id` up in `kernels/devices`.
[[nodiscard]] DeviceInfo find_device(std::string_view id, const DataLocator& data);

}  // namespace rackwright::kernels
