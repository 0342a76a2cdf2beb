#pragma once

#include <string>

#include "results/review.hpp"

namespace rackwright::results {

/// The script and style that `results/report/web` builds; empty script: tables and SVG drawings
/// only.
struct ReportAssets {
  std::string script;
  std::string style;
};

/// One self-contained HTML file. Works without script.
[[nodiscard]] std::string render_report(const Review& review, const ReportAssets& assets);

}  // namespace rackwright::results
