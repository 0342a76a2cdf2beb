#pragma once

#include <filesystem>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/data_locator.hpp"
#include "common/progress.hpp"

namespace rackwright::results {

/// One predicted quantity beside its measurement.
struct ValidationRow {
  std::string row;  ///< where it stands: "gemm.csv:12", with the quantity when a row holds several
  std::string group;  ///< rows scored together: "bf16", "prefill", "all_reduce 8 GPUs"
  double measured = 0;
  double predicted = 0;
  std::string unit;
  bool extrapolated = false;
  /// 90 % interval of the prediction.
  double low = 0;
  double high = 0;
  /// What the plain rule of thumb of the format says; NaN where it says nothing.
  double baseline = std::numeric_limits<double>::quiet_NaN();
  /// Why the row is listed but not scored: "faster than the L2-aware bound". "" is scored.
  std::string excluded;
};

struct ValidationRequest {
  std::vector<std::filesystem::path> paths;  ///< files; folders are already expanded
  std::string device;                        ///< id; "" when the rows name theirs
  std::string quantity;                      ///< one of the format's; never ""
  /// Kernel formats: predict with this device's calibration only, as if the table's own device had
  /// never been measured: the check of a transfer. "" uses what is shipped.
  std::string source;
};

/// A measured table the tool can be held against.
struct ValidationFormat {
  std::string_view name;                     ///< "aicfg-gemm"
  std::string_view summary;                  ///< "GEMM times and power, one row a shape"
  std::string_view baseline;                 ///< "roofline at 80 % of peak"
  std::string_view file_suffix;              ///< files taken from a folder: ".csv"
  std::vector<std::string_view> quantities;  ///< the first is the default: "time"
  bool needs_device = false;                 ///< rows do not name their device
  /// Predicts every row, in the order of the files. Throws InputError for a file that is not of the
  /// format.
  std::vector<ValidationRow> (*run)(const ValidationRequest& request, const DataLocator& data,
                                    const ProgressCallback& progress) = nullptr;
};

/// All formats, in the order of `validate --help`.
[[nodiscard]] const std::vector<ValidationFormat>& validation_formats();
/// Throws InputError for an unknown name, with the nearest known one.
[[nodiscard]] const ValidationFormat& find_validation_format(std::string_view name);

/// Files and, of folders, the files with the suffix of the format in the order of their names.
/// Throws InputError for a path that does not exist or a folder without such a file.
[[nodiscard]] std::vector<std::filesystem::path> expand_paths(
    std::span<const std::filesystem::path> paths, std::string_view suffix);

}  // namespace rackwright::results
