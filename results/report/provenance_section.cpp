#include <algorithm>

#include <fmt/format.h>

#include "results/report/html.hpp"
#include "results/report/sections.hpp"
#include "results/report/titles.hpp"

namespace rackwright::results {

namespace {

constexpr std::size_t kOpen = 8;  // numbers shown at once
constexpr std::size_t kNamedRacks = 8;
constexpr std::size_t kFolded = 1500;  // in the folded table; the rest is in review.json

std::string row(const ProvenanceEntry& entry) {
  const Estimate shown = for_display(entry.figure.estimate);
  std::string boundary = escape(shown.boundary);
  if (!entry.figure.window.empty()) {
    boundary += (boundary.empty() ? "" : " · ") + escape(entry.figure.window);
  }
  return fmt::format(
      "<tr id=\"{0}\"><th scope=\"row\">{0} {1}<small>{2}</small></th><td class=\"num\" "
      "data-head=\"Value\">{3}</td>"
      "<td data-head=\"Origin\">{4} {5}</td><td data-head=\"Boundary, window\">{6}</td>"
      "<td data-head=\"From\">{7}</td><td data-head=\"In calibrated range\">{8}</td></tr>\n",
      escape(entry.id), escape(entry.figure.label), escape(entry.rack),
      number_html(shown, {entry.id, entry.figure.label, entry.figure.window, entry.figure.basis}),
      origin_glyph(shown.origin), to_string(shown.origin), boundary.empty() ? "–" : boundary,
      escape(shortened(entry.figure.basis, 140)),
      shown.extrapolated                 ? "no: extrapolated"
      : shown.origin == Origin::modelled ? "yes"
                                         : "–");
}

std::string table(const std::vector<ProvenanceEntry>& entries, std::size_t from, std::size_t to,
                  const std::string& caption) {
  std::string out = table_open("provenance", caption,
                               {{"Number"},
                                {"Value, 90 % interval", true},
                                {"Origin"},
                                {"Boundary, window"},
                                {"From"},
                                {"Inside calibrated range"}});
  for (std::size_t i = from; i < to; ++i) out += row(entries[i]);
  return out + table_close();
}

}  // namespace

std::string provenance_section(const ReportContext& context) {
  const auto& entries = context.review.provenance;
  std::vector<ProvenanceEntry> moving;
  for (const auto& entry : entries) {
    if (entry.leverage > 0) moving.push_back(entry);
  }
  const std::size_t open =
      std::min(entries.size(),
               std::max<std::size_t>(std::min(moving.size(), kOpen), entries.empty() ? 0 : 1));
  const std::vector<ProvenanceEntry> shown(entries.begin(),
                                           entries.begin() + static_cast<std::ptrdiff_t>(open));
  std::string out = section_open("provenance", provenance_title(shown),
                                 "By leverage: how far each number, moved over its interval, moves "
                                 "the lead of the first rank. "
                                 "Ids are those of review.json.");
  if (entries.empty()) return out + "</section>\n";
  out += table(entries, 0, open, "Numbers with the most leverage");
  const std::size_t end = std::min(entries.size(), open + kFolded);
  if (end > open) {
    out += fmt::format("<details><summary>All {} numbers</summary>\n",
                       count_text(static_cast<double>(entries.size())));
    out += table(entries, open, end, "All other numbers") + "</details>\n";
    if (end < entries.size()) {
      out +=
          fmt::format("<p class=\"note\">{} more are in review.json.</p>\n", entries.size() - end);
    }
  }
  return out + "</section>\n";
}

std::string requirements_section(const ReportContext& context) {
  const std::vector<BlankInput> blanks = blank_inputs(context.review);
  const auto deciding = static_cast<std::size_t>(std::count_if(
      blanks.begin(), blanks.end(), [](const BlankInput& b) { return b.requirement.decides; }));
  std::string out = section_open(
      "requirements", requirements_title(blanks.size(), deciding),
      "Nothing is guessed: each blank is solved for, or says from whom the figure is needed.");
  if (blanks.empty()) return out + "</section>\n";
  out += table_open("requirements", "Blank inputs and what they must be",
                    {{"Blank input"},
                     {"Solved, required value"},
                     {"Who can supply it"},
                     {"What it could change"},
                     {"Candidates"}});
  for (const BlankInput& blank : blanks) {
    const topology::Requirement& r = blank.requirement;
    std::string racks;
    for (const std::string& rack : blank.racks) racks += (racks.empty() ? "" : ", ") + rack;
    if (blank.racks.size() > kNamedRacks) {
      racks = fmt::format("{} of {}", blank.racks.size(), context.review.candidates.size());
    }
    out += fmt::format(
        "<tr class=\"{}\"><th scope=\"row\">{}</th><td data-head=\"Required\">{}</td>"
        "<td data-head=\"Supplier\">{}</td><td data-head=\"Could change\">{}{}</td>"
        "<td data-head=\"Candidates\">{}</td></tr>\n",
        r.decides ? "decides" : "", escape(capitalised(r.input)), escape(r.solved),
        escape(r.supplier), r.decides ? "<b>decides</b>: " : "", escape(r.effect), escape(racks));
  }
  return out + table_close() + "</section>\n";
}

}  // namespace rackwright::results
