#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "common/data_locator.hpp"
#include "kernels/analytical/device_profile.hpp"

namespace rackwright::results {

/// Formats of served models whose engines `calibrate_serving` fits: "aicfg-e2e", "splitwise",
/// "ml-energy".
[[nodiscard]] const std::vector<std::string>& serving_calibration_formats();

/// Engine models (overheads beside the kernels, by `fit_engine`) of measured tables: all rows
/// together, then each engine that has rows enough, in alphabetical order; of `ml-energy` also the
/// power of GPUs at a held batch (`served_power`). Times rest on the kernel profiles of `data`.
/// `device`: rows of this device only; "" takes all. `tables` is said in the provenance.
/// Throws InputError when a file is not of the format or has fewer than three rows for each
/// parameter that is searched.
[[nodiscard]] kernels::DeviceProfile calibrate_serving(
    std::string_view format, const std::vector<std::filesystem::path>& files,
    const std::string& device, const std::string& tables, const DataLocator& data);

}  // namespace rackwright::results
