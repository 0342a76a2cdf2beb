#include <algorithm>
#include <cmath>
#include <map>

#include <fmt/format.h>

#include "results/report/html.hpp"
#include "results/report/sections.hpp"
#include "results/report/titles.hpp"

namespace rackwright::results {

namespace {

using topology::RackDesign;
using topology::Slot;
using topology::TrayState;

constexpr double kPixelsPerUnit = 15;  // of the smallest pitch, as small as tray text allows
constexpr double kTop = 26, kGap = 78;

/// One scale for both axes: px per mm.
struct Scale {
  double unit_mm = 44.45;
  double per_mm = kPixelsPerUnit / 44.45;
  [[nodiscard]] double mm(double millimetres) const { return millimetres * per_mm; }
  [[nodiscard]] double units(double n) const { return mm(n * unit_mm); }
};

Scale scale_of(const RackDesign& design) {
  Scale scale;
  // EIA-310 rack unit, Open Rack v3 unit.
  scale.unit_mm = design.envelope.pitch == topology::UnitPitch::rack_unit ? 44.45 : 48.0;
  return scale;
}

enum class Layer { power, thermal };

const TrayState* tray_of(const Candidate& c, const std::string& slot) {
  for (const TrayState& tray : c.evaluation.trays) {
    if (tray.slot == slot) return &tray;
  }
  return nullptr;
}

/// Fill class and the number in the tray.
std::pair<std::string, std::string> paint(const ReportContext& context, const TrayState* tray,
                                          const Slot& slot, Layer layer) {
  if (slot.group == "blank") return {"panel", ""};
  if (tray == nullptr) return {"unknown", ""};
  if (layer == Layer::thermal) {
    if (!tray->hottest_c) return {"unknown", ""};
    return {fmt::format("h{}", context.hottest_c.step(*tray->hottest_c)),
            fmt::format("{:.0f}", *tray->hottest_c)};
  }
  if (tray->rating_w > 0) return {"source", format_significant(tray->power_w / 1e3, 3)};
  if (!(tray->power_w > 0)) return {"unknown", ""};
  return {fmt::format("p{}", context.power_kw.step(tray->power_w / 1e3)),
          format_significant(tray->power_w / 1e3, 2)};
}

struct Frame {
  double x = 0, width = 0, opening_x = 0, opening = 0, height = 0;
};

std::string frame_svg(const Frame& f, const Scale& scale, int units) {
  std::string svg = fmt::format(
      "<rect class=\"frame\" x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\"/>"
      "<rect class=\"bay\" x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\"/>",
      f.x, kTop - 8, f.width, f.height + 16, f.opening_x, kTop, f.opening, f.height);
  for (int u = 1; u <= units; ++u) {
    const double y = kTop + f.height - scale.units(u);
    svg += fmt::format("<path class=\"slotline\" d=\"M{:.1f} {:.2f}h{:.1f}\"/>", f.opening_x, y,
                       f.opening);
    if (u % 2 == 0 || u == 1 || u == units) {
      svg += fmt::format("<text class=\"e unit\" x=\"{:.1f}\" y=\"{:.2f}\">{}</text>", f.x - 6,
                         y + scale.units(0.5) + 3.5, u);
    }
  }
  return svg;
}

std::string tray_svg(const ReportContext& context, const Candidate& c, const Frame& f,
                     const Scale& scale, const Slot& slot, Layer layer) {
  const TrayState* tray = tray_of(c, slot.id);
  const auto [fill, value] = paint(context, tray, slot, layer);
  const double h = scale.units(slot.height);
  const double y = kTop + f.height - scale.units(slot.unit - 1 + slot.height);
  std::string title = slot.id + ", " + slot.part;
  if (tray != nullptr && tray->power_w > 0) {
    title += ", " + format_significant(tray->power_w / 1e3, 3) + " kW";
  }
  if (tray != nullptr && tray->hottest_c) {
    title += fmt::format(", {} {:.1f} °C", tray->hottest_part, *tray->hottest_c);
  }
  std::string svg = fmt::format(
      "<g class=\"tray\" tabindex=\"-1\" data-slot=\"{}\"><title>{}</title>"
      "<rect class=\"{}\" x=\"{:.1f}\" y=\"{:.2f}\" width=\"{:.1f}\" height=\"{:.2f}\"/>",
      escape(slot.id), escape(title), fill, f.opening_x, y + 0.5, f.opening, h - 1);
  if (slot.group != "blank" && h >= 12) {
    const std::string ink = fill.size() == 2 ? "i" + fill : "ink";
    svg += fmt::format(
        "<text class=\"tr {0}\" x=\"{1:.1f}\" y=\"{2:.2f}\">{3}</text>"
        "<text class=\"tr e {0}\" x=\"{4:.1f}\" y=\"{2:.2f}\">{5}</text>",
        ink, f.opening_x + 5, y + h / 2 + 3.7, escape(shortened(slot.id, 14)),
        f.opening_x + f.opening - 5, value);
  }
  return svg + "</g>";
}

/// Consecutive slots of one part: "10 compute trays, 6.9 kW each · 69.0 kW".
struct Run {
  double low = 0, high = 0;  ///< units
  std::string part;
  int count = 0;
  double watts = 0;
  bool source = false;
  double rating_w = 0;
};

std::vector<Run> runs_of(const Candidate& c) {
  std::vector<const Slot*> sorted;
  for (const Slot& slot : c.design.slots) {
    if (slot.face == topology::Face::front && slot.group != "blank") sorted.push_back(&slot);
  }
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const Slot* a, const Slot* b) { return a->unit < b->unit; });
  std::vector<Run> runs;
  for (const Slot* slot : sorted) {
    const TrayState* tray = tray_of(c, slot->id);
    if (runs.empty() || runs.back().part != slot->part || slot->unit - 1 > runs.back().high + 0.01) {
      runs.push_back({slot->unit - 1, 0, slot->part, 0, 0, false, 0});
    }
    Run& run = runs.back();
    ++run.count;
    if (tray != nullptr) {
      run.watts += tray->power_w;
      run.source = tray->rating_w > 0;
      run.rating_w = tray->rating_w;
    }
    run.high = slot->unit + slot->height - 1;
  }
  return runs;
}

std::string brackets(const Candidate& c, const Frame& f, const Scale& scale) {
  std::string svg;
  const double x = f.x + f.width + 8;
  double next_free = -1e9;
  auto runs = runs_of(c);
  std::reverse(runs.begin(), runs.end());  // from the top
  for (const Run& run : runs) {
    const double top = kTop + f.height - scale.units(run.high);
    const double bottom = kTop + f.height - scale.units(run.low);
    svg += fmt::format("<path class=\"bracket\" d=\"M{0:.1f} {1:.1f}h6V{2:.1f}h-6\"/>", x, top + 2,
                       bottom - 2);
    const double y = std::max((top + bottom) / 2 - 2, next_free);
    next_free = y + 30;
    std::string power;
    if (run.source) {
      power = fmt::format("{} of {} kW each", format_significant(run.watts / run.count / 1e3, 3),
                          format_significant(run.rating_w / 1e3, 3));
    } else if (run.watts > 0) {
      power = fmt::format("{} kW{}", format_significant(run.watts / run.count / 1e3, 2),
                          run.count > 1
                              ? fmt::format(" each · {} kW", format_significant(run.watts / 1e3, 3))
                              : "");
    } else {
      power = "power blank";
    }
    svg += fmt::format(
        "<text class=\"b\" x=\"{0:.1f}\" y=\"{1:.1f}\">{2} × {3}</text>"
        "<text x=\"{0:.1f}\" y=\"{4:.1f}\">{5}</text>",
        x + 12, y, run.count, escape(shortened(run.part, 26)), y + 13, power);
  }
  return svg;
}

std::string dimension(const Frame& f, const RackDesign& design) {
  const double y = kTop + f.height + 24;
  return fmt::format(
      "<path class=\"bracket\" d=\"M{0:.1f} {2:.1f}v6M{0:.1f} {3:.1f}H{1:.1f}M{1:.1f} {2:.1f}v6\"/>"
      "<text class=\"m\" x=\"{4:.1f}\" y=\"{5:.1f}\">{6:.0f} mm</text>",
      f.x, f.x + f.width, y, y + 3, f.x + f.width / 2, y + 18, design.envelope.width_mm);
}

std::string face_svg(const ReportContext& context, const Candidate& c, Layer layer, bool rear,
                     const std::string& id) {
  const RackDesign& design = c.design;
  const Scale scale = scale_of(design);
  Frame f;
  f.x = 30;
  f.width = scale.mm(design.envelope.width_mm);
  const double opening = design.envelope.opening_mm > 0 ? design.envelope.opening_mm : 482.6;
  f.opening = scale.mm(std::min(opening, design.envelope.width_mm));
  f.opening_x = f.x + (f.width - f.opening) / 2;
  f.height = scale.units(design.envelope.height_units);
  const double labels = rear ? 24.0 : 230.0;
  const double width = f.x + f.width + labels;
  const double height = kTop + f.height + kGap - 28;
  const std::string unit = design.envelope.pitch == topology::UnitPitch::rack_unit ? "RU" : "OU";
  const std::string title = layer == Layer::power
                                ? (rear ? "Rear · tray input, kW" : "Front · tray input, kW")
                                : (rear ? "Rear · hottest part, °C" : "Front · hottest part, °C");
  std::string svg = fmt::format(
      "<svg id=\"{6}\" class=\"rack\" role=\"img\" aria-label=\"{0} of {1}: {2} {3}, to scale\" "
      "viewBox=\"0 0 {4:.0f} {5:.0f}\" width=\"{4:.0f}\" height=\"{5:.0f}\">"
      "<text class=\"b\" x=\"30\" y=\"11\">{0}</text>",
      title, escape(c.evaluation.rack), design.envelope.height_units, unit, width, height, id);
  svg += frame_svg(f, scale, design.envelope.height_units);
  for (const Slot& slot : design.slots) {
    const bool here = (slot.face == topology::Face::front) != rear;
    if (here || rear) svg += tray_svg(context, c, f, scale, slot, layer);
  }
  if (!rear) svg += brackets(c, f, scale);
  svg += dimension(f, design);
  return svg + "</svg>";
}

std::string legend(const Ramp& ramp, const char* css, const std::string& title) {
  if (!ramp.known) return "";
  std::string out =
      fmt::format("<p class=\"lt\"><b>{}</b></p><div class=\"ramp\" aria-hidden=\"true\">", title);
  for (int i = 1; i <= 7; ++i) out += fmt::format("<span class=\"bg-{}{}\"></span>", css, i);
  out += "</div><div class=\"ends\">";
  for (int i = 0; i <= 7; i += 1) {
    if (i % 2 != 0 && i != 7) continue;
    out += fmt::format("<span>{}</span>",
                       format_significant(ramp.low + (ramp.high - ramp.low) * i / 7, 3));
  }
  return out + "</div>";
}

std::string optional_cell(const std::optional<double>& value, int digits) {
  return value ? format_significant(*value, digits) : blank_box();
}

std::string tray_table(const Candidate& c) {
  std::string out = "<details class=\"trays\"><summary>Table of the trays</summary>" +
                    table_open("small", "Trays in the design envelope",
                               {{"Slot"},
                                {"Part"},
                                {"Input, kW", true},
                                {"At SLO, kW", true},
                                {"Hottest, °C", true},
                                {"Air, m³/min", true},
                                {"Coolant, l/min", true},
                                {"Weight, kg", true}});
  for (const Slot& slot : c.design.slots) {
    const TrayState* tray = tray_of(c, slot.id);
    if (tray == nullptr) continue;
    const auto kw = [](double w) { return w > 0 ? format_significant(w / 1e3, 3) : blank_box(); };
    out += fmt::format(
        "<tr data-slot=\"{}\"><th scope=\"row\">{}</th><td>{}</td><td class=\"num\">{}</td><td "
        "class=\"num\">{}</td><td class=\"num\">{}</td><td class=\"num\">{}</td><td "
        "class=\"num\">{}</td><td class=\"num\">{}</td></tr>\n",
        escape(slot.id), escape(slot.id), escape(slot.part), kw(tray->power_w),
        kw(tray->capacity_power_w), optional_cell(tray->hottest_c, 3),
        optional_cell(tray->air_m3_per_min, 3), optional_cell(tray->coolant_lpm, 3),
        optional_cell(tray->weight_kg, 3));
  }
  return out + table_close() + "</details>";
}

}  // namespace

std::string elevation_section(const ReportContext& context, const Candidate& candidate,
                              std::size_t index) {
  const auto& design = candidate.design;
  const std::string unit = design.envelope.pitch == topology::UnitPitch::rack_unit ? "RU" : "OU";
  std::string out = section_open(
      fmt::format("rack-{}", index), elevation_title(candidate.evaluation),
      fmt::format("{}, design envelope (a), no failure. Drawn to scale: {} {}, {:.0f} mm wide. "
                  "Sources are grey; the ends of both ramps are the same for every candidate.",
                  escape(candidate.evaluation.rack), design.envelope.height_units, unit,
                  design.envelope.width_mm));
  out +=
      "<div class=\"rackrow\"><div class=\"scroll\" tabindex=\"0\" role=\"region\" "
      "aria-label=\"Rack elevation, scrolls sideways\"><div class=\"faces\">";
  out += face_svg(context, candidate, Layer::power, false, fmt::format("rack-{}-power", index));
  out += face_svg(context, candidate, Layer::thermal, true, fmt::format("rack-{}-thermal", index));
  out += "</div></div><aside class=\"side\">";
  out += legend(context.power_kw, "p", "Tray input, kW");
  out += legend(context.hottest_c, "h", "Hottest part, °C");
  out +=
      "<p class=\"note\">Temperatures are outlets of air or coolant of each tray, from its heat "
      "and published flow: no die or HBM temperature, whose plate resistance is not published. "
      "The rear view is mirrored.</p>";
  return out + "</aside></div>\n" + tray_table(candidate) + "</section>\n";
}

}  // namespace rackwright::results
