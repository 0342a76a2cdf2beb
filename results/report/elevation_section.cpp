#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "results/report/elevation_drawing.hpp"
#include "results/report/html.hpp"
#include "results/report/sections.hpp"
#include "results/report/titles.hpp"

namespace rackwright::results {

namespace {

using topology::Slot;
using topology::TrayState;

std::string ramp_legend(const Ramp& ramp, char css, const std::string& title, int decimals) {
  std::string out = fmt::format("<div><p class=\"lt\"><b>{}</b></p>", title);
  if (!ramp.known) {
    return out + "<p class=\"note\">" + blank_box() + " in every candidate</p></div>";
  }
  out += "<div class=\"ramp\" aria-hidden=\"true\">";
  for (int i = 1; i <= 7; ++i) out += fmt::format("<span class=\"bg-{}{}\"></span>", css, i);
  out += "</div><div class=\"ends\">";
  for (int i = 0; i <= 7; ++i) {
    out += fmt::format("<span>{:.{}f}</span>", ramp.low + (ramp.high - ramp.low) * i / 7, decimals);
  }
  return out + "</div></div>";
}

std::string optional_cell(const std::optional<double>& value, int digits) {
  return value && std::isfinite(*value) ? format_significant(*value, digits) : blank_box();
}

struct Field {
  const char* head;
  std::string html;
};

/// The fields of one tray, in the order of the table's columns.
std::vector<Field> fields_of(const Slot& slot, const TrayState& tray) {
  const auto kw = [](double w) { return w > 0 ? format_significant(w / 1e3, 3) : blank_box(); };
  std::vector<Field> fields{{"Part", escape(slot.part)}};
  fields.push_back({"Input, kW", kw(tray.power_w)});
  if (tray.rating_w > 0) {
    fields.back().html += fmt::format(" of {} out", format_significant(tray.rating_w / 1e3, 3));
  }
  fields.push_back({"At SLO capacity, kW", kw(tray.capacity_power_w)});
  std::string hottest = optional_cell(tray.hottest_c, 3);
  if (tray.hottest_c && !tray.hottest_part.empty()) {
    hottest += fmt::format(" <small>{}</small>", escape(tray.hottest_part));
  }
  fields.push_back({"Hottest, °C", hottest});
  fields.push_back({"Air, m³/min", optional_cell(tray.air_m3_per_min, 3)});
  fields.push_back({"Coolant, l/min", optional_cell(tray.coolant_lpm, 3)});
  fields.push_back({"Weight, kg", optional_cell(tray.weight_kg, 3)});
  return fields;
}

/// The tray a reader asks about first: the hottest, else the one that draws most.
const TrayState* first_selected(const Candidate& c) {
  const TrayState* best = nullptr;
  for (const TrayState& tray : c.evaluation.trays) {
    if (tray.rating_w > 0 || c.design.slot(tray.slot) == nullptr) continue;
    const auto key = [](const TrayState& t) {
      return std::pair(t.hottest_c.value_or(-300.0), t.power_w);
    };
    if (best == nullptr || key(tray) > key(*best)) best = &tray;
  }
  return best;
}

std::string selected_table(const Candidate& c) {
  const TrayState* tray = first_selected(c);
  if (tray == nullptr) return "";
  std::string out = fmt::format(
      "<table class=\"selected\" aria-live=\"polite\"><caption>Selected tray</caption><thead><tr>"
      "<th scope=\"col\">Selected: <b class=\"slot\">{}</b></th><th scope=\"col\" class=\"num\">"
      "Value</th></tr></thead><tbody>\n",
      escape(tray->slot));
  for (const Field& field : fields_of(*c.design.slot(tray->slot), *tray)) {
    out += fmt::format("<tr><th scope=\"row\">{}</th><td class=\"num\">{}</td></tr>\n", field.head,
                       field.html);
  }
  return out + table_close();
}

std::string tray_table(const Candidate& c) {
  std::string body;
  std::size_t rows = 0;
  std::vector<Column> columns{{"Slot"}};
  for (const Slot& slot : c.design.slots) {
    const TrayState* tray = tray_of(c, slot.id);
    if (tray == nullptr) continue;
    const auto fields = fields_of(slot, *tray);
    body += fmt::format("<tr data-slot=\"{0}\"><th scope=\"row\">{0}</th>", escape(slot.id));
    for (std::size_t i = 0; i < fields.size(); ++i) {
      if (rows == 0) columns.push_back({fields[i].head, i > 0});
      body += fmt::format("<td{} data-head=\"{}\">{}</td>", i > 0 ? " class=\"num\"" : "",
                          fields[i].head, fields[i].html);
    }
    body += "</tr>\n";
    ++rows;
  }
  if (rows == 0) return "";
  return fmt::format("<details class=\"trays\"><summary>Table of the {} trays</summary>", rows) +
         table_open("small", "Trays in the design envelope", columns) + body + table_close() +
         "</details>";
}

std::string layer_switch() {
  return "<div class=\"layers\" role=\"group\" aria-label=\"Layers\" hidden>"
         "<button type=\"button\" data-layer=\"power\" aria-pressed=\"true\">Power</button>"
         "<button type=\"button\" data-layer=\"thermal\" aria-pressed=\"true\">Thermal</button>"
         "</div>\n";
}

std::string drawing_note(const Candidate& c) {
  std::string note = "Shelves are sources: grey, output of rating. The rear view is mirrored";
  const bool busbar = std::any_of(c.design.buses.begin(), c.design.buses.end(),
                                  [](const auto& b) { return b.boundary == "busbar DC"; });
  if (c.design.liquid && busbar) {
    note += "; busbar and manifolds stand where they reach, their sides are schematic";
  } else if (busbar) {
    note += "; the busbar's place across the rack is schematic";
  } else if (c.design.liquid) {
    note += "; the sides of the manifolds are schematic";
  }
  return note +
         ". Temperatures are what the model knows: the outlet of air or coolant where no "
         "plate resistance is published. Both ramps have the same ends for every candidate.";
}

}  // namespace

std::string elevation_section(const ReportContext& context, const Candidate& candidate,
                              std::size_t index) {
  const auto& envelope = candidate.design.envelope;
  const std::string unit = envelope.pitch == topology::UnitPitch::rack_unit ? "RU" : "OU";
  std::string out = section_open(
      fmt::format("rack-{}", index), elevation_title(candidate.evaluation),
      fmt::format("{}, design envelope (a), no failure. Drawn to scale: {} {}, {:.0f} mm wide.",
                  escape(candidate.evaluation.rack), envelope.height_units, unit,
                  envelope.width_mm));
  if (envelope.height_units <= 0) {
    return out +
           "<p>The design names no height in units: there is nothing to draw.</p></section>\n";
  }
  out += layer_switch();
  out +=
      "<div class=\"rackrow\"><div class=\"scroll\" tabindex=\"0\" role=\"region\" "
      "aria-label=\"Rack elevation, scrolls sideways on narrow screens\"><div class=\"faces\">";
  out += face_svg(context, candidate, topology::Face::front, fmt::format("rack-{}-front", index));
  out += face_svg(context, candidate, topology::Face::rear, fmt::format("rack-{}-rear", index));
  out += "</div></div><aside class=\"side\" aria-label=\"Legend and selected tray\">";
  const double step = (context.power_kw.high - context.power_kw.low) / 7;
  out += ramp_legend(context.power_kw, 'p', "Tray input, kW", step < 0.1 ? 2 : step < 5 ? 1 : 0);
  out += ramp_legend(context.hottest_c, 'h', "Hottest part, °C", 0);
  out += selected_table(candidate);
  out += fmt::format("<p class=\"note\">{}</p>", drawing_note(candidate));
  return out + "</aside></div>\n" + tray_table(candidate) + "</section>\n";
}

}  // namespace rackwright::results
