#include "results/ranking.hpp"

#include <algorithm>
#include <cctype>

#include <fmt/format.h>

#include "common/input_error.hpp"

namespace rackwright::results {

namespace {

/// A remedy with its numbers taken out: what kind of change it is.
std::string kind_of(const std::string& remedy) {
  std::string kind;
  for (std::size_t i = 0; i < remedy.size(); ++i) {
    const auto c = static_cast<unsigned char>(remedy[i]);
    const bool in_number =
        std::isdigit(c) != 0 || (c == '.' && i > 0 && i + 1 < remedy.size() &&
                                 std::isdigit(static_cast<unsigned char>(remedy[i - 1])) != 0 &&
                                 std::isdigit(static_cast<unsigned char>(remedy[i + 1])) != 0);
    if (!in_number) {
      kind += remedy[i];
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
  for (const topology::Limit* limit : violated) {
    if (limit->remedy.empty() || !limit->remedied_margin || *limit->remedied_margin < 0) {
      return {Verdict::not_feasible, {}};
    }
    const std::string kind = kind_of(limit->remedy);
    if (std::find(kinds.begin(), kinds.end(), kind) != kinds.end()) continue;
    kinds.push_back(kind);
    result.changes.push_back(limit->remedy);
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

bool overlap(const Estimate& a, const Estimate& b) {
  return a.low <= b.high && b.low <= a.high;
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
    if (!can_be_ranked(candidate.verdict) || !candidate.metric) continue;
    if (leader != nullptr && overlap(*leader->metric, *candidate.metric)) {
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
