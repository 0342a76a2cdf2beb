#include "results/report/number.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include <fmt/format.h>

#include "results/report/html.hpp"

namespace rackwright::results {

namespace {

constexpr std::string_view kThin = "\u2009";

bool finite(const Estimate& e) {
  return std::isfinite(e.value) && std::isfinite(e.low) && std::isfinite(e.high);
}

/// `value` with the digits that `like` shows.
std::string to_the_place_of(double value, const Estimate& like) {
  const double half = (like.high - like.low) / 2;
  Estimate shown = like;
  shown.value = value;
  shown.low = value - half;
  shown.high = value + half;
  return format_value(shown);
}

bool is_asymmetric(const Estimate& e) {
  const double half = (e.high - e.low) / 2;
  return half > 0 && std::abs((e.high + e.low) / 2 - e.value) > 0.15 * half;
}

bool is_count(std::string_view unit) {
  static constexpr std::array<std::string_view, 7> kCounts{"",     "count",    "racks", "GPUs",
                                                           "CDUs", "switches", "cables"};
  return std::find(kCounts.begin(), kCounts.end(), unit) != kCounts.end();
}

/// An interval wider than half the value on each side: rounded to its place the value would say
/// nothing ("0 ± 1"), so the ends are shown.
bool is_wide(const Estimate& e) {
  return (e.high - e.low) / 2 > 0.5 * std::abs(e.value);
}

std::string ends_text(const Estimate& e) {
  return fmt::format("{}{}–{}{}", format_significant(e.low, 2), kThin, kThin,
                     format_significant(e.high, 2));
}

struct Parts {
  std::string value, spread;
};

Parts parts_of(const Estimate& e, const NumberStyle& style) {
  if (style.range && e.has_interval() && !is_wide(e)) {
    return {fmt::format("{}{}–{}{}", to_the_place_of(e.low, e), kThin, kThin,
                        to_the_place_of(e.high, e)),
            ""};
  }
  if (!e.has_interval() && is_count(e.unit) && e.value == std::floor(e.value)) {
    return {count_text(e.value), ""};
  }
  if (is_wide(e)) {
    Parts parts{format_significant(e.value, 2), ""};
    if (style.sign && e.value > 0) parts.value.insert(0, "+");
    if (style.half_width) parts.spread = "(" + ends_text(e) + ")";
    return parts;
  }
  Parts parts{format_value(e), ""};
  if (style.sign && e.value > 0) parts.value.insert(0, "+");
  if (style.half_width && e.has_interval()) {
    parts.spread = is_asymmetric(e) ? fmt::format("({}{}–{}{})", to_the_place_of(e.low, e), kThin,
                                                  kThin, to_the_place_of(e.high, e))
                                    : "± " + format_half_width(e);
  }
  return parts;
}

void add_attribute(std::string& out, std::string_view name, std::string_view value) {
  if (!value.empty()) out += fmt::format(R"( data-{}="{}")", name, escape(value));
}

}  // namespace

std::string kilowatt_range(double low_w, double high_w) {
  const std::string low = fmt::format("{:.1f}", low_w * 1e-3);
  const std::string high = fmt::format("{:.1f}", high_w * 1e-3);
  return low == high ? low : low + " to " + high;
}

DisplayUnit display_unit(double largest, std::string_view unit) {
  const double size = std::abs(largest);
  for (const std::string_view base : {"W", "VA", "J", "W/s"}) {
    if (unit == base) {
      // 9 999 kW is the last figure in kW; the same steps for kVA, kJ and kW/s.
      if (size >= 9.9995e6) return {"M" + std::string(unit), 1e-6};
      if (size >= 1e3) return {"k" + std::string(unit), 1e-3};
      return {std::string(unit), 1};
    }
  }
  if (unit.substr(0, 5) == "tok/s" || unit.substr(0, 8) == "tokens/s") {
    const std::string rest(unit.substr(unit[3] == '/' ? 5 : 8));
    if (size >= 1e6) return {"Mtok/s" + rest, 1e-6};
    if (size >= 1e4) return {"ktok/s" + rest, 1e-3};
    return {"tok/s" + rest, 1};
  }
  if (unit == "degC" || unit == "C") return {"°C", 1};
  if (unit == "1" || unit == "ratio") return {"%", 100};
  if (unit == "m2") return {"m²", 1};
  if (unit == "m3/min") return {"m³/min", 1};
  if (unit == "m3/s") return {"m³/s", 1};
  if (unit == "Pa" && size >= 1e3) return {"kPa", 1e-3};
  if (unit == "s" && size < 1 && size > 0) return {"ms", 1e3};
  if (unit == "B/s" || unit == "bytes/s") return {"GB/s", 1e-9};
  if (unit == "count" || unit == "racks" || unit == "GPUs") return {"", 1};
  return {std::string(unit), 1};
}

Estimate in_unit(const Estimate& estimate, const DisplayUnit& unit) {
  return scaled(estimate, unit.factor, unit.unit);
}

Estimate for_display(const Estimate& estimate) {
  return in_unit(estimate, display_unit(estimate.value, estimate.unit));
}

NumberIds::NumberIds(const Review& review) {
  for (const ProvenanceEntry& entry : review.provenance) {
    ids_.emplace(std::pair(entry.rack, entry.figure.key), entry.id);
  }
}

std::string NumberIds::of(const std::string& rack, const std::string& key) const {
  const auto found = ids_.find({rack, key});
  return found == ids_.end() ? "" : found->second;
}

std::string number_html(const Estimate& estimate, const NumberNote& note,
                        const NumberStyle& style) {
  if (!finite(estimate)) return blank_box();
  const Parts parts = parts_of(estimate, style);
  std::string out = fmt::format(R"(<span class="n{}")", estimate.extrapolated ? " x" : "");
  add_attribute(out, "origin", to_string(estimate.origin));
  if (estimate.has_interval()) {
    out += fmt::format(R"( data-interval="{}")",
                       is_wide(estimate)
                           ? ends_text(estimate)
                           : fmt::format("{}{}–{}{}", to_the_place_of(estimate.low, estimate),
                                         kThin, kThin, to_the_place_of(estimate.high, estimate)));
  }
  add_attribute(out, "unit", estimate.unit);
  add_attribute(out, "boundary", estimate.boundary);
  add_attribute(out, "label", note.label);
  add_attribute(out, "window", note.window);
  add_attribute(out, "basis", note.basis);
  add_attribute(out, "id", note.id);
  out += ">";
  if (style.glyph) out += origin_glyph(estimate.origin) + " ";
  out += fmt::format("<span class=\"u\"><b>{}</b>", parts.value);
  if (!parts.spread.empty()) out += fmt::format(" <i>{}</i>", parts.spread);
  out += "</span>";
  if (style.unit && !estimate.unit.empty()) {
    out += fmt::format(" <small>{}</small>", escape(estimate.unit));
  }
  return out + "</span>";
}

std::string number_text(const Estimate& estimate, const NumberStyle& style) {
  if (!finite(estimate)) return "blank";
  const Parts parts = parts_of(estimate, style);
  std::string out = parts.value;
  if (!parts.spread.empty()) out += " " + parts.spread;
  if (style.unit && !estimate.unit.empty()) out += " " + estimate.unit;
  return out;
}

std::string count_text(double value) {
  std::string digits = fmt::format("{:.0f}", std::abs(value));
  for (std::size_t i = digits.size(); i > 3; i -= 3) digits.insert(i - 3, kThin);
  return value < -0.5 ? "\u2212" + digits : digits;
}

std::string percent_text(double share) {
  const double percent = share * 100;
  const int decimals = std::abs(percent) < 99.95 ? 1 : 0;
  std::string text = fmt::format("{:.{}f}", std::abs(percent), decimals);
  const bool zero = text.find_first_not_of("0.") == std::string::npos;
  if (!zero) text.insert(0, percent < 0 ? "\u2212" : "+");
  return text + " %";
}

}  // namespace rackwright::results
