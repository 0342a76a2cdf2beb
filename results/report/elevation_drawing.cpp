#include "results/report/elevation_drawing.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "results/report/html.hpp"

namespace rackwright::results {

namespace {

using topology::Face;
using topology::RackDesign;
using topology::Slot;
using topology::TrayState;

constexpr double kTop = 28, kBelow = 54, kNumbers = 30, kLabels = 210;
constexpr double kSmallestTextHeight = 12;
constexpr double kLabelHeight = 31;

/// Outer frame and opening of one face, px.
struct Frame {
  double x = 0, width = 0, opening_x = 0, opening = 0, height = 0;
  [[nodiscard]] double y(double units_from_bottom, const ElevationScale& scale) const {
    return kTop + height - scale.units(units_from_bottom);
  }
};

Frame frame_of(const RackDesign& design, const ElevationScale& scale, Face face) {
  constexpr double kEia310Opening = 482.6;  // mm, 19 inch panel width
  const auto& envelope = design.envelope;
  Frame f;
  f.x = face == Face::front ? kNumbers : 8;
  f.width = scale.mm(envelope.width_mm);
  const double opening = envelope.opening_mm > 0 ? envelope.opening_mm : kEia310Opening;
  f.opening = scale.mm(std::min(opening, envelope.width_mm));
  f.opening_x = f.x + (f.width - f.opening) / 2;
  f.height = scale.units(envelope.height_units);
  return f;
}

std::string frame_svg(const Frame& f, const ElevationScale& scale, int units, Face face) {
  std::string svg = fmt::format(
      "<rect class=\"frame\" x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\"/>"
      "<rect class=\"bay\" x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\"/>",
      f.x, kTop - 8, f.width, f.height + 16, f.opening_x, kTop, f.opening, f.height);
  std::string lines;
  for (int u = 1; u <= units; ++u) {
    const double y = f.y(u, scale);
    lines += fmt::format("M{:.1f} {:.2f}h{:.1f}", f.opening_x, y, f.opening);
    if (u % 2 == 0 || u == 1 || u == units) {
      const bool front = face == Face::front;
      svg += fmt::format("<text class=\"unit{}\" x=\"{:.1f}\" y=\"{:.2f}\">{}</text>",
                         front ? " e" : "", front ? f.x - 6 : f.x + f.width + 6,
                         y + scale.units(0.5) + 3.5, u);
    }
  }
  return svg + fmt::format("<path class=\"slotline\" d=\"{}\"/>", lines);
}

/// What a tray shows in one layer: the class of its fill and the number.
struct Paint {
  std::string fill, value;
};

Paint power_paint(const ReportContext& context, const TrayState* tray) {
  if (tray == nullptr || !(tray->power_w > 0)) return {"pn", ""};
  const double kw = tray->power_w / 1e3;
  // Sources are grey: the ramp is for load only.
  if (tray->rating_w > 0) return {"ps", format_significant(kw, 3)};
  return {fmt::format("p{}", context.power_kw.step(kw)), format_significant(kw, kw < 1 ? 1 : 2)};
}

Paint thermal_paint(const ReportContext& context, const TrayState* tray) {
  if (tray == nullptr || !tray->hottest_c || !std::isfinite(*tray->hottest_c)) return {"hn", ""};
  return {fmt::format("h{}", context.hottest_c.step(*tray->hottest_c)),
          fmt::format("{:.0f}", *tray->hottest_c)};
}

std::string tray_title(const Slot& slot, const TrayState* tray) {
  std::string title = slot.id + ", " + slot.part;
  if (tray == nullptr) return title;
  if (tray->power_w > 0) title += ", " + format_significant(tray->power_w / 1e3, 3) + " kW";
  if (tray->rating_w > 0) {
    title += " of " + format_significant(tray->rating_w / 1e3, 3) + " kW output";
  }
  if (tray->hottest_c) {
    title += fmt::format(", {} {} °C", tray->hottest_part, format_significant(*tray->hottest_c, 3));
  }
  return title;
}

std::string tray_svg(const ReportContext& context, const Candidate& c, const Frame& f,
                     const ElevationScale& scale, const Slot& slot) {
  const TrayState* tray = tray_of(c, slot.id);
  const double h = scale.units(slot.height);
  const double y = f.y(slot.unit - 1 + slot.height, scale);
  if (slot.group == "blank") {
    return fmt::format(
        "<rect class=\"panel\" x=\"{:.1f}\" y=\"{:.2f}\" width=\"{:.1f}\" "
        "height=\"{:.2f}\"><title>blanking panel</title></rect>",
        f.opening_x, y + 0.5, f.opening, h - 1);
  }
  const Paint power = power_paint(context, tray);
  const Paint thermal = thermal_paint(context, tray);
  std::string svg = fmt::format(
      "<g class=\"tray\" data-slot=\"{}\"><title>{}</title>"
      "<rect class=\"t {} {}\" x=\"{:.1f}\" y=\"{:.2f}\" width=\"{:.1f}\" height=\"{:.2f}\"/>",
      escape(slot.id), escape(tray_title(slot, tray)), power.fill, thermal.fill, f.opening_x,
      y + 0.5, f.opening, h - 1);
  if (h >= kSmallestTextHeight) {
    svg += fmt::format(
        "<g class=\"ink-{0} ink-{1}\"><text class=\"tr\" x=\"{2:.1f}\" y=\"{3:.2f}\">{4}</text>"
        "<text class=\"tr e vp\" x=\"{5:.1f}\" y=\"{3:.2f}\">{6}</text>"
        "<text class=\"tr e vh\" x=\"{5:.1f}\" y=\"{3:.2f}\">{7}</text></g>",
        power.fill, thermal.fill, f.opening_x + 5, y + h / 2 + 3.7, escape(shortened(slot.id, 14)),
        f.opening_x + f.opening - 5, power.value, thermal.value);
  }
  return svg + "</g>";
}

/// Consecutive slots of one part: "10 × compute tray, 6.9 kW each · 69.0 kW".
struct SlotRun {
  double low = 0, high = 0;  ///< units from the bottom
  std::string part;
  int count = 0;
  double watts = 0;
  double rating_w = 0;
  std::optional<double> coolest_c, hottest_c;
  std::string hottest_part;
};

void add_tray(SlotRun& run, const TrayState& tray) {
  run.watts += tray.power_w;
  run.rating_w = std::max(run.rating_w, tray.rating_w);
  if (!tray.hottest_c) return;
  if (!run.coolest_c || *tray.hottest_c < *run.coolest_c) run.coolest_c = tray.hottest_c;
  if (!run.hottest_c || *tray.hottest_c > *run.hottest_c) {
    run.hottest_c = tray.hottest_c;
    run.hottest_part = tray.hottest_part;
  }
}

std::vector<SlotRun> runs_of(const Candidate& c, Face face) {
  std::vector<const Slot*> sorted;
  for (const Slot& slot : c.design.slots) {
    const bool seen = slot.face == face || face == Face::rear;
    if (seen && slot.group != "blank") sorted.push_back(&slot);
  }
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const Slot* a, const Slot* b) { return a->unit < b->unit; });
  std::vector<SlotRun> runs;
  for (const Slot* slot : sorted) {
    const bool adjoins = !runs.empty() && slot->unit - 1 <= runs.back().high + 0.01;
    if (!adjoins || runs.back().part != slot->part) {
      runs.push_back({slot->unit - 1, 0, slot->part});
    }
    SlotRun& run = runs.back();
    ++run.count;
    run.high = std::max(run.high, slot->unit - 1 + slot->height);
    if (const TrayState* tray = tray_of(c, slot->id)) add_tray(run, *tray);
  }
  return runs;
}

std::string power_words(const SlotRun& run) {
  if (!(run.watts > 0)) return "power blank";
  const double each = run.watts / run.count / 1e3;
  if (run.rating_w > 0) {
    return fmt::format("{} of {} kW each", format_significant(each, 3),
                       format_significant(run.rating_w / 1e3, 3));
  }
  if (run.count == 1) return format_significant(each, 3) + " kW";
  return fmt::format("{} kW each · {} kW", format_significant(each, each < 1 ? 1 : 2),
                     format_significant(run.watts / 1e3, 3));
}

std::string thermal_words(const SlotRun& run) {
  if (!run.hottest_c) return "temperature blank";
  const std::string high = format_significant(*run.hottest_c, 3);
  const std::string part = run.hottest_part.empty() ? "" : run.hottest_part + " ";
  if (*run.hottest_c - *run.coolest_c < 0.5) return part + high + " °C";
  return fmt::format("{}{} – {} °C", part, format_significant(*run.coolest_c, 3), high);
}

/// Label positions top to bottom: each as near to its bracket as the others and the frame allow.
std::vector<double> placed(std::vector<double> wanted, double bottom) {
  for (std::size_t i = 1; i < wanted.size(); ++i) {
    wanted[i] = std::max(wanted[i], wanted[i - 1] + kLabelHeight);
  }
  double limit = bottom;
  for (std::size_t i = wanted.size(); i-- > 0;) {
    wanted[i] = std::min(wanted[i], limit);
    limit = wanted[i] - kLabelHeight;
  }
  return wanted;
}

std::string brackets(const Candidate& c, const Frame& f, const ElevationScale& scale, Face face) {
  auto runs = runs_of(c, face);
  std::reverse(runs.begin(), runs.end());  // from the top
  std::vector<double> wanted;
  for (const SlotRun& run : runs) {
    wanted.push_back((f.y(run.high, scale) + f.y(run.low, scale)) / 2 - 2);
  }
  const auto at = placed(wanted, kTop + f.height - 6);
  const double x = f.x + f.width + (face == Face::front ? 8 : kNumbers);
  std::string svg;
  for (std::size_t i = 0; i < runs.size(); ++i) {
    const SlotRun& run = runs[i];
    // The leader ends between the two lines of its label.
    svg += fmt::format(
        "<path class=\"bracket\" d=\"M{0:.1f} {1:.1f}h6V{2:.1f}h-6M{3:.1f} {4:.1f}"
        "L{5:.1f} {6:.1f}\"/>",
        x, f.y(run.high, scale) + 2, f.y(run.low, scale) - 2, x + 6, wanted[i] + 2, x + 12,
        at[i] + 2);
    svg += fmt::format(
        "<text class=\"b\" x=\"{0:.1f}\" y=\"{1:.1f}\">{2} × {3}</text>"
        "<text class=\"vp\" x=\"{0:.1f}\" y=\"{4:.1f}\">{5}</text>"
        "<text class=\"vh\" x=\"{0:.1f}\" y=\"{4:.1f}\">{6}</text>",
        x + 16, at[i], run.count, escape(shortened(run.part, 22)), at[i] + 14, power_words(run),
        escape(shortened(thermal_words(run), 28)));
  }
  return svg;
}

std::string dimensions(const Frame& f, const ElevationScale& scale, const RackDesign& design,
                       Face face) {
  const double y = kTop + f.height + 20;
  const auto bar = [&](double x, double width, const std::string& words) {
    return fmt::format(
        "<path class=\"bracket\" d=\"M{0:.1f} {2:.1f}v6M{0:.1f} {3:.1f}H{1:.1f}M"
        "{1:.1f} {2:.1f}v6\"/><text class=\"m dim\" x=\"{4:.1f}\" y=\"{5:.1f}\">{6}"
        "</text>",
        x, x + width, y - 3, y, x + width / 2, y + 15, words);
  };
  std::string svg = bar(f.x, f.width, fmt::format("{:.0f} mm", design.envelope.width_mm));
  if (face == Face::front) {
    const bool rack_unit = design.envelope.pitch == topology::UnitPitch::rack_unit;
    svg += bar(f.x + f.width + 14, scale.mm(500),
               fmt::format("500 mm · 1 {} = {} mm", rack_unit ? "RU" : "OU",
                           topology::pitch_mm(design.envelope.pitch)));
  }
  return svg;
}

/// Busbar and manifolds at the rear. Heights are those of the slots they reach; sides are
/// schematic.
std::string risers(const Candidate& c, const Frame& f, const ElevationScale& scale) {
  std::string svg;
  const auto reach = [&](auto&& wanted) {
    double low = 1e9, high = -1;
    for (const Slot& slot : c.design.slots) {
      if (!wanted(slot)) continue;
      low = std::min(low, slot.unit - 1);
      high = std::max(high, slot.unit - 1 + slot.height);
    }
    return std::pair(low, high);
  };
  const auto bar = [&](const char* css, double x, double width, std::pair<double, double> units,
                       const char* words) {
    if (units.second < 0) return;
    svg += fmt::format(
        "<rect class=\"{}\" x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}"
        "\"><title>{}</title></rect>",
        css, x, f.y(units.second, scale), width, scale.units(units.second - units.first), words);
  };
  if (c.design.liquid) {
    const auto wet = reach([&](const Slot& slot) {
      const TrayState* tray = tray_of(c, slot.id);
      return tray != nullptr && tray->coolant_lpm.value_or(0) > 0;
    });
    const double gap = f.opening_x - f.x;
    const double width = std::clamp(gap - 4, 3.0, 8.0);
    bar("supply", f.x + (gap - width) / 2, width, wet, "coolant supply manifold");
    bar("return", f.opening_x + f.opening + (gap - width) / 2, width, wet,
        "coolant return manifold");
  }
  for (const topology::PowerBus& bus : c.design.buses) {
    if (bus.boundary != "busbar DC") continue;
    const auto fed = reach([&](const Slot& slot) {
      const bool source = std::any_of(bus.sources.begin(), bus.sources.end(),
                                      [&](const auto& s) { return s.slot == slot.id; });
      return source || std::find(bus.loads.begin(), bus.loads.end(), slot.id) != bus.loads.end();
    });
    bar("busbar", f.opening_x + f.opening / 2 - 3.5, 7, fed, "busbar");
  }
  return svg;
}

bool overlaps(const Slot& a, const Slot& b) {
  return a.unit < b.unit + b.height && b.unit < a.unit + a.height;
}

/// A part of the other face where this face is open: hatched outline.
std::string blocked_svg(const Candidate& c, const Frame& f, const ElevationScale& scale,
                        const Slot& slot) {
  const bool covered =
      std::any_of(c.design.slots.begin(), c.design.slots.end(),
                  [&](const Slot& s) { return s.face == Face::front && overlaps(s, slot); });
  if (covered) return "";
  return fmt::format(
      "<rect class=\"blocked\" x=\"{:.1f}\" y=\"{:.2f}\" width=\"{:.1f}\" height=\""
      "{:.2f}\"><title>{} at the rear</title></rect>",
      f.opening_x, f.y(slot.unit - 1 + slot.height, scale) + 0.5, f.opening,
      scale.units(slot.height) - 1, escape(slot.id));
}

}  // namespace

ElevationScale elevation_scale(topology::UnitPitch pitch) {
  ElevationScale scale;
  scale.unit_mm = topology::pitch_mm(pitch);
  return scale;
}

const TrayState* tray_of(const Candidate& candidate, const std::string& slot) {
  for (const TrayState& tray : candidate.evaluation.trays) {
    if (tray.slot == slot) return &tray;
  }
  return nullptr;
}

std::string face_svg(const ReportContext& context, const Candidate& candidate, Face face,
                     const std::string& element) {
  const RackDesign& design = candidate.design;
  const ElevationScale scale = elevation_scale(design.envelope.pitch);
  const Frame f = frame_of(design, scale, face);
  const bool front = face == Face::front;
  const double width = f.x + f.width + (front ? kLabels : kNumbers + kLabels - 8);
  const double height = kTop + f.height + kBelow;
  const bool rack_unit = design.envelope.pitch == topology::UnitPitch::rack_unit;
  const std::string name = front ? "Front" : "Rear, mirrored";
  std::string svg = fmt::format(
      "<svg id=\"{0}\" class=\"rack\" data-layer=\"{1}\" role=\"img\" aria-label=\"{2} of {3}: {4} "
      "{5}, drawn to scale; table of the trays follows\" viewBox=\"0 0 {6:.0f} {7:.0f}\" "
      "width=\"{6:.0f}\" height=\"{7:.0f}\"><text class=\"b vp\" x=\"{8:.1f}\" y=\"12\">{2} · tray "
      "input, kW</text><text class=\"b vh\" x=\"{8:.1f}\" y=\"12\">{2} · hottest part, °C</text>",
      element, front ? "power" : "thermal", name, escape(candidate.evaluation.rack),
      design.envelope.height_units, rack_unit ? "RU" : "OU", width, height, f.x);
  svg += frame_svg(f, scale, design.envelope.height_units, face);
  // Full-depth parts show at both faces; what is mounted at the rear covers them there.
  for (const Slot& slot : design.slots) {
    if (slot.face == Face::front) svg += tray_svg(context, candidate, f, scale, slot);
  }
  for (const Slot& slot : design.slots) {
    if (slot.face != Face::rear) continue;
    svg += front ? blocked_svg(candidate, f, scale, slot)
                 : tray_svg(context, candidate, f, scale, slot);
  }
  if (!front) svg += risers(candidate, f, scale);
  svg += brackets(candidate, f, scale, face) + dimensions(f, scale, design, face);
  return svg + "</svg>";
}

}  // namespace rackwright::results
