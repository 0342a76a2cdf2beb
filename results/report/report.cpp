#include "results/report/report.hpp"

#include <fmt/format.h>

#include "results/report/html.hpp"
#include "results/report/sections.hpp"

namespace rackwright::results {

namespace {

/// For a CSS string inside `<style>`: quotes, backslashes, controls and `<` cannot end it.
std::string style_text(const std::string& text) {
  std::string out;
  for (const char c : text) {
    const auto code = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\' || c == '<' || code < 0x20) {
      out += fmt::format("\\{:x} ", code);
    } else {
      out += c;
    }
  }
  return out;
}

/// Subject and a short hash of the catalogue, on every printed page.
std::string running_foot(const Review& review) {
  const std::string hash = review.catalog_hash.substr(0, 8);
  return shortened(review.subject, 90) + (hash.empty() ? "" : " · catalogue " + hash);
}

std::string head(const Review& review, const ReportAssets& assets) {
  return fmt::format(
      "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<meta name=\"color-scheme\" content=\"light dark\">\n<title>{} · co-design review</title>\n"
      "<style>\n{}:root {{ --foot: \"{}\"; }}\n</style>\n</head>\n<body>\n<a class=\"skip\" "
      "href=\"#verdict\">Skip to the "
      "verdict</a>\n",
      escape(review.subject.empty() ? review.workload : review.subject), assets.style,
      style_text(running_foot(review)));
}

std::string selector(const ReportContext& context) {
  if (context.detailed.size() < 2) return "";
  std::string out =
      "<nav class=\"pick\" aria-label=\"Candidate shown below\" hidden><label for=\"pick\">Shown "
      "below"
      "</label> <select id=\"pick\">";
  for (const Candidate* c : context.detailed) {
    out += fmt::format("<option value=\"{0}\">{0}</option>", escape(c->evaluation.rack));
  }
  return out + "</select></nav>\n";
}

std::string details_of(const ReportContext& context, const Candidate& c, std::size_t index) {
  return elevation_section(context, c, index) + timeline_section(context, c, index) +
         limits_section(context, c, index) + domain_sections(context, c, index) +
         bom_section(context, c, index);
}

}  // namespace

std::string render_report(const Review& review, const ReportAssets& assets) {
  const ReportContext context(review);
  std::string out = head(review, assets) + symbol_sprite() + "<main>\n";
  out += verdict_section(context) + candidates_section(context) + selector(context);
  for (std::size_t i = 0; i < context.detailed.size(); ++i) {
    const Candidate& c = *context.detailed[i];
    const std::string rack = escape(c.evaluation.rack);
    // Without script the first is open and the others fold; the script switches between them.
    out += i == 0 ? fmt::format("<div class=\"candidate\" data-candidate=\"{}\">\n", rack)
                  : fmt::format(
                        "<details class=\"candidate\" data-candidate=\"{0}\"><summary>Sections 3 "
                        "to 10 for {0}</summary>\n",
                        rack);
    // The target of the table's links when there is no script.
    out += fmt::format("<span id=\"rack={}\"></span>\n", rack);
    out += details_of(context, c, i);
    out += i == 0 ? "</div>\n" : "</details>\n";
  }
  out += provenance_section(context) + requirements_section(context);
  out += fmt::format(
      "</main>\n<footer><p>rackwright {} · {} · traffic: {}{}. The same input gives "
      "the "
      "same bytes. Intervals are 90 %.</p></footer>\n",
      escape(review.version), escape(review.workload), escape(review.traffic_source),
      escape(review.catalog_hash.empty() ? "" : " · catalogue " + review.catalog_hash));
  if (!assets.script.empty()) out += "<script>" + assets.script + "</script>\n";
  return out + "</body>\n</html>\n";
}

}  // namespace rackwright::results
