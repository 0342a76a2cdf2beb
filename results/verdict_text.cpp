#include "results/verdict_text.hpp"

#include <algorithm>
#include <cctype>
#include <cmath>

#include <fmt/format.h>

#include "results/comparison.hpp"
#include "results/ranking.hpp"

namespace rackwright::results {

namespace {

/// A remedy inside a sentence: no capital, no full stop.
std::string inside_sentence(std::string text) {
  while (!text.empty() && (text.back() == '.' || text.back() == ' ')) text.pop_back();
  const bool word = text.size() > 1 && std::islower(static_cast<unsigned char>(text[1])) != 0;
  if (word) text[0] = static_cast<char>(std::tolower(static_cast<unsigned char>(text[0])));
  return text;
}

bool overlap(const Estimate& a, const Estimate& b) {
  return a.low <= b.high && b.low <= a.high;
}

std::string conditions(const Candidate& candidate) {
  std::string text;
  const auto changes = judge(candidate.evaluation).changes;
  for (std::size_t i = 0; i < changes.size(); ++i) {
    if (i > 0) text += i + 1 == changes.size() ? " and " : ", ";
    text += inside_sentence(changes[i]);
  }
  return text;
}

std::string condition_clause(const Candidate& candidate) {
  const std::string text = conditions(candidate);
  return text.empty() ? "" : ", and " + text;
}

std::vector<const Candidate*> leaders(const Review& review) {
  std::vector<const Candidate*> result;
  for (const Candidate& candidate : review.candidates) {
    if (candidate.rank == 1) result.push_back(&candidate);
  }
  return result;
}

/// "A and B", "A and 3 others".
std::string names_of(const std::vector<const Candidate*>& candidates) {
  const std::string& first = candidates.front()->design.id;
  if (candidates.size() == 2) return first + " and " + candidates[1]->design.id;
  return fmt::format("{} and {} others", first, candidates.size() - 1);
}

/// What tells tied candidates apart where the ranking does not: one that needs less of something.
std::string tie_breaker(const std::vector<const Candidate*>& tied) {
  struct Property {
    std::optional<Estimate> Candidate::*value;
    const char* phrase;
  };
  for (const Property& property : {Property{&Candidate::floor_m2, "less floor"},
                                   Property{&Candidate::provisioned_w, "less provisioned power"},
                                   Property{&Candidate::racks, "fewer racks"}}) {
    const Candidate* least = nullptr;
    const Candidate* next = nullptr;
    bool known = true;
    for (const Candidate* candidate : tied) {
      const auto& value = candidate->*(property.value);
      if (!value) {
        known = false;
      } else if (least == nullptr || value->value < (least->*(property.value))->value) {
        next = least;
        least = candidate;
      } else if (next == nullptr || value->value < (next->*(property.value))->value) {
        next = candidate;
      }
    }
    if (!known || least == nullptr || next == nullptr) continue;
    const Estimate& a = *(least->*(property.value));
    const Estimate& b = *(next->*(property.value));
    if (!(b.value > 0) || overlap(a, b)) continue;
    return fmt::format("{} needs {:.0f} % {} than {}", least->design.id,
                       100 * (1 - a.value / b.value), property.phrase, next->design.id);
  }
  return "";
}

const topology::Limit* worst_limit(const Candidate& candidate) {
  const topology::Limit* worst = nullptr;
  for (const topology::Limit& limit : candidate.evaluation.limits) {
    if (!limit.promised || limit.state == topology::LimitState::blank) continue;
    if (worst == nullptr || limit.margin < worst->margin) worst = &limit;
  }
  return worst;
}

const Candidate* nearest_of(const Review& review, Verdict verdict) {
  for (const Candidate& candidate : review.candidates) {
    if (candidate.verdict == verdict) return &candidate;  // worst margins come last
  }
  return nullptr;
}

std::string margin_text(double margin) {
  return fmt::format("{}{:.1f} %", margin < 0 ? "\u2212" : "+", std::abs(margin) * 100);
}

std::string violation_text(const Candidate& candidate) {
  const topology::Limit* limit = worst_limit(candidate);
  if (limit == nullptr || limit->margin >= 0) {
    return fmt::format("{} cannot carry the service within its limits", candidate.design.id);
  }
  std::string text = fmt::format("{} violates \"{}\" by {:.1f} %", candidate.design.id, limit->name,
                                 -100 * limit->margin);
  if (!limit->remedy.empty()) text += "; smallest change: " + inside_sentence(limit->remedy);
  return text;
}

/// What a blank stands in the way of, for sentences.
std::string deciding_blank(const Candidate& candidate) {
  for (const topology::Requirement& requirement : candidate.evaluation.requirements) {
    if (requirement.decides) return requirement.input;
  }
  return "its service";
}

std::string size_text(const Review& review, const Candidate& candidate) {
  if (!candidate.racks) return "";
  std::string text =
      fmt::format("{} of {} {}", quantity_text(candidate.racks->value, "racks"),
                  candidate.design.id, candidate.racks->value == 1 ? "carries" : "carry");
  text += fmt::format(" {} within the SLO ({})", quantity_text(review.demand.value, "tok/s"),
                      slo_text(review.slo));
  if (candidate.provisioned_w) {
    text += fmt::format(" on {} provisioned at rack AC input",
                        quantity_text(candidate.provisioned_w->value, "W"));
  }
  return text;
}

/// "31 ± 11 % more output tokens per second per provisioned MW than rdhx-32".
std::string lead_text(const Review& review, const Candidate& winner, const Candidate& next) {
  const RankMetric& metric = find_rank_metric(review.rank_by);
  const auto comparison = compare(winner, next, metric.higher_is_better);
  if (!comparison) return "";
  const Estimate& share = comparison->ratio;
  const double lead = metric.higher_is_better ? share.value - 1 : 1 - share.value;
  Estimate percent = exact(100 * lead, {"%"});
  percent.low = percent.value - 50 * (share.high - share.low);
  percent.high = percent.value + 50 * (share.high - share.low);
  const std::string half = format_half_width(percent);
  return fmt::format("{}{} % {} than {}", format_value(percent), half.empty() ? "" : " ± " + half,
                     metric.lead, next.design.id);
}

/// "gb300-nvl72 over gb200-nvl72: 1.06, 90 % interval 0.88 to 1.28".
std::string ratio_text(const Review& review, const Candidate& first, const Candidate& second) {
  const auto comparison = compare(first, second, review.higher_is_better);
  if (!comparison) return "";
  const Estimate& share = comparison->ratio;
  return fmt::format("{} over {}: {:.2f}, 90 % interval {:.2f} to {:.2f}", first.design.id,
                     second.design.id, share.value, share.low, share.high);
}

const Candidate* next_rank(const Review& review) {
  for (const Candidate& candidate : review.candidates) {
    if (candidate.rank > 1) return &candidate;
  }
  return nullptr;
}

std::string undecided_text(const Review& review) {
  std::size_t undecided = 0;
  const Candidate* first = nullptr;
  for (const Candidate& candidate : review.candidates) {
    if (candidate.verdict != Verdict::undecided) continue;
    ++undecided;
    if (first == nullptr) first = &candidate;
  }
  if (first == nullptr) return "";
  return fmt::format(
      " {} undecided: {} needs {}.",
      undecided == 1 ? "One candidate is" : fmt::format("{} candidates are", undecided),
      first->design.id, deciding_blank(*first));
}

std::string single_headline(const Candidate& candidate) {
  const std::string& id = candidate.design.id;
  switch (candidate.verdict) {
    case Verdict::feasible:
      return id + " holds every limit.";
    case Verdict::feasible_after_change:
      return fmt::format(
          "{} holds every limit after {}: {}.", id,
          candidate.changes == 1 ? "one change" : fmt::format("{} changes", candidate.changes),
          conditions(candidate));
    case Verdict::not_feasible: {
      const topology::Limit* limit = worst_limit(candidate);
      return limit == nullptr ? id + " does not carry this workload."
                              : fmt::format("{} does not hold \"{}\".", id, limit->name);
    }
    case Verdict::undecided:
      break;
  }
  return fmt::format("{} is undecided: it needs {}.", id, deciding_blank(candidate));
}

}  // namespace

std::string quantity_text(double value, const std::string& unit) {
  const auto text = [&](double factor, const char* shown) {
    return format_significant(value * factor, 3) + " " + shown;
  };
  const double size = std::abs(value);
  if (unit == "W") {
    return size < 1e3 ? text(1, "W") : size < 9.9995e6 ? text(1e-3, "kW") : text(1e-6, "MW");
  }
  if (unit == "tok/s") {
    return size < 1e4 ? text(1, "tok/s") : size < 1e6 ? text(1e-3, "ktok/s") : text(1e-6, "Mtok/s");
  }
  if (unit == "racks") return fmt::format("{:.0f} {}", value, value == 1 ? "rack" : "racks");
  if (unit == "degC") return text(1, "°C");
  if (unit == "m2") return text(1, "m²");
  if (unit == "1") return text(100, "%");
  return text(1, unit.c_str());
}

std::string slo_text(const workloads::Slo& slo) {
  return fmt::format("TTFT P{0:g} ≤ {1:g} ms, TPOT P{0:g} ≤ {2:g} ms", slo.percentile * 100,
                     slo.ttft_s * 1e3, slo.tpot_s * 1e3);
}

Outcome outcome_of(const Review& review) {
  if (review.candidates.size() == 1) return Outcome::single;
  const std::size_t first = leaders(review).size();
  if (first > 1) return Outcome::tie;
  if (first == 1) return next_rank(review) != nullptr ? Outcome::winner : Outcome::only_feasible;
  return nearest_of(review, Verdict::undecided) != nullptr ? Outcome::undecided
                                                           : Outcome::none_feasible;
}

std::string headline(const Review& review) {
  switch (outcome_of(review)) {
    case Outcome::single:
      return single_headline(review.candidates.front());
    case Outcome::winner:
    case Outcome::only_feasible: {
      const Candidate& winner = review.candidates.front();
      return fmt::format("Take {}{}.", winner.design.id, condition_clause(winner));
    }
    case Outcome::tie: {
      const auto tied = leaders(review);
      std::string text = fmt::format("{} cannot be told apart", names_of(tied));
      const std::string breaker = tie_breaker(tied);
      return breaker.empty() ? text + "." : fmt::format("{}; {}.", text, breaker);
    }
    case Outcome::none_feasible: {
      const Candidate* nearest = nearest_of(review, Verdict::not_feasible);
      return nearest == nullptr ? "No candidate holds every limit."
                                : fmt::format("No candidate holds every limit; {} is nearest.",
                                              nearest->design.id);
    }
    case Outcome::undecided:
      break;
  }
  const bool all = nearest_of(review, Verdict::not_feasible) == nullptr;
  return all ? "No candidate can be judged: each has a blank that decides."
             : "No candidate is known to hold every limit: the rest have blanks that decide.";
}

std::string reason(const Review& review) {
  const Outcome outcome = outcome_of(review);
  const Candidate& first = review.candidates.front();
  std::string text;
  if (first.rank == 1) {
    text = size_text(review, first);
    if (!text.empty()) text += ".";
  }
  switch (outcome) {
    case Outcome::winner: {
      const std::string lead = lead_text(review, first, *next_rank(review));
      if (!lead.empty()) text += " That is " + lead + ".";
      return text + undecided_text(review);
    }
    case Outcome::only_feasible:
      return text +
             fmt::format(" It is the only one of {} candidates known to hold every limit.",
                         review.candidates.size()) +
             undecided_text(review);
    case Outcome::tie: {
      const auto tied = leaders(review);
      return text +
             fmt::format(" In {} the interval of their ratio holds 1 ({}): treat them as equal.",
                         review.rank_by_label, ratio_text(review, *tied[0], *tied[1])) +
             undecided_text(review);
    }
    case Outcome::none_feasible:
      return violation_text(first) + ".";
    case Outcome::undecided: {
      const Candidate* open = nearest_of(review, Verdict::undecided);
      return fmt::format("{} needs {}.", open->design.id, deciding_blank(*open));
    }
    case Outcome::single:
      break;
  }
  if (first.verdict == Verdict::not_feasible) return violation_text(first) + ".";
  if (first.verdict == Verdict::undecided) {
    return fmt::format("Nothing else stands in its way: {} is the input that decides.",
                       deciding_blank(first));
  }
  const topology::Limit* limit = worst_limit(first);
  if (limit != nullptr) {
    text +=
        fmt::format(" Its closest limit is \"{}\" at {}.", limit->name, margin_text(limit->margin));
  }
  return text;
}

}  // namespace rackwright::results
