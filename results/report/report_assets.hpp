#pragma once

#include <string>

#include "common/data_locator.hpp"
#include "results/report/report.hpp"

namespace rackwright::results {

struct LoadedAssets {
  ReportAssets assets;
  std::string warning;  ///< "" when charts are there
};

/// `report/report.css` and `report/report.js` of the data roots. A missing script is a warning: the
/// report then has tables and drawings only. Throws InputError when the style is missing.
[[nodiscard]] LoadedAssets load_report_assets(const DataLocator& data);

}  // namespace rackwright::results
