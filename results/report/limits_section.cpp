#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "results/report/html.hpp"
#include "results/report/sections.hpp"
#include "results/report/titles.hpp"

namespace rackwright::results {

namespace {

using topology::Limit;
using topology::LimitState;

constexpr double kScaleLow = -10, kScaleHigh = 30, kBarWidth = 200;

double bar_x(double percent) {
  return (std::clamp(percent, kScaleLow, kScaleHigh) - kScaleLow) / (kScaleHigh - kScaleLow) *
         (kBarWidth - 8);
}

std::string state_class(LimitState state) {
  switch (state) {
    case LimitState::violated:
      return "violated";
    case LimitState::near:
      return "near";
    case LimitState::met:
      return "met";
    case LimitState::blank:
      break;
  }
  return "undecided";
}

std::string scale_head() {
  std::string svg = fmt::format(
      "<svg class=\"bar\" viewBox=\"0 0 {0} 14\" width=\"{0}\" height=\"14\" role=\"img\" "
      "aria-label=\"Scale from −10 to +30 percent\">",
      kBarWidth);
  for (const int percent : {0, 10, 20}) {
    svg +=
        fmt::format("<text class=\"m\" x=\"{:.1f}\" y=\"11\">{}</text>", bar_x(percent), percent);
  }
  return svg + fmt::format(
                   "<text x=\"0\" y=\"11\">−10</text><text class=\"e\" x=\"{}\" y=\"11\">30 %"
                   "</text></svg>",
                   kBarWidth);
}

std::string load_html(const ReportContext& context, const Candidate& c, const Estimate& estimate,
                      const std::string& what, const Limit& limit) {
  const Estimate shown = in_unit(
      estimate,
      display_unit(limit.limit ? std::max(std::abs(limit.load.value), std::abs(limit.limit->value))
                               : limit.load.value,
                   estimate.unit));
  return number_html(shown,
                     {context.ids.of(c.evaluation.rack, "limit." + limit.id + "." + what),
                      limit.name + ", " + what, "", limit.cause},
                     {.glyph = true, .half_width = false});
}

std::string row(const ReportContext& context, const Candidate& c, const Limit& limit) {
  std::string remedy = limit.remedy.empty() ? "–" : escape(limit.remedy);
  if (limit.remedied_margin && limit.remedy.find("margin") == std::string::npos) {
    remedy += fmt::format(" <small>{} margin</small>", percent_text(*limit.remedied_margin));
  }
  std::string name = escape(capitalised(limit.name));
  if (!limit.load.boundary.empty())
    name += fmt::format(" <small>{}</small>", escape(limit.load.boundary));
  if (!limit.promised) name += " <small>not promised by the maker</small>";
  return fmt::format(
      "<tr><td data-head=\"Domain\">{}</td><th scope=\"row\">{}</th>"
      "<td class=\"num\" data-head=\"Load\">{}</td><td class=\"num\" data-head=\"Limit\">{}</td>"
      "<td class=\"num\" data-head=\"Margin, 90 %\" data-sort=\"{:.6f}\">{}</td>"
      "<td class=\"barcell\">{}</td>"
      "<td data-head=\"Smallest change\">{}</td></tr>\n",
      escape(capitalised(limit.domain)), name, load_html(context, c, limit.load, "load", limit),
      limit.limit ? load_html(context, c, *limit.limit, "limit", limit) : blank_box(),
      limit.state == LimitState::blank ? 9.0 : limit.margin, margin_html(limit), margin_bar(limit),
      remedy);
}

}  // namespace

std::string margin_html(const Limit& limit, bool with_spread) {
  if (limit.state == LimitState::blank) return state_glyph(limit.state) + " " + blank_box();
  std::string spread;
  if (with_spread && limit.margin_high > limit.margin_low) {
    const Estimate e = between(std::min(limit.margin_low, limit.margin) * 100, limit.margin * 100,
                               std::max(limit.margin_high, limit.margin) * 100, {"%"});
    spread = fmt::format("&nbsp;<i>±&nbsp;{}</i>", format_half_width(e));
  }
  return fmt::format("<span class=\"margin {}\">{} <b>{}</b></span>{}", state_class(limit.state),
                     state_glyph(limit.state), percent_text(limit.margin), spread);
}

std::string margin_bar(const Limit& limit) {
  if (limit.state == LimitState::blank) {
    return fmt::format(
        "<svg class=\"bar\" viewBox=\"0 0 {0} 18\" width=\"{0}\" height=\"18\" "
        "aria-hidden=\"true\"><rect class=\"unknown\" x=\"{1:.1f}\" y=\"3.5\" "
        "width=\"{2:.1f}\" height=\"11\"/></svg>",
        kBarWidth, bar_x(0), bar_x(30) - bar_x(0));
  }
  const double percent = limit.margin * 100;
  const double zero = bar_x(0);
  const double end = bar_x(percent);
  std::string svg = fmt::format(
      "<svg class=\"bar\" viewBox=\"0 0 {0} 18\" width=\"{0}\" height=\"18\" aria-hidden=\"true\">"
      "<rect class=\"nearzone\" x=\"{1:.1f}\" y=\"0\" width=\"{2:.1f}\" height=\"18\"/>"
      "<rect class=\"m-{3}\" x=\"{4:.1f}\" y=\"5\" width=\"{5:.1f}\" height=\"8\"/>",
      kBarWidth, zero, bar_x(5) - zero, state_class(limit.state), std::min(zero, end),
      std::abs(end - zero));
  const bool beyond = percent > kScaleHigh || percent < kScaleLow;
  if (percent > kScaleHigh) {
    svg += fmt::format("<path class=\"m-met\" d=\"M{0:.1f} 3.5l7 5.5-7 5.5z\"/>", end);
  } else if (percent < kScaleLow) {
    svg += "<path class=\"m-violated\" d=\"M7 3.5 0 9l7 5.5z\"/>";
  } else if (limit.margin_high > limit.margin_low && !beyond) {
    svg += fmt::format(
        "<path class=\"whisker\" d=\"M{0:.1f} 9H{1:.1f}M{0:.1f} 5.5v7M{1:.1f} 5.5v7\"/>",
        bar_x(limit.margin_low * 100), bar_x(limit.margin_high * 100));
  }
  return svg + fmt::format("<path class=\"zero\" d=\"M{:.1f} 0v18\"/></svg>", zero);
}

std::string limits_section(const ReportContext& context, const Candidate& candidate,
                           std::size_t index) {
  const auto& limits = candidate.evaluation.limits;
  std::string out = section_open(
      fmt::format("limits-{}", index), limits_title(limits),
      fmt::format("{}, design envelope (a). Margin is (limit − load) / limit at the same boundary, "
                  "so 0 is the limit; for temperatures the rise over the inlet. Shaded: near, 0 to "
                  "5 %.",
                  escape(candidate.evaluation.rack)));
  if (limits.empty()) {
    return out +
           "<p>The evaluation names no limit: the design states no rating, or its load is "
           "blank (section 12).</p></section>\n";
  }
  std::vector<const Limit*> sorted;
  for (const Limit& limit : limits) sorted.push_back(&limit);
  std::stable_sort(sorted.begin(), sorted.end(), [](const Limit* a, const Limit* b) {
    const bool a_blank = a->state == LimitState::blank;
    const bool b_blank = b->state == LimitState::blank;
    return a_blank != b_blank ? b_blank : (!a_blank && a->margin < b->margin);
  });
  out += table_open("limits sortable cards", "Limits by margin, worst first",
                    {{"Domain"},
                     {"Failure or limit"},
                     {"Load", true},
                     {"Limit", true},
                     {"Margin, 90 %", true},
                     {scale_head()},
                     {"Smallest change that clears it"}});
  for (const Limit* limit : sorted) out += row(context, candidate, *limit);
  return out + table_close() + "</section>\n";
}

}  // namespace rackwright::results
