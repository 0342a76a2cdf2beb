#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "results/report/html.hpp"
#include "results/report/sections.hpp"
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
     "A single-line diagram, stage losses and phase balance need the power chain model from feed "
     "to "
     "module; this version judges sources, whips, feeds and the busbar section."},
    {"cooling",
     "cooling",
     {"air.", "liquid.", ""},
     {"air", "liquid", ""},
     "A loop schematic with branch flows needs the flow network of manifold, hoses and plates, and "
     "fan "
     "curves against impedance; this version balances heat and flow of the rack as a whole."},
    {"network",
     "network and cabling",
     {"network.", "cabling.", ""},
     {"network", "cabling", ""},
     "A link-load map, port map and pull sheet need the fabric between racks; the command "
     "rackwright "
     "fabric gives its switches, cables and transceivers."},
    {"service",
     "service and mechanics",
     {"service.", "mechanical.", ""},
     {"service", "mechanical", ""},
     "A service matrix, centre of gravity and point loads need figures of the parts that makers do "
     "not "
     "publish; this version sums weights and floor load."},
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
    if (!figures.empty()) out += figure_table(context, candidate, figures, domain.topic);
    out += "</section>\n";
  }
  return out;
}

}  // namespace rackwright::results
