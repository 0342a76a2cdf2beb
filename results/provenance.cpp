#include "results/provenance.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "results/figure_keys.hpp"

namespace rackwright::results {

namespace {

/// Figures that the metric is a product or quotient of.
std::vector<std::string_view> factors_of(const std::string& metric) {
  using namespace figure_key;
  if (metric == "tokens_per_joule") return {kTokensPerJoule};
  if (metric == "tokens_per_s_per_mw" || metric == "provisioned_w") {
    return {kTokensPerSecond, kRackEnvelope};
  }
  return {kTokensPerSecond};
}

double relative_width(const Estimate& estimate) {
  const double width = std::abs(estimate.high - estimate.low);
  if (!std::isfinite(width) || estimate.value == 0) return 0;
  return width / std::abs(estimate.value);
}

/// Metric of the candidate over that of the winner, at most 1 either way: a candidate far behind
/// moves the lead less.
double weight_of(const Candidate& candidate, const Candidate* winner) {
  if (winner == nullptr || !winner->metric || !candidate.metric) return 0;
  const double own = candidate.metric->value, best = winner->metric->value;
  if (!(own > 0) || !(best > 0)) return 0;
  return std::min(own / best, best / own);
}

}  // namespace

std::vector<topology::Figure> sized_figures(const Candidate& candidate,
                                            std::string_view metric_label) {
  std::vector<topology::Figure> figures;
  const auto add = [&](const char* key, std::string label, const std::optional<Estimate>& estimate,
                       std::string basis) {
    if (!estimate) return;
    figures.push_back(
        {std::string("candidate.") + key, std::move(label), *estimate, "", std::move(basis)});
  };
  add("racks", "Racks that carry the common demand", candidate.racks,
      "demand over output tokens per second of a rack, rounded up");
  add("gpus", "GPUs", candidate.gpus, "racks x GPUs of a rack");
  add("cdus", "CDUs", candidate.cdus, "racks over racks per CDU, rounded up, x installed");
  add("switches", "Scale-out switches", candidate.switches, "rule of the fabric design");
  add("provisioned_w", "Provisioned power", candidate.provisioned_w,
      "racks x design envelope of a rack");
  add("cdu_w", "Power of the CDUs", candidate.cdu_w, "CDUs x input at their flow; high: published maximum");
  add("switch_w", "Power of the scale-out switches", candidate.switch_w,
      "switches x typical to maximum power");
  add("floor_m2", "Floor area", candidate.floor_m2,
      "racks x (footprint and half of front and rear aisle)");
  add("tokens_per_s_per_rack", "Output tokens per second of a rack at SLO",
      candidate.tokens_per_s_per_rack, "replicas x capacity of a replica");
  add("tokens_per_s_per_mw", "Output tokens per second per provisioned MW",
      candidate.tokens_per_s_per_mw, "demand over provisioned power");
  add("tokens_per_joule", "Output tokens per joule", candidate.tokens_per_joule,
      "load case (b), rack AC input");
  add("metric", std::string(metric_label), candidate.metric, "ranking metric");
  return figures;
}

std::vector<ProvenanceEntry> list_provenance(const Review& review) {
  const auto factors = factors_of(review.rank_by);
  const Candidate* winner = nullptr;
  if (!review.candidates.empty() && review.candidates.front().rank == 1) {
    winner = &review.candidates.front();
  }
  std::vector<ProvenanceEntry> entries;
  for (const Candidate& candidate : review.candidates) {
    const double weight = weight_of(candidate, winner);
    for (const topology::Figure& figure : candidate.evaluation.figures.all()) {
      const bool factor = std::find(factors.begin(), factors.end(), figure.key) != factors.end();
      entries.push_back(
          {"", candidate.design.id, figure, factor ? weight * relative_width(figure.estimate) : 0});
    }
    for (topology::Figure& figure : sized_figures(candidate, review.rank_by_label)) {
      entries.push_back({"", candidate.design.id, std::move(figure), 0});
    }
  }
  std::stable_sort(entries.begin(), entries.end(),
                   [](const auto& a, const auto& b) { return a.leverage > b.leverage; });
  for (std::size_t i = 0; i < entries.size(); ++i) entries[i].id = fmt::format("P-{:03}", i + 1);
  return entries;
}

}  // namespace rackwright::results
