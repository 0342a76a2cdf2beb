#pragma once

#include <filesystem>
#include <functional>
#include <span>
#include <string_view>
#include <vector>

#include "kernels/analytical/device_profile.hpp"
#include "kernels/calibration/measured_table.hpp"

namespace rackwright::kernels {

/// Fits every operator class that `tables` measure on `device` (rows whose device name is in
/// `DeviceInfo::measured_as`; a table without a device column belongs to the device its file name
/// says). Fit and held-out error, provenance and excluded rows stand in each model. Deterministic.
/// Throws InputError for an unreadable table, or when no row is of this device. `progress` (may be
/// empty) is told the class being fitted.
[[nodiscard]] DeviceProfile calibrate(const DeviceInfo& device,
                                      std::span<const std::filesystem::path> tables,
                                      const std::function<void(std::string_view)>& progress = {});

// One function per class; each returns no model when there is no row.
[[nodiscard]] std::vector<CalibratedModel> calibrate_gemm(const DeviceInfo& device,
                                                          const MeasuredSet& set);
[[nodiscard]] std::vector<CalibratedModel> calibrate_attention(const DeviceInfo& device,
                                                               const MeasuredSet& set);
[[nodiscard]] std::vector<CalibratedModel> calibrate_latent_attention(const DeviceInfo& device,
                                                                      const MeasuredSet& set);
[[nodiscard]] std::vector<CalibratedModel> calibrate_experts(const DeviceInfo& device,
                                                             const MeasuredSet& set);
[[nodiscard]] std::vector<CalibratedModel> calibrate_collectives(const MeasuredSet& set);
/// Expert exchange in normal or in low-latency mode.
[[nodiscard]] std::vector<CalibratedModel> calibrate_exchange(const DeviceInfo& device,
                                                              const MeasuredSet& set, bool normal);
[[nodiscard]] std::vector<CalibratedModel> calibrate_elementwise(const DeviceInfo& device,
                                                                 const MeasuredSet& set);
/// From all rows with watts, of whatever class.
[[nodiscard]] std::vector<CalibratedModel> calibrate_power(
    const DeviceInfo& device, const std::vector<const MeasuredSet*>& sets);

}  // namespace rackwright::kernels
