#include "results/review.hpp"

#include <stdexcept>

#include "results/figure_keys.hpp"
#include "results/provenance.hpp"
#include "results/ranking.hpp"
#include "results/sizing.hpp"
#include "results/verdict_text.hpp"

namespace rackwright::results {

namespace {

Candidate make_candidate(topology::RackDesign design, topology::RackEvaluation evaluation) {
  Candidate candidate;
  candidate.design = std::move(design);
  candidate.evaluation = std::move(evaluation);
  const Judgement judgement = judge(candidate.evaluation);
  candidate.verdict = judgement.verdict;
  candidate.changes = static_cast<int>(judgement.changes.size());
  const topology::Figure* service =
      candidate.evaluation.figures.find(std::string(figure_key::kTokensPerSecond));
  if (service != nullptr) candidate.tokens_per_s_per_rack = service->estimate;
  for (const topology::Limit& limit : candidate.evaluation.limits) {
    if (!limit.promised || limit.state == topology::LimitState::blank) continue;
    if (!candidate.closest || limit.margin < candidate.closest->margin) candidate.closest = limit;
  }
  return candidate;
}

/// A rack that holds its limits but delivers nothing at the SLO carries no demand.
void judge_service(Candidate& candidate) {
  if (!can_be_ranked(candidate.verdict)) return;
  if (!candidate.tokens_per_s_per_rack) candidate.verdict = Verdict::undecided;
  if (candidate.tokens_per_s_per_rack && !(candidate.tokens_per_s_per_rack->value > 0)) {
    candidate.verdict = Verdict::not_feasible;
  }
}

/// Power that nobody publishes leaves a candidate without the metric: it cannot be ranked.
void judge_metric(Candidate& candidate) {
  if (can_be_ranked(candidate.verdict) && !candidate.metric) {
    candidate.verdict = Verdict::undecided;
  }
}

}  // namespace

Review make_review(const workloads::Workload& workload, std::uint64_t seed,
                   std::vector<topology::RackDesign> designs,
                   std::vector<topology::RackEvaluation> evaluations,
                   const ReviewOptions& options) {
  if (designs.size() != evaluations.size() || designs.empty()) {
    throw std::invalid_argument("make_review: one evaluation per design, and at least one");
  }
  const RankMetric& metric = find_rank_metric(options.rank_by);
  Review review;
  review.subject = workload.title;
  review.workload = workload.name;
  review.seed = seed;
  review.slo = workload.slo;
  review.traffic_source = workload.traffic.source;
  review.rank_by = metric.key;
  review.rank_by_label = metric.label;
  review.higher_is_better = metric.higher_is_better;
  review.version = options.version;
  if (options.catalog != nullptr) review.catalog_hash = options.catalog->hash();
  for (std::size_t i = 0; i < designs.size(); ++i) {
    review.candidates.push_back(make_candidate(std::move(designs[i]), std::move(evaluations[i])));
    judge_service(review.candidates.back());
  }
  CommonDemand demand = choose_demand(workload, review.candidates, options);
  review.demand = std::move(demand.tokens_per_s);
  review.demand_basis = std::move(demand.basis);
  for (Candidate& candidate : review.candidates) {
    size_candidate(candidate, review.demand, options);
    candidate.metric = candidate.*(metric.value);
    judge_metric(candidate);
  }
  rank_candidates(review.candidates, metric.higher_is_better);
  review.provenance = list_provenance(review);
  review.thresholds = thresholds(review);
  review.headline = headline(review);
  review.reason = reason(review);
  return review;
}

}  // namespace rackwright::results
