#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "common/estimate.hpp"
#include "results/review.hpp"

namespace rackwright::results {

/// A unit for people and the factor to it: W becomes kW from 1 kW and MW above 9 999 kW, "tok/s"
/// becomes "ktok/s" or "Mtok/s", "degC" becomes "°C", "1" becomes "%".
struct DisplayUnit {
  std::string unit;
  double factor = 1;
};
[[nodiscard]] DisplayUnit display_unit(double largest_value, std::string_view unit);
/// `estimate` in its display unit, chosen by its own value.
[[nodiscard]] Estimate for_display(const Estimate& estimate);
[[nodiscard]] Estimate in_unit(const Estimate& estimate, const DisplayUnit& unit);

/// "142.0" or "142.0 to 143.5": two ends in kW, once when they read alike.
[[nodiscard]] std::string kilowatt_range(double low_w, double high_w);

/// What the hover card and the provenance say beside the number itself.
struct NumberNote {
  std::string id;  ///< "P-014" or ""
  std::string label;
  std::string window;
  std::string basis;
};

/// How a number is set.
struct NumberStyle {
  bool glyph = false;      ///< origin before it
  bool unit = true;        ///< unit behind it
  bool half_width = true;  ///< ± behind it
  bool range = false;      ///< between bounds: "570 – 690"
  bool sign = false;       ///< "+" before positive values
};

/// Ids shared with review.json, by rack and figure key.
class NumberIds {
 public:
  explicit NumberIds(const Review& review);
  [[nodiscard]] std::string of(const std::string& rack, const std::string& key) const;

 private:
  std::map<std::pair<std::string, std::string>, std::string> ids_;
};

/// A span with value, ± and unit; interval, origin, boundary, window, basis and id in `data-*`.
/// Extrapolated values get the dotted underline. Numbers that are not finite come out blank.
[[nodiscard]] std::string number_html(const Estimate& estimate, const NumberNote& note = {},
                                      const NumberStyle& style = {});
/// Plain text of the same: "1.76 ± 0.12 Mtok/s".
[[nodiscard]] std::string number_text(const Estimate& estimate, const NumberStyle& style = {});
/// A whole number with thin spaces: "1 284".
[[nodiscard]] std::string count_text(double value);
/// "−3.2 %", with sign; three significant digits at most and never finer than 0.1 %.
[[nodiscard]] std::string percent_text(double share);

}  // namespace rackwright::results
