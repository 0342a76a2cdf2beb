#include <algorithm>

#include <fmt/format.h>

#include "results/report/html.hpp"
#include "results/report/sections.hpp"
#include "results/report/titles.hpp"

namespace rackwright::results {

namespace {

std::string quantity(double value) {
  return value == static_cast<double>(static_cast<long long>(value)) ? count_text(value)
                                                                     : format_significant(value, 3);
}

std::string optional_number(const std::optional<double>& value, double factor = 1) {
  return value ? format_significant(*value * factor, 3) : blank_box();
}

std::string price(const topology::BomLine& line) {
  if (!line.unit_usd_low) return blank_box();
  const std::string low = format_significant(*line.unit_usd_low / 1e3, 3);
  if (!line.unit_usd_high || *line.unit_usd_high == *line.unit_usd_low) return low;
  return fmt::format("{} – {}", low, format_significant(*line.unit_usd_high / 1e3, 3));
}

std::string text_or_blank(const std::string& text) {
  return text.empty() ? blank_box() : escape(text);
}

}  // namespace

std::string bom_section(const ReportContext& context, const Candidate& candidate,
                        std::size_t index) {
  const auto& bom = candidate.evaluation.bom;
  const double racks = candidate.racks ? candidate.racks->value : 0;
  std::string note = fmt::format(
      "{}. Quantities of one rack{}; prices are ranges from dated sources, "
      "not quotes.",
      escape(candidate.evaluation.rack),
      racks > 1 ? fmt::format(", and of the {} racks that carry the demand", count_text(racks))
                : "");
  (void)context;
  std::string out = section_open(fmt::format("bom-{}", index), bom_title(bom), note);
  if (bom.empty()) return out + "<p>The design names no part of the catalogue.</p></section>\n";
  out += table_open("bom sortable", "Bill of material",
                    {{"Item"},
                     {"Per rack", true},
                     {"In all", true},
                     {"Unit power, kW", true},
                     {"Unit mass, kg", true},
                     {"Unit price, USD thousand", true},
                     {"Lead, weeks", true},
                     {"Region"},
                     {"Second source"}});
  for (const auto& line : bom) {
    out += fmt::format(
        "<tr><th scope=\"row\">{}<small>{}</small></th><td class=\"num\" data-head=\"Per rack\">{}"
        "</td><td class=\"num\" data-head=\"In all\">{}</td><td class=\"num\" data-head=\"Unit "
        "power, "
        "kW\">{}</td><td class=\"num\" data-head=\"Unit mass, kg\">{}</td><td class=\"num\" "
        "data-head=\""
        "Unit price, USD thousand\">{}</td><td class=\"num\" data-head=\"Lead, weeks\">{}</td>"
        "<td data-head=\"Region\">{}</td><td data-head=\"Second source\">{}</td></tr>\n",
        escape(line.item), escape(line.part), quantity(line.quantity),
        racks > 0 ? quantity(line.quantity * racks) : "–", optional_number(line.unit_w, 1e-3),
        optional_number(line.unit_kg), price(line), text_or_blank(line.lead_weeks),
        text_or_blank(line.region), text_or_blank(line.second_source));
  }
  return out + table_close() + "</section>\n";
}

}  // namespace rackwright::results
