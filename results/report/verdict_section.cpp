#include <algorithm>
#include <array>
#include <cmath>

#include <fmt/format.h>

#include "results/report/html.hpp"
#include "results/report/sections.hpp"
#include "results/verdict_text.hpp"

namespace rackwright::results {

namespace {

using topology::Limit;
using topology::LimitState;

/// "as measured" is one where power of some candidate's device was measured.
int load_cases(const Review& review) {
  const bool measured = std::any_of(
      review.candidates.begin(), review.candidates.end(), [](const Candidate& candidate) {
        return candidate.evaluation.figures.find("power.rack_ac.as_measured") != nullptr;
      });
  return topology::kLoadCaseCount - (measured ? 0 : 1);
}

std::string masthead(const Review& review) {
  const auto n = review.candidates.size();
  return fmt::format(
      "<header class=\"mast\"><p><b>Co-design review</b> · {} · seed {}</p>"
      "<p>{} {} · {} load cases · SLO: {}</p></header>\n",
      escape(review.subject.empty() ? review.workload : review.subject), review.seed, n,
      n == 1 ? "candidate" : "candidates", load_cases(review), slo_text(review.slo));
}

std::string key_figure(const std::string& label, const std::optional<Estimate>& value,
                       const NumberNote& note, const std::string& below,
                       const std::string& css = "", bool sign = false) {
  const std::string glyph = value ? origin_glyph(value->origin) + " " : "";
  const std::string number = value ? number_html(*value, note, {.sign = sign}) : blank_box();
  return fmt::format("<div class=\"{}\"><dt>{}{}</dt><dd class=\"key\">{}</dd><dd>{}</dd></div>\n",
                     css, glyph, label, number, below);
}

std::string joined(const std::string& a, const std::string& b) {
  return a.empty() ? b : b.empty() ? a : a + " · " + b;
}

Estimate margin_estimate(const Limit& limit) {
  Estimate e =
      exact(limit.margin * 100,
            {"%", weakest(limit.load.origin, limit.limit ? limit.limit->origin : limit.load.origin),
             limit.load.boundary, limit.load.extrapolated});
  e.low = limit.margin_low * 100;
  e.high = limit.margin_high * 100;
  return e;
}

std::string provisioned_key(const Candidate& c, const NumberNote& note) {
  std::string label = "Provisioned";
  std::string below = c.provisioned_w ? c.provisioned_w->boundary : "";
  if (c.racks && c.racks->value > 0) {
    label +=
        fmt::format(", {} {}", count_text(c.racks->value), c.racks->value == 1 ? "rack" : "racks");
    if (const auto* each = c.evaluation.figures.find("power.rack_ac.design_envelope");
        each != nullptr && c.racks->value > 1) {
      Estimate shown = for_display(each->estimate);
      below = joined(below, number_text(shown, {.half_width = false}) + " each");
    }
  }
  std::optional<Estimate> value;
  if (c.provisioned_w) value = for_display(*c.provisioned_w);
  return key_figure(label, value, note, escape(below));
}

std::string worst_margin_key(const Candidate& c) {
  if (!c.closest || c.closest->state == LimitState::blank) {
    return key_figure("Worst margin", std::nullopt, {}, "no promised limit can be judged");
  }
  const Limit& limit = *c.closest;
  std::string below = joined(capitalised(limit.name), limit.load.boundary);
  if (limit.remedied_margin) {
    below = joined(below, "after the change: " + percent_text(*limit.remedied_margin));
  }
  const std::string css = limit.state == LimitState::violated ? "violated"
                          : limit.state == LimitState::near   ? "near"
                                                              : "";
  return key_figure("Worst margin", margin_estimate(limit),
                    {"", limit.name, "", "(limit − load) / limit at one boundary"}, escape(below),
                    css, true);
}

std::string key_figures(const ReportContext& context) {
  if (context.subject == nullptr) return "";
  const Candidate& c = *context.subject;
  const auto note = [&](const std::string& key, const std::string& label) {
    return NumberNote{context.ids.of(c.evaluation.rack, key), label, "", ""};
  };
  std::optional<Estimate> metric;
  if (c.metric) metric = in_unit(*c.metric, context.metric_unit);
  std::optional<Estimate> energy;
  if (c.tokens_per_joule) energy = for_display(*c.tokens_per_joule);
  const auto tag = [](const std::optional<Estimate>& e) {
    return e ? escape(joined(e->boundary, e->extrapolated ? "part extrapolated" : ""))
             : std::string("needs the values in section 12");
  };
  const std::string label = capitalised(context.review.rank_by_label);
  std::string out = "<dl class=\"keys\">\n";
  out += key_figure(escape(label), metric, note("candidate.metric", label), tag(metric));
  out += provisioned_key(c, note("candidate.provisioned_w", "Provisioned power"));
  out += worst_margin_key(c);
  out += key_figure("Output energy, trace at SLO capacity", energy,
                    note("candidate.tokens_per_joule", "Tokens per joule at SLO capacity"),
                    tag(energy));
  return out + "</dl>\n";
}

/// A sentence: capital and full stop.
std::string sentence(const std::string& text) {
  std::string out = capitalised(text);
  if (!out.empty() && out.back() != '.') out += '.';
  return out;
}

std::string what_limits(const Candidate& c) {
  std::string out = "<div><h2 class=\"small\">What limits it</h2><ul class=\"lines\">";
  std::size_t shown = 0;
  for (const Limit& limit : c.evaluation.limits) {
    if (limit.state == LimitState::blank || shown == 3) continue;
    ++shown;
    std::string effect;
    if (!limit.remedy.empty()) {
      effect = " " + sentence(limit.remedy);
      if (limit.remedied_margin && limit.remedy.find("margin") == std::string::npos) {
        effect.pop_back();
        effect += fmt::format(" ({} margin).", percent_text(*limit.remedied_margin));
      }
    }
    out += fmt::format("<li>{} <b>{}</b> {}.{}</li>", state_glyph(limit.state),
                       escape(capitalised(limit.name)), percent_text(limit.margin), escape(effect));
  }
  if (shown == 0) out += "<li>No limit could be judged.</li>";
  return out + "</ul></div>\n";
}

std::string what_would_change(const Review& review) {
  std::string out =
      "<div><h2 class=\"small\">What would change the verdict</h2><ul class=\"lines\">";
  for (std::size_t i = 0; i < std::min<std::size_t>(3, review.thresholds.size()); ++i) {
    out += fmt::format("<li><b>{}</b>: {}</li>", escape(review.thresholds[i].change),
                       escape(review.thresholds[i].effect));
  }
  if (review.thresholds.empty()) {
    out += review.candidates.size() < 2
               ? "<li>A second candidate: one rack alone has no rank.</li>"
               : "<li>No single number within its interval changes it.</li>";
  }
  return out + "</ul></div>\n";
}

std::string rests_on(const Review& review) {
  std::array<std::size_t, 4> count{};
  std::size_t extrapolated = 0;
  for (const Candidate& c : review.candidates) {
    for (const topology::Figure& figure : c.evaluation.figures.all()) {
      ++count[static_cast<std::size_t>(figure.estimate.origin)];
      if (figure.estimate.extrapolated) ++extrapolated;
    }
  }
  const std::size_t blanks = blank_inputs(review).size();
  const std::size_t total = count[0] + count[1] + count[2] + count[3];
  std::string out = "<div><h2 class=\"small\">What the numbers rest on</h2>";
  std::string bar;
  std::string legend;
  for (std::size_t i = 0; i < count.size(); ++i) {
    const auto origin = static_cast<Origin>(i);
    if (count[i] > 0) {
      bar += fmt::format("<span class=\"b-{}\" style=\"flex-grow:{}\"></span>", to_string(origin),
                         count[i]);
    }
    legend += fmt::format("<li>{} {} {}</li>", origin_glyph(origin),
                          count_text(static_cast<double>(count[i])), to_string(origin));
  }
  if (total > 0) out += "<div class=\"stack\" aria-hidden=\"true\">" + bar + "</div>";
  out += "<ul class=\"legend\">" + legend + "</ul>";
  out += fmt::format(
      "<p class=\"note\"><span class=\"x\"><span class=\"u\">Dotted underline</span></span>: "
      "extrapolated, {} of {}. <b>{} {} blank</b>{}</p></div>\n",
      count_text(static_cast<double>(extrapolated)), count_text(static_cast<double>(total)), blanks,
      blanks == 1 ? "input is" : "inputs are",
      blanks == 0 ? "." : " and returned as requirements.");
  return out;
}

}  // namespace

std::string verdict_section(const ReportContext& context) {
  const Review& review = context.review;
  std::string out = masthead(review);
  std::string headline = review.headline;
  if (headline.empty()) headline = "No candidate was given";
  out += fmt::format("<section id=\"verdict\" aria-label=\"Verdict\">\n<h1>{}</h1>\n",
                     escape(headline));
  if (!review.reason.empty()) {
    out += fmt::format("<p class=\"reason\">{}</p>\n", escape(review.reason));
  }
  if (context.subject != nullptr && !has_winner(review)) {
    out += fmt::format(
        "<p class=\"note\">The figures below are those of {}, {}.</p>\n",
        escape(context.subject->evaluation.rack),
        context.subject->closest ? "the nearest to its limits being held" : "the first candidate");
  }
  out += key_figures(context);
  out += "<div class=\"three\">\n";
  if (context.subject != nullptr) out += what_limits(*context.subject);
  out += what_would_change(review) + rests_on(review) + "</div>\n</section>\n";
  return out;
}

}  // namespace rackwright::results
