#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>

#include <fmt/format.h>

#include "results/report/html.hpp"
#include "results/report/link_load_drawing.hpp"
#include "results/report/loop_drawing.hpp"
#include "results/report/sections.hpp"
#include "results/report/single_line_drawing.hpp"
#include "results/report/titles.hpp"

namespace rackwright::results {

namespace {

struct Domain {
  const char* id;
  const char* topic;
  std::array<const char*, 3> prefixes;  ///< of figure keys
  std::array<const char*, 3> domains;   ///< of limits
  const char* missing;                  ///< what will fill the section
};

constexpr std::array<Domain, 4> kDomains{{
    {"power",
     "power chain",
     {"power.", "", ""},
     {"power", "", ""},
     "Single line and margins are those of the design envelope; rackwright evaluate "
     "--failure-table "
     "writes every node under every failure and load case."},
    {"cooling",
     "cooling",
     {"air.", "liquid.", "transient."},
     {"air", "liquid", ""},
     "Fans against impedance, plate resistance over flow and die temperature are solved for where "
     "makers do not publish them: see the requirements."},
    {"network",
     "network and cabling",
     {"network.", "cabling.", ""},
     {"network", "cabling", ""},
     "One scalable unit of the fabric, every link laid on the middle-of-row layout. The commands "
     "rackwright cabling -o DIR (pull sheet, port map, elevations, link-load map) and rackwright "
     "cabling --layout all (other layouts in one table) give the rest."},
    {"service",
     "service and mechanics",
     {"service.", "mechanical.", ""},
     {"service", "mechanical", ""},
     "Service steps, supports, sound power and the site's seismic demand are solved for where "
     "nobody "
     "publishes them: see the requirements."},
}};

bool belongs(const std::string& key, const std::array<const char*, 3>& prefixes) {
  return std::any_of(prefixes.begin(), prefixes.end(), [&](const char* prefix) {
    return prefix[0] != '\0' && key.rfind(prefix, 0) == 0;
  });
}

std::string figure_table(const ReportContext& context, const Candidate& c,
                         const std::vector<const topology::Figure*>& figures,
                         const std::string& topic) {
  std::string out =
      table_open("figures", "Figures of " + topic,
                 {{"Figure"}, {"Value, 90 % interval", true}, {"Boundary"}, {"Window"}, {"From"}});
  for (const topology::Figure* f : figures) {
    out += fmt::format(
        "<tr><th scope=\"row\">{}</th><td class=\"num\" data-head=\"Value\">{}</td><td "
        "data-head=\"Boundary\">{}</td><td data-head=\"Window\">{}</td>"
        "<td data-head=\"From\">{}</td></tr>\n",
        escape(f->label), figure_html(context, c, f->key, {.glyph = true}),
        f->estimate.boundary.empty() ? "–" : escape(f->estimate.boundary),
        f->window.empty() ? "–" : escape(f->window), escape(shortened(f->basis, 120)));
  }
  return out + table_close();
}

/// Loop schematic and branch table of a liquid rack.
std::string loop_figure(const topology::RackEvaluation& evaluation) {
  const std::string svg = coolant_loop_svg(evaluation);
  if (svg.empty()) return "";
  std::string out = "<div class=\"drawing\">" + svg + "</div>\n";
  out += table_open("branches", "Branches of the coolant loop, design envelope",
                    {{"Tray"},
                     {"Heat, kW", true},
                     {"Flow, l/min", true},
                     {"Drop, kPa", true},
                     {"Outlet, °C", true},
                     {"Limit, °C", true},
                     {"Valve"}});
  const auto cell = [](const char* head, const std::string& what) {
    return fmt::format("<td class=\"num\" data-head=\"{}\">{}</td>", head, what);
  };
  for (const topology::CoolantBranch& branch : evaluation.coolant->branches) {
    out += fmt::format("<tr><th scope=\"row\">{}</th>", escape(branch.slot));
    out += cell("Heat, kW", fmt::format("{:.2f}", branch.heat_w / 1e3));
    out += cell("Flow, l/min", fmt::format("{:.2f}", branch.flow_lpm));
    out += cell("Drop, kPa", branch.drop_kpa ? fmt::format("{:.1f}", *branch.drop_kpa) : "–");
    out += cell("Outlet, °C", fmt::format("{:.1f}", branch.return_c));
    out += cell("Limit, °C",
                branch.return_limit_c ? fmt::format("{:.0f}", *branch.return_limit_c) : "–");
    out +=
        fmt::format("<td data-head=\"Valve\">{}</td></tr>\n", branch.valve_open ? "open" : "shut");
  }
  return out + table_close();
}

/// Link-load heat map of a unit's fabric.
std::string link_load_figure(const topology::RackEvaluation& evaluation) {
  if (!evaluation.fabric_load) return "";
  return "<figure class=\"drawing\">" +
         link_load_svg(*evaluation.fabric_load, LinkLoadMap::compact) + "</figure>\n";
}

std::string failure_cell(const topology::FailureRow* row) {
  if (row == nullptr) return "<td class=\"num\"></td>";
  const auto margin = row->margin();
  const std::string what =
      fmt::format("{}: {}", row->node,
                  row->lost ? "lost"
                            : fmt::format("{} of {} {}", format_significant(row->load, 4),
                                          row->limit ? format_significant(*row->limit, 4) : "blank",
                                          row->unit));
  const std::string shown =
      row->lost ? "lost"
      : margin  ? fmt::format("{}{:.1f}", *margin < 0 ? "−" : "+", std::abs(*margin) * 100)
                : "";
  const bool violated = margin && *margin < 0;
  return fmt::format("<td class=\"num{}\" title=\"{}{}{}\">{}</td>", violated ? " violated" : "",
                     escape(failure_text(*row)), row->failure.empty() ? "" : ". ", escape(what),
                     shown.empty() ? blank_box() : shown);
}

std::string failure_table_html(const topology::RackEvaluation& evaluation) {
  const topology::FailureMatrix matrix = topology::failure_matrix(evaluation.failures.worst);
  if (matrix.lines.empty()) return "";
  std::vector<Column> columns{{"Margin in %, worst node of"}};
  for (const std::string& unit : matrix.units) {
    columns.push_back({unit == "none" ? "In service" : capitalised(unit), true});
  }
  std::string out = table_open(
      "failures", "Smallest margin in per cent after the loss of one, design envelope", columns);
  for (const auto& line : matrix.lines) {
    out += fmt::format("<tr><th scope=\"row\">{}</th>", escape(capitalised(line.level)));
    for (const topology::FailureRow* row : line.rows) out += failure_cell(row);
    out += "</tr>\n";
  }
  return out + table_close();
}

std::string architectures_html(const topology::RackEvaluation& evaluation) {
  if (evaluation.power.architectures.empty()) return "";
  std::string out =
      table_open("figures", "Ways to bring power from the same AC terminals to the same trays",
                 {{"Design"},
                  {"AC input, kW", true},
                  {"Into the rack, A", true},
                  {"Rack units freed", true},
                  {"Sidecar, kg per rack", true},
                  {"Blank"}});
  for (const topology::Architecture& a : evaluation.power.architectures) {
    std::string blanks;
    for (const std::string& blank : a.blanks) blanks += (blanks.empty() ? "" : ", ") + blank;
    if (a.solved_efficiency) {
      blanks += fmt::format(" (needs {:.2f} % to equal the best)", *a.solved_efficiency * 100);
    }
    out += fmt::format(
        "<tr><th scope=\"row\">{}</th><td class=\"num\">{}</td><td class=\"num\">{:.0f}</td>"
        "<td class=\"num\">{:.0f}</td><td class=\"num\">{}</td><td>{}</td></tr>\n",
        escape(a.name), a.ac_low_w ? kilowatt_range(*a.ac_low_w, *a.ac_high_w) : blank_box(),
        a.distribution_a, a.rack_units_freed,
        a.sidecar_kg ? fmt::format("{:.0f}", *a.sidecar_kg) : "–", escape(blanks));
  }
  return out + table_close();
}

std::string power_drawing(const topology::RackEvaluation& evaluation) {
  const std::string drawing = single_line_svg(evaluation);
  if (drawing.empty()) return "";
  return "<figure class=\"drawing\">" + drawing + "</figure>\n" + failure_table_html(evaluation) +
         architectures_html(evaluation);
}

}  // namespace

std::string domain_sections(const ReportContext& context, const Candidate& candidate,
                            std::size_t index) {
  std::string out;
  for (const Domain& domain : kDomains) {
    std::vector<const topology::Figure*> figures;
    for (const topology::Figure& figure : candidate.evaluation.figures.all()) {
      if (belongs(figure.key, domain.prefixes)) figures.push_back(&figure);
    }
    std::vector<const topology::Limit*> limits;
    for (const topology::Limit& limit : candidate.evaluation.limits) {
      if (std::find(domain.domains.begin(), domain.domains.end(), limit.domain) !=
          domain.domains.end()) {
        limits.push_back(&limit);
      }
    }
    out += section_open(
        fmt::format("{}-{}", domain.id, index), domain_title(domain.topic, limits, figures.size()),
        fmt::format("{}. {}", escape(candidate.evaluation.rack), escape(domain.missing)));
    if (domain.id == std::string("power")) out += power_drawing(candidate.evaluation);
    if (std::string_view(domain.id) == "cooling") out += loop_figure(candidate.evaluation);
    if (std::string_view(domain.id) == "network") out += link_load_figure(candidate.evaluation);
    if (!figures.empty()) out += figure_table(context, candidate, figures, domain.topic);
    if (domain.id == std::string_view("service")) out += service_items_html(candidate.evaluation);
    out += "</section>\n";
  }
  return out;
}

}  // namespace rackwright::results
