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

/// A calibrated profile that this device's predictions may come from, nearest first.
struct CalibrationSource {
  std::string profile;        ///< id in `kernels/devices/profiles`
  double relative_error = 0;  ///< added by the transfer, 90 % half-width; 0 for its own profile
  double latency_factor = 1;  ///< of collectives, against the source's
  /// By operation ("gemm", "all_reduce", …), where it is not `relative_error`.
  std::map<std::string, double> errors;
};

/// Data-sheet facts of one GPU. SI units: FLOP/s, B/s, B, W. Dense rates.
struct DeviceInfo {
  std::string id;    ///< "h100-sxm"
  std::string name;  ///< "H100 SXM 80 GB"
  std::string vendor;
  std::string architecture;  ///< "hopper"
  std::map<workloads::DataType, DeviceFact> peak_flops;
  /// Types the matrix units lack: weights are stored in them, products run in bf16.
  std::vector<workloads::DataType> weight_only;
  DeviceFact memory_bytes_per_s;
  DeviceFact memory_bytes;
  DeviceFact scale_up_bytes_per_s;   ///< per GPU, one direction
  DeviceFact scale_out_bytes_per_s;  ///< NIC per GPU, one direction
  DeviceFact tdp_w;                  ///< at module input
  DeviceFact idle_w;
  DeviceFact l2_bytes;
  DeviceFact multiprocessors;
  DeviceFact max_clock_hz;
  DeviceFact rated_clock_hz;          ///< the clock of the data-sheet peaks
  DeviceFact exponentials_per_clock;  ///< of one multiprocessor; softmax runs on them
  DeviceFact max_operating_c;
  DeviceFact sustained_bf16_flops;  ///< what large bf16 GEMMs hold at the power cap
  /// Two cards have no direct path: collectives are copied through host memory.
  bool stages_through_host = false;
  /// Names of this device in measured tables.
  std::vector<std::string> measured_as;
  std::vector<CalibrationSource> calibration;

  /// The facts the analytical backend cannot do without that are blank, as "fp8 dense FLOP/s".
  [[nodiscard]] std::vector<std::string> missing_for(workloads::DataType type) const;
  [[nodiscard]] bool is_weight_only(workloads::DataType type) const;
  /// FLOP/s that products with weights of `type` run at; nothing when blank.
  [[nodiscard]] std::optional<double> compute_flops(workloads::DataType type) const;
};

[[nodiscard]] DeviceInfo read_device(const std::filesystem::path& path);
/// Looks `id` up in `kernels/devices`.
[[nodiscard]] DeviceInfo find_device(std::string_view id, const DataLocator& data);

}  // namespace rackwright::kernels
