#include "results/ranking.hpp"

#include <algorithm>
#include <cctype>

#include <fmt/format.h>

#include "common/input_error.hpp"
#include "results/comparison.hpp"

namespace rackwright::results {

namespace {

void replace_all(std::string& text, const std::string& from, const std::string& to) {
  if (from.empty()) return;
  for (auto at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
}

/// A remedy without its effect: "Cap the rack at 135 kW" of "Cap the rack at 135 kW (GPU at 1305
/// W): +0.3 % margin".
std::string action_of(const std::string& remedy) {
  const auto effect = remedy.find(": ");
  std::string action = remedy.substr(0, effect);
  if (action.ends_with(")")) action.erase(std::min(action.rfind(" ("), action.size()));
  return action;
}

/// The action with its numbers and the name of the failure taken out: what kind of change it is.
std::string kind_of(const topology::Limit& limit) {
  std::string action = action_of(limit.remedy);
  replace_all(action, limit.failure, limit.failure_unit);
  std::string kind;
  for (std::size_t i = 0; i < action.size(); ++i) {
    const auto is_digit = [&](std::size_t at) {
      return at < action.size() && std::isdigit(static_cast<unsigned char>(action[at])) != 0;
    };
    const bool in_number =
        is_digit(i) || (action[i] == '.' && i > 0 && is_digit(i - 1) && is_digit(i + 1));
    if (!in_number) {
      kind += action[i];
    } else if (kind.empty() || kind.back() != '#') {
      kind += '#';
    }
  }
  return kind;
}

int order_of(Verdict verdict) {
  if (can_be_ranked(verdict)) return 0;
  return verdict == Verdict::not_feasible ? 1 : 2;
}

/// Equal values are a tie also without any error.
bool cannot_be_told_apart(const Candidate& a, const Candidate& b, bool higher_is_better) {
  const auto comparison = compare(a, b, higher_is_better);
  return comparison ? comparison->tied() : a.metric->value == b.metric->value;
}

}  // namespace

std::string_view to_string(Verdict v) {
  switch (v) {
    case Verdict::feasible:
      return "Feasible";
    case Verdict::feasible_after_change:
      return "Feasible after one change";
    case Verdict::not_feasible:
      return "Not feasible";
    case Verdict::undecided:
      return "Undecided";
  }
  return "";
}

const std::vector<RankMetric>& all_rank_metrics() {
  static const std::vector<RankMetric> metrics = {
      {"tokens_per_s_per_mw", "output tokens per second per provisioned MW",
       "more output tokens per second per provisioned MW", true, &Candidate::tokens_per_s_per_mw},
      {"tokens_per_joule", "output tokens per joule", "more output tokens per joule", true,
       &Candidate::tokens_per_joule},
      {"tokens_per_s_per_rack", "output tokens per second per rack",
       "more output tokens per second per rack", true, &Candidate::tokens_per_s_per_rack},
      {"racks", "racks", "fewer racks", false, &Candidate::racks},
      {"provisioned_w", "provisioned power", "less provisioned power", false,
       &Candidate::provisioned_w},
      {"floor_m2", "floor area", "less floor area", false, &Candidate::floor_m2},
  };
  return metrics;
}

const RankMetric& find_rank_metric(std::string_view key) {
  std::string expected;
  std::vector<std::string> known = rank_metrics();
  for (const RankMetric& metric : all_rank_metrics()) {
    if (metric.key == key) return metric;
    expected += (expected.empty() ? "one of " : ", ") + std::string(metric.key);
  }
  std::string found = fmt::format("\"{}\"", key);
  if (const auto near = nearest_word(key, known); !near.empty()) {
    found += fmt::format("; did you mean \"{}\"?", near);
  }
  throw InputError(InputProblem{"", 0, "--rank-by", expected, found});
}

std::vector<std::string> rank_metrics() {
  std::vector<std::string> keys;
  for (const RankMetric& metric : all_rank_metrics()) keys.emplace_back(metric.key);
  return keys;
}

std::string_view label_of_metric(std::string_view key) {
  for (const RankMetric& metric : all_rank_metrics()) {
    if (metric.key == key) return metric.label;
  }
  return "";
}

Judgement judge(const topology::RackEvaluation& evaluation) {
  Judgement result;
  std::vector<const topology::Limit*> violated;
  for (const topology::Limit& limit : evaluation.limits) {
    if (limit.promised && limit.state == topology::LimitState::violated) violated.push_back(&limit);
  }
  std::stable_sort(violated.begin(), violated.end(),
                   [](const auto* a, const auto* b) { return a->margin < b->margin; });
  std::vector<std::string> kinds;
  std::vector<const topology::Limit*> first_of_kind;
  for (const topology::Limit* limit : violated) {
    if (limit->remedy.empty() || !limit->remedied_margin || *limit->remedied_margin < 0) {
      return {Verdict::not_feasible, {}};
    }
    const std::string kind = kind_of(*limit);
    const auto known = std::find(kinds.begin(), kinds.end(), kind);
    if (known == kinds.end()) {
      kinds.push_back(kind);
      result.changes.push_back(action_of(limit->remedy));
      first_of_kind.push_back(limit);
      continue;
    }
    // One change for several failures of a kind: "when feed A is lost" becomes "when a feed is
    // lost".
    const auto index = static_cast<std::size_t>(known - kinds.begin());
    const topology::Limit* first = first_of_kind[index];
    if (first->failure != limit->failure) {
      replace_all(result.changes[index], first->failure, "a " + first->failure_unit);
    }
  }
  const bool decides =
      std::any_of(evaluation.requirements.begin(), evaluation.requirements.end(),
                  [](const topology::Requirement& requirement) { return requirement.decides; });
  if (evaluation.blank_service || decides) {
    result.verdict = Verdict::undecided;
  } else {
    result.verdict = violated.empty() ? Verdict::feasible : Verdict::feasible_after_change;
  }
  return result;
}

bool can_be_ranked(Verdict verdict) {
  return verdict == Verdict::feasible || verdict == Verdict::feasible_after_change;
}

void rank_candidates(std::vector<Candidate>& candidates, bool higher_is_better) {
  const auto before = [&](const Candidate& a, const Candidate& b) {
    const int order_a = order_of(a.verdict), order_b = order_of(b.verdict);
    if (order_a != order_b) return order_a < order_b;
    if (order_a == 1) {
      const double margin_a = a.evaluation.worst_margin(), margin_b = b.evaluation.worst_margin();
      if (margin_a != margin_b) return margin_a > margin_b;
      return a.design.id < b.design.id;
    }
    if (a.metric.has_value() != b.metric.has_value()) return a.metric.has_value();
    if (a.metric && a.metric->value != b.metric->value) {
      return higher_is_better == (a.metric->value > b.metric->value);
    }
    return a.design.id < b.design.id;
  };
  std::stable_sort(candidates.begin(), candidates.end(), before);
  const Candidate* leader = nullptr;
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    Candidate& candidate = candidates[i];
    candidate.rank = 0;
    candidate.tied = false;
    candidate.against_first.reset();
    if (!can_be_ranked(candidate.verdict) || !candidate.metric) continue;
    if (i > 0 && candidates.front().rank == 1) {
      candidate.against_first = compare(candidate, candidates.front(), higher_is_better);
    }
    if (leader != nullptr && cannot_be_told_apart(*leader, candidate, higher_is_better)) {
      candidate.rank = leader->rank;
      candidate.tied = true;
      candidates[static_cast<std::size_t>(leader - candidates.data())].tied = true;
    } else {
      candidate.rank = static_cast<int>(i) + 1;
      leader = &candidate;
    }
  }
}

}  // namespace rackwright::results
