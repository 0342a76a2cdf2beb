#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "common/data_locator.hpp"
#include "kernels/analytical/value_grid.hpp"
#include "kernels/device_info.hpp"

namespace rackwright::kernels {

/// How well a model reproduces the rows it was fitted on and rows of groups it never saw.
/// Relative to the measurement.
struct FitQuality {
  std::size_t rows = 0;
  std::size_t excluded = 0;
  std::string excluded_because;
  double fit_mean = 0;       ///< mean |predicted / measured - 1| on the rows of the fit
  double held_out_mean = 0;  ///< the same with the row's group left out
  double held_out_median = 0;
  double held_out_p90 = 0;     ///< taken as the half-width of the 90 % interval
  std::string held_out_group;  ///< what was left out together: "every second m"
};

/// Where the rows came from.
struct Provenance {
  std::string tables;               ///< file names
  std::string software;             ///< kernel source and version
  std::string origin = "measured";  ///< measured, derived, assumed
};

/// Parameters of one operator class, and the residual ln(measured / modelled) on a grid. What the
/// parameters mean is said where the class is modelled (`kernels/analytical/*_model.hpp`).
struct CalibratedModel {
  std::string operation;  ///< "gemm", "attention_prefill", "all_reduce", …
  std::string variant;    ///< data type, head dimension or implementation
  int ranks = 0;          ///< of collectives
  std::map<std::string, double> parameters;
  ValueGrid residual;
  FitQuality quality;
  Provenance provenance;
  // Set when a device uses another device's model; not in the file.
  double transfer_error = 0;
  double link_ratio = 1;  ///< scale-up bandwidth against the source's
  double latency_factor = 1;
  std::string from;  ///< device the model was measured on
};

/// All calibrated models of one device. `kernels/devices/profiles/*.json`.
struct DeviceProfile {
  std::string device;
  std::vector<CalibratedModel> models;

  [[nodiscard]] const CalibratedModel* find(std::string_view operation, std::string_view variant,
                                            int ranks = 0) const;
};

[[nodiscard]] DeviceProfile read_profile(const std::filesystem::path& path);
/// Same profile, same bytes.
[[nodiscard]] std::string to_json(const DeviceProfile& profile);
/// Engine that a kernel source names: "vllm_flash_attn 0.22.0" is vllm's, "torch_flow 1.0.0" and
/// "TRTLLM" are TensorRT-LLM's ("trtllm"). "" when it names none.
[[nodiscard]] std::string engine_of(std::string_view software);

/// Which of the calibrated models are taken.
struct ProfileChoice {
  /// Kernels of one software: the profiles `ID.SOFTWARE` of all sources come before those of `ID`.
  /// "" is the current inference engines'.
  std::string software;
  /// Engine whose kernels ran ("vllm", "trtllm", "sglang"; see `engine_of`): attention and experts
  /// are taken from a source of that engine before a nearer device's of another.
  std::string engine;
  /// Only this source, as if nothing nearer had been measured: the check of a transfer.
  std::string only_source;
};
/// The models `device` is predicted with: its own where measured, the nearest source's for the
/// rest, marked with the error that the transfer adds. Throws InputError when a profile is missing.
[[nodiscard]] DeviceProfile find_profile(const DeviceInfo& device, const DataLocator& data,
                                         const ProfileChoice& choice = {});

}  // namespace rackwright::kernels
