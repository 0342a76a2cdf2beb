#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "results/demand_search.hpp"
#include "results/report/html.hpp"
#include "results/report/sections.hpp"
#include "results/report/titles.hpp"

namespace rackwright::results {

namespace {

using topology::LimitState;

/// One cell; `head` names the field on phones, where rows become cards.
std::string cell(const std::string& css, const std::string& head, const std::string& html) {
  return fmt::format("<td class=\"{}\" data-head=\"{}\">{}</td>", css, head, html);
}

std::string count_cell(const std::string& head, const std::optional<Estimate>& value) {
  return cell("num", head,
              value && std::isfinite(value->value) ? count_text(value->value) : blank_box());
}

/// Interval bar from 0 to the largest upper end, whisker over it; a range is hatched without a bar.
std::string interval_bar(const ReportContext& context, const Candidate& c, bool chosen) {
  constexpr double kWidth = 120;
  const double scale = nice_above(context.metric_high);
  std::string svg = fmt::format(
      "<svg class=\"bar\" viewBox=\"0 0 {0} 18\" width=\"{0}\" height=\"18\" "
      "preserveAspectRatio=\"none\" aria-hidden=\"true\"><path class=\"base\" d=\"M0 14.5h{0}\"/>",
      kWidth);
  if (c.metric && std::isfinite(c.metric->high)) {
    const Estimate e = in_unit(*c.metric, context.metric_unit);
    const auto x = [&](double v) { return std::clamp(v / scale, 0.0, 1.0) * (kWidth - 2); };
    const bool range = c.design.is_template || c.verdict == Verdict::undecided;
    if (range) {
      svg +=
          fmt::format("<rect class=\"range\" x=\"{:.1f}\" y=\"5\" width=\"{:.1f}\" height=\"6\"/>",
                      x(e.low), std::max(2.0, x(e.high) - x(e.low)));
    } else {
      svg += fmt::format("<rect class=\"{}\" x=\"0\" y=\"5\" width=\"{:.1f}\" height=\"6\"/>",
                         chosen ? "chosen" : "other", x(e.value));
      if (e.has_interval()) {
        svg += fmt::format(
            "<path class=\"whisker\" d=\"M{0:.1f} 8H{1:.1f}M{0:.1f} 4.5v7M{1:.1f} 4.5v7\"/>",
            x(e.low), x(e.high));
      }
    }
  }
  return svg + "</svg>";
}

std::string provisioned_cell(const ReportContext& context, const Candidate& c) {
  if (!c.provisioned_w || !std::isfinite(c.provisioned_w->value)) return blank_box();
  const Estimate e = in_unit(*c.provisioned_w, {"kW", 1e-3});
  const bool range = c.design.is_template && e.has_interval();
  return number_html(e,
                     {context.ids.of(c.evaluation.rack, "candidate.provisioned_w"),
                      "Provisioned power", "", "racks × design envelope, with shared equipment"},
                     {.unit = false, .half_width = false, .range = range});
}

std::string estimate_cell(const ReportContext& context, const Candidate& c,
                          const std::optional<Estimate>& value, const std::string& key,
                          const std::string& label, const NumberStyle& style) {
  if (!value || !std::isfinite(value->value)) return blank_box();
  return number_html(*value, {context.ids.of(c.evaluation.rack, key), label, "", ""}, style);
}

std::string closest_cells(const Candidate& c) {
  if (!c.closest) {
    return cell("closest", "Closest limit", c.evaluation.limits.empty() ? "not judged" : "–") +
           cell("num", "Margin", blank_box());
  }
  return cell("closest", "Closest limit", escape(capitalised(c.closest->name))) +
         cell("num", "Margin", margin_html(*c.closest, false));
}

std::string row(const ReportContext& context, const Candidate& c) {
  const bool chosen = c.rank == 1;
  const bool range = c.design.is_template || c.verdict == Verdict::undecided;
  const std::string& id = c.evaluation.rack;
  std::string out =
      fmt::format("<tr class=\"{}{}\">", chosen ? "chosen" : "", c.rank == 0 ? " unranked" : "");
  out += cell("rank num", "Rank", c.rank > 0 ? fmt::format("<b>{}</b>", c.rank) : "–");
  const bool detailed =
      std::find(context.detailed.begin(), context.detailed.end(), &c) != context.detailed.end();
  const std::string name =
      detailed ? fmt::format("<a href=\"#rack={0}\" data-rack=\"{0}\">{0}</a>", escape(id))
               : fmt::format("<b>{}</b>", escape(id));
  out += fmt::format("<th scope=\"row\" class=\"name\">{}<small>{}</small></th>", name,
                     escape(shortened(c.design.summary, 60)));
  out += cell("verdict", "Verdict", verdict_html(c));
  out += count_cell("Racks", c.racks) + count_cell("GPUs", c.gpus);
  out += cell("num", "Provisioned, kW", provisioned_cell(context, c));
  out += cell("num", "Floor, m²",
              estimate_cell(context, c, c.floor_m2, "candidate.floor_m2", "Floor area",
                            {.unit = false, .half_width = false}));
  std::optional<Estimate> metric;
  if (c.metric) metric = in_unit(*c.metric, context.metric_unit);
  out += cell("num metric", escape(context.metric_unit.unit),
              estimate_cell(context, c, metric, "candidate.metric", context.review.rank_by_label,
                            {.unit = false, .range = range}));
  out += cell("barcell", "", interval_bar(context, c, chosen));
  out += cell("num", "tok/J",
              estimate_cell(context, c, c.tokens_per_joule, "candidate.tokens_per_joule",
                            "Output tokens per joule", {.unit = false, .half_width = false}));
  out += closest_cells(c);
  return out + "</tr>\n";
}

/// The origin that a column has throughout, as a glyph for its head.
template <class Get>
std::string uniform_glyph(const std::vector<const Candidate*>& all, Get get) {
  std::optional<Origin> origin;
  for (const Candidate* c : all) {
    const auto& value = get(*c);
    if (!value) continue;
    if (origin && *origin != value->origin) return "";
    origin = value->origin;
  }
  return origin ? origin_glyph(*origin) + " " : "";
}

std::string table(const ReportContext& context, const std::vector<const Candidate*>& rows,
                  const std::string& caption) {
  const auto metric = [](const Candidate& c) -> const auto& {
    return c.metric;
  };
  const auto energy = [](const Candidate& c) -> const auto& {
    return c.tokens_per_joule;
  };
  const std::string scale =
      fmt::format("0 to {:g}, with<br>90 % interval", nice_above(context.metric_high));
  std::string out =
      table_open("candidates sortable", caption,
                 {{"Rank", true},
                  {"Candidate"},
                  {"Verdict"},
                  {"Racks", true},
                  {"GPUs", true},
                  {"Provisioned<br>kW, rack AC", true},
                  {"Floor<br>m²", true},
                  {uniform_glyph(rows, metric) + escape(context.metric_unit.unit), true},
                  {scale},
                  {uniform_glyph(rows, energy) + "tok/J<br>rack AC", true},
                  {"Closest limit"},
                  {"Margin", true}});
  for (const Candidate* c : rows) out += row(context, *c);
  return out + table_close();
}

/// Racks whose device has no published idle power: gaps between steps count as 0 W.
std::string upper_bound_note(const Review& review) {
  std::string racks;
  for (const Candidate& c : review.candidates) {
    const auto& open = c.evaluation.requirements;
    const bool idle_blank = std::any_of(open.begin(), open.end(), [](const auto& requirement) {
      return requirement.id.starts_with("idle_w.");
    });
    if (!idle_blank || !c.tokens_per_joule) continue;
    racks += (racks.empty() ? "" : ", ") + c.evaluation.rack;
  }
  if (racks.empty()) return "";
  return fmt::format(
      " Tokens per joule of {} are an upper bound: no idle power is published, gaps between steps "
      "count as 0 W.",
      racks);
}

}  // namespace

std::string candidates_section(const ReportContext& context) {
  const Review& review = context.review;
  const Estimate demand = for_display(review.demand);
  std::string note = fmt::format(
      "Each row carries {} of output inside the SLO, with the traffic of {} racks pooled over "
      "their "
      "replicas. Ranked by {}; a rack whose blanks could move it by more than one rank stays "
      "undecided.",
      escape(number_text(demand)), kRacksOfPool, escape(review.rank_by_label));
  std::string out = section_open("candidates", candidates_title(review), note);
  if (!context.listed.empty())
    out += table(context, context.listed, "Candidates for equal service");
  const std::string remark = candidates_remark(review) + upper_bound_note(review);
  if (!remark.empty()) out += fmt::format("<p class=\"note\">{}</p>\n", escape(remark));
  if (!context.folded.empty()) {
    out += pareto_plot(context);
    out +=
        fmt::format("<details><summary>The other {} candidates</summary>\n", context.folded.size());
    out += table(context, context.folded, "Further candidates for equal service") + "</details>\n";
  }
  return out + "</section>\n";
}

std::string pareto_plot(const ReportContext& context) {
  double power = 0;
  double floor = 0;
  for (const Candidate& c : context.review.candidates) {
    if (!c.provisioned_w || !c.floor_m2) continue;
    power = std::max(power, c.provisioned_w->value / 1e3);
    floor = std::max(floor, c.floor_m2->value);
  }
  if (!(power > 0) || !(floor > 0)) return "";
  constexpr double kLeft = 56, kTop = 22, kWidth = 620, kHeight = 260;
  power = nice_above(power);
  floor = nice_above(floor);
  std::string svg = fmt::format(
      "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Plot, scrolls sideways\">"
      "<svg class=\"plot\" role=\"img\" aria-label=\"Provisioned power against floor; the front is "
      "filled\" viewBox=\"0 0 860 330\" width=\"860\" height=\"330\">"
      "<text class=\"b\" x=\"{}\" y=\"12\">Floor, m²</text>",
      kLeft);
  for (int i = 0; i <= 4; ++i) {
    const double y = kTop + kHeight * (1 - i / 4.0);
    const double x = kLeft + kWidth * (i / 4.0);
    svg += fmt::format(
        "<path class=\"grid\" d=\"M{:.1f} {:.1f}H{:.1f}\"/><text class=\"e\" x=\"{:.1f}\" "
        "y=\"{:.1f}\">{}</text><text class=\"m\" x=\"{:.1f}\" y=\"{:.1f}\">{}</text>",
        kLeft, y, kLeft + kWidth, kLeft - 8, y + 4, format_significant(floor * i / 4, 3), x,
        kTop + kHeight + 18, format_significant(power * i / 4, 3));
  }
  const auto front = pareto_front(context.review);
  for (const Candidate& c : context.review.candidates) {
    if (!c.provisioned_w || !c.floor_m2) continue;
    const bool best = std::find(front.begin(), front.end(), &c) != front.end();
    svg += fmt::format(
        "<circle class=\"{}\" cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"4\"><title>{}</title></circle>",
        best ? "front" : "behind", kLeft + kWidth * c.provisioned_w->value / 1e3 / power,
        kTop + kHeight * (1 - c.floor_m2->value / floor), escape(c.evaluation.rack));
  }
  svg += fmt::format(
      "<text class=\"m\" x=\"{}\" y=\"{}\">Provisioned kW, rack AC input</text></svg></div>\n",
      kLeft + kWidth / 2, kTop + kHeight + 38);
  return fmt::format(
      "<figure><figcaption>{} on the Pareto front of provisioned power, floor and "
      "tokens per joule (filled).</figcaption>{}</figure>\n",
      counted(front.size(), "candidate is", "candidates are", true), svg);
}

}  // namespace rackwright::results
