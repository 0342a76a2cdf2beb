#include "results/report/titles.hpp"

#include <algorithm>
#include <cmath>
#include <optional>

#include <fmt/format.h>

#include "results/report/html.hpp"
#include "results/report/number.hpp"

namespace rackwright::results {

namespace {

using topology::Limit;
using topology::LimitState;

constexpr std::size_t kNamedInARun = 6;

std::size_t count_state(const std::vector<const Limit*>& limits, LimitState state) {
  return static_cast<std::size_t>(std::count_if(limits.begin(), limits.end(),
                                                [&](const Limit* l) { return l->state == state; }));
}

std::vector<const Limit*> pointers(const std::vector<Limit>& limits) {
  std::vector<const Limit*> out;
  for (const Limit& limit : limits) out.push_back(&limit);
  return out;
}

std::string lower_first(std::string text) {
  if (text.size() > 1 && text[0] >= 'A' && text[0] <= 'Z' && !(text[1] >= 'A' && text[1] <= 'Z')) {
    text[0] = static_cast<char>(text[0] - 'A' + 'a');
  }
  return text;
}

std::vector<const Candidate*> ranked(const Review& review) {
  std::vector<const Candidate*> out;
  for (const Candidate& c : review.candidates) {
    if (c.rank > 0) out.push_back(&c);
  }
  std::stable_sort(out.begin(), out.end(),
                   [](const Candidate* a, const Candidate* b) { return a->rank < b->rank; });
  return out;
}

bool has_least(const std::vector<const Candidate*>& all,
               std::optional<Estimate> Candidate::*quantity) {
  const auto& best = all.front()->*quantity;
  if (!best) return false;
  return std::all_of(all.begin() + 1, all.end(), [&](const Candidate* c) {
    return (c->*quantity) && best->value < (c->*quantity)->value;
  });
}

}  // namespace

double share_above(const topology::TimelineLane& lane, double value) {
  const std::size_t n = std::min(lane.t_s.size(), lane.max.size());
  if (n == 0) return 0;
  double above = 0;
  double total = 0;
  for (std::size_t i = 0; i < n; ++i) {
    const double width = i + 1 < n ? lane.t_s[i + 1] - lane.t_s[i]
                         : n > 1   ? lane.t_s[i] - lane.t_s[i - 1]
                                   : 1;
    total += width;
    if (lane.max[i] > value) above += width;
  }
  return total > 0 ? above / total : 0;
}

std::string candidates_title(const Review& review) {
  if (review.candidates.empty()) return "No candidate was given";
  const auto all = ranked(review);
  const std::size_t undecided = static_cast<std::size_t>(
      std::count_if(review.candidates.begin(), review.candidates.end(),
                    [](const Candidate& c) { return c.verdict == Verdict::undecided; }));
  if (all.empty()) {
    if (undecided == review.candidates.size()) {
      return "No candidate can be judged: blanks decide each of them";
    }
    if (undecided > 0) {
      return fmt::format("No candidate holds every limit; {} cannot be judged",
                         number_word(undecided));
    }
    return "No candidate holds every limit";
  }
  const std::string& name = all.front()->evaluation.rack;
  if (review.candidates.size() == 1) return fmt::format("{} is the only candidate", name);
  if (all.size() == 1) return fmt::format("Only {} holds every limit, or can be made to", name);
  const auto tied = std::count_if(all.begin(), all.end(),
                                  [&](const Candidate* c) { return c->rank == all[0]->rank; });
  if (tied > 1) {
    const std::string others =
        tied == 2 ? all[1]->evaluation.rack : fmt::format("{} others", tied - 1);
    return fmt::format("{} and {} cannot be told apart at this uncertainty", name, others);
  }
  const std::string who = undecided > 0 ? "Of the racks that can be judged, " : "";
  const bool power = has_least(all, &Candidate::provisioned_w);
  const bool floor = has_least(all, &Candidate::floor_m2);
  if (power && floor) return fmt::format("{}{} needs least power and floor", who, name);
  if (power) return fmt::format("{}{} needs least power", who, name);
  if (floor) return fmt::format("{}{} needs least floor", who, name);
  return fmt::format("{}{} leads in {}", who, name, review.rank_by_label);
}

std::string candidates_remark(const Review& review) {
  const auto all = ranked(review);
  // Those that share a rank: "a, b and c".
  std::string text;
  for (std::size_t i = 0; i < all.size();) {
    std::size_t end = i + 1;
    while (end < all.size() && all[end]->rank == all[i]->rank) ++end;
    if (end - i > 1) {
      text += text.empty() ? "" : "; ";
      // A long run is named by its first; the table holds the rest.
      const std::size_t named = end - i > kNamedInARun ? i + kNamedInARun - 1 : end;
      for (std::size_t j = i; j < named; ++j) {
        text += j == i ? "" : j + 1 == end ? " and " : ", ";
        text += all[j]->evaluation.rack;
      }
      if (named < end) text += fmt::format(" and {} more", end - named);
    }
    i = end;
  }
  if (!text.empty()) {
    text +=
        " share a rank: the 90 % interval of their ratio holds 1, treat them as equal. Errors that "
        "two racks have in common (requests, one operator model) cancel in the ratio.";
  }
  if (all.size() < review.candidates.size()) {
    if (!text.empty()) text += " ";
    text += "Not feasible and undecided racks carry no rank and are kept in view.";
  }
  return text;
}

std::string elevation_title(const topology::RackEvaluation& evaluation) {
  const topology::TrayState* hot = nullptr;
  const topology::TrayState* heavy = nullptr;
  double coolest = 0;
  double total_w = 0;
  for (const topology::TrayState& tray : evaluation.trays) {
    if (tray.rating_w > 0) continue;
    total_w += tray.power_w;
    if (heavy == nullptr || tray.power_w > heavy->power_w) heavy = &tray;
    if (tray.hottest_c && (hot == nullptr || *tray.hottest_c > *hot->hottest_c)) hot = &tray;
  }
  if (hot != nullptr) {
    coolest = *hot->hottest_c;
    for (const topology::TrayState& tray : evaluation.trays) {
      if (tray.hottest_c && tray.hottest_part == hot->hottest_part) {
        coolest = std::min(coolest, *tray.hottest_c);
      }
    }
    const double spread = *hot->hottest_c - coolest;
    const std::string part = hot->hottest_part.empty() ? "part" : lower_first(hot->hottest_part);
    if (spread >= 0.5) {
      return fmt::format("Tray {} runs hottest, {} {} °C, {} K over the coolest of its kind",
                         hot->slot, part, format_significant(*hot->hottest_c, 3),
                         format_significant(spread, 2));
    }
    return fmt::format("Trays run alike, {} at {} °C", part,
                       format_significant(*hot->hottest_c, 3));
  }
  if (heavy != nullptr && total_w > 0) {
    return fmt::format("Tray {} draws most, {} of {} kW; no temperature is known", heavy->slot,
                       format_significant(heavy->power_w / 1e3, 3),
                       format_significant(total_w / 1e3, 3));
  }
  return "Power and temperature of the trays are blank";
}

std::string timeline_title(const topology::RackEvaluation& evaluation) {
  if (evaluation.timelines.empty()) return "There is no trace on this rack to draw over time";
  const topology::TimelineLane& lane = evaluation.timelines.front();
  const topology::TimelineLane::Line* passed = nullptr;
  bool any_limit = false;
  for (const topology::TimelineLane& each : evaluation.timelines) {
    for (const auto& line : each.lines) {
      if (!line.is_limit) continue;
      any_limit = true;
      if (passed == nullptr && each.peak > line.value) {
        passed = &line;
        const double share = share_above(each, line.value);
        return fmt::format("{} passes {} {}, {}, in at most {} % of the time", each.label,
                           format_significant(line.value, 3),
                           each.unit == "degC" ? "°C" : each.unit, lower_first(line.label),
                           format_significant(std::max(share * 100, 0.1), 2));
      }
    }
  }
  const std::string peak = fmt::format("{} {}", format_significant(lane.peak, 3), lane.unit);
  if (any_limit) return fmt::format("{} peaks at {} and stays under each limit", lane.label, peak);
  return fmt::format("{} peaks at {}; no limit is known", lane.label, peak);
}

std::string limits_title(const std::vector<Limit>& limits) {
  if (limits.empty()) return "No limit was judged";
  const auto all = pointers(limits);
  const std::size_t violated = count_state(all, LimitState::violated);
  const std::size_t near = count_state(all, LimitState::near);
  const std::size_t blank = count_state(all, LimitState::blank);
  const std::size_t met = count_state(all, LimitState::met);
  if (blank == limits.size()) {
    return blank == 1 ? "The one limit cannot be judged" : "No limit can be judged";
  }
  std::string text;
  if (violated > 0) {
    text = counted(violated, "limit is violated", "limits are violated", true);
    if (near > 0) text += fmt::format(", {} {} near", number_word(near), near == 1 ? "is" : "are");
  } else if (near > 0) {
    text = counted(near, "limit is near", "limits are near", true) + ", none is violated";
  } else {
    text = blank > 0  ? counted(met, "limit holds", "limits hold", true)
           : met == 1 ? "The one limit holds"
           : met == 2 ? "Both limits hold"
                      : fmt::format("All {} limits hold", number_word(met));
  }
  if (blank > 0) text += fmt::format("; {} cannot be judged", number_word(blank));
  return text;
}

std::string domain_title(const std::string& topic, const std::vector<const Limit*>& limits,
                         std::size_t figures) {
  std::string subject = topic;
  subject[0] = static_cast<char>(subject[0] - 'a' + 'A');
  const Limit* tightest = nullptr;
  for (const Limit* limit : limits) {
    if (limit->state == LimitState::blank) continue;
    if (tightest == nullptr || limit->margin < tightest->margin) tightest = limit;
  }
  if (tightest != nullptr) {
    // A name that has a colon itself continues after a comma.
    std::string name = lower_first(tightest->name);
    if (const auto colon = name.find(": "); colon != std::string::npos) name[colon] = ',';
    return fmt::format("{} is tightest at {}: {}", subject, percent_text(tightest->margin), name);
  }
  if (!limits.empty()) {
    return fmt::format("{}: {} cannot be judged", subject,
                       counted(limits.size(), "limit", "limits"));
  }
  if (figures > 0) {
    return fmt::format("{}: {} known, no limit judged", subject,
                       counted(figures, "figure is", "figures are"));
  }
  return fmt::format("{} was not evaluated", subject);
}

std::string bom_title(const std::vector<topology::BomLine>& bom) {
  if (bom.empty()) return "There is no bill of material";
  const auto blank = static_cast<std::size_t>(std::count_if(
      bom.begin(), bom.end(), [](const topology::BomLine& l) { return !l.unit_usd_low; }));
  const std::string lines = counted(bom.size(), "line to order", "lines to order", true);
  if (blank == 0) return lines + ", each with a price range";
  if (blank == bom.size()) return lines + "; every price is blank";
  return fmt::format("{}; {} blank", lines, counted(blank, "price is", "prices are"));
}

std::string provenance_title(const std::vector<ProvenanceEntry>& entries) {
  if (entries.empty()) return "No number supports a verdict";
  const auto extrapolated = static_cast<std::size_t>(
      std::count_if(entries.begin(), entries.end(),
                    [](const ProvenanceEntry& e) { return e.figure.estimate.extrapolated; }));
  const std::string base =
      fmt::format("The verdict rests on {}", counted(entries.size(), "number", "numbers"));
  if (extrapolated == 0) return base + ", none extrapolated";
  if (extrapolated == entries.size())
    return base + (entries.size() == 1 ? ", extrapolated" : ", all extrapolated");
  return fmt::format("{}, {} of them extrapolated", base, number_word(extrapolated));
}

std::string requirements_title(std::size_t blanks, std::size_t deciding) {
  if (blanks == 0) return "No input is blank";
  std::string text = counted(blanks, "input is blank", "inputs are blank", true);
  if (deciding == 0) return text + "; none of them decides the verdict";
  return fmt::format("{}; {} a verdict", text,
                     counted(deciding, "of them decides", "of them decide"));
}

}  // namespace rackwright::results
