#include "results/sizing.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include <fmt/format.h>

#include "common/input_error.hpp"
#include "results/figure_keys.hpp"
#include "results/ranking.hpp"

namespace rackwright::results {

namespace {

/// Share of the demand that may be missing before one more rack is counted.
constexpr double kShortfall = 0.01;
/// Most racks of the largest candidate that a demand of the review's own choice amounts to.
constexpr int kMostRacksOfDemand = 8;
/// Cost of rounding to whole racks that is small enough.
constexpr double kRoundingCost = 0.05;

std::optional<Estimate> figure(const topology::RackEvaluation& evaluation, std::string_view key) {
  const topology::Figure* found = evaluation.figures.find(std::string(key));
  if (found == nullptr || !std::isfinite(found->estimate.value)) return std::nullopt;
  return found->estimate;
}

Estimate count(double value, std::string unit, Origin origin, bool extrapolated) {
  return exact(value, {std::move(unit), origin, "", extrapolated});
}

/// Whole racks with the interval that the throughput's interval gives.
Estimate rack_count(double demand, const Estimate& per_rack, int step) {
  const double racks = racks_for(demand, per_rack.value, step);
  Estimate result = count(racks, "racks", per_rack.origin, per_rack.extrapolated);
  if (per_rack.low > 0 && std::isfinite(per_rack.high)) {
    result.low = std::min(racks, racks_for(demand, per_rack.high, step));
    result.high = std::max(racks, racks_for(demand, per_rack.low, step));
  }
  return result;
}

/// Demand over a cost, with the relative interval of the throughput that decides how many racks
/// are needed.
Estimate per_cost(double demand, const Estimate& per_rack, const Estimate& cost, std::string unit) {
  Estimate service = scaled(per_rack, demand / per_rack.value, "tok/s");
  Estimate result = ratio(service, cost, std::move(unit));
  result.boundary = cost.boundary;
  return result;
}

void size_cooling(Candidate& candidate, double racks, const topology::Catalog* catalog) {
  const auto& liquid = candidate.design.liquid;
  if (!liquid || liquid->cdu.empty() || !(liquid->racks_per_cdu > 0)) return;
  const double cdus = std::ceil(racks / liquid->racks_per_cdu - 1e-9) * liquid->cdus_installed;
  candidate.cdus = count(cdus, "CDUs", candidate.racks->origin, candidate.racks->extrapolated);
  if (const auto* unit = candidate.evaluation.figures.find("liquid.pump_power_unit")) {
    candidate.cdu_w = scaled(unit->estimate, cdus, "W");
    return;
  }
  const topology::Part* part = catalog == nullptr ? nullptr : catalog->find(liquid->cdu);
  if (part == nullptr) return;
  if (part->fact("max_power_w").blank()) return;
  candidate.cdu_w = scaled(part->estimate("max_power_w", "W", "facility"), cdus, "W");
}

void size_network(Candidate& candidate, double gpus, const ReviewOptions& options) {
  const auto fabric = options.fabrics.find(candidate.design.fabric);
  if (fabric == options.fabrics.end() || options.catalog == nullptr) return;
  if (fabric->second.gpus_per_node <= 0) return;
  const auto nodes = static_cast<int>(std::ceil(gpus / fabric->second.gpus_per_node - 1e-9));
  try {
    const auto counts = topology::count_fabric(fabric->second, nodes, *options.catalog);
    candidate.switches = count(counts.leaf + counts.spine + counts.core, "switches",
                               candidate.racks->origin, candidate.racks->extrapolated);
    const double most = counts.switch_power_max_w, typical = counts.switch_power_typical_w;
    if (most > 0) {
      candidate.switch_w = between(typical > 0 ? std::min(typical, most) : most, most, most,
                                   {"W", Origin::catalogue, "switch AC input"});
    }
  } catch (const InputError& error) {
    // More nodes than the rule holds is a blank, not a reason to stop the review.
    candidate.evaluation.notes.push_back(
        fmt::format("switch count blank for {} nodes: {}", nodes, error.what()));
  }
}

/// Racks over what the demand takes without rounding, less one; the worst candidate counts.
double rounding_cost(const std::vector<Candidate>& candidates, double demand, bool ranked_only) {
  double worst = 0;
  for (const Candidate& candidate : candidates) {
    if (!candidate.tokens_per_s_per_rack || !(candidate.tokens_per_s_per_rack->value > 0)) continue;
    if (ranked_only && !can_be_ranked(candidate.verdict)) continue;
    const double per_rack = candidate.tokens_per_s_per_rack->value;
    const int step = std::max(1, candidate.evaluation.placement.racks_per_replica);
    worst = std::max(worst, racks_for(demand, per_rack, step) * per_rack / demand - 1);
  }
  return worst;
}

int racks_with_little_rounding(const std::vector<Candidate>& candidates, const Candidate& largest) {
  const bool ranked_only = can_be_ranked(largest.verdict);
  int best = 1;
  double least = 1e300;
  for (int racks = 1; racks <= kMostRacksOfDemand; ++racks) {
    const double cost =
        rounding_cost(candidates, racks * largest.tokens_per_s_per_rack->value, ranked_only);
    if (cost <= kRoundingCost) return racks;
    if (cost < least) {
      least = cost;
      best = racks;
    }
  }
  return best;
}

}  // namespace

CommonDemand choose_demand(const workloads::Workload& workload,
                           const std::vector<Candidate>& candidates, const ReviewOptions& options) {
  const auto stated = [](double value, std::string basis) {
    return CommonDemand{exact(value, {"tok/s", Origin::assumed}), std::move(basis)};
  };
  if (options.demand_tokens_per_s) return stated(*options.demand_tokens_per_s, "as asked for");
  if (workload.demand_tokens_per_s) {
    return stated(*workload.demand_tokens_per_s, "as the workload asks for");
  }
  const Candidate* largest = nullptr;
  for (const Candidate& candidate : candidates) {
    if (!candidate.tokens_per_s_per_rack || !(candidate.tokens_per_s_per_rack->value > 0)) continue;
    if (largest != nullptr) {
      const bool better = can_be_ranked(candidate.verdict), known = can_be_ranked(largest->verdict);
      if (known && !better) continue;
      if (known == better &&
          candidate.tokens_per_s_per_rack->value <= largest->tokens_per_s_per_rack->value) {
        continue;
      }
    }
    largest = &candidate;
  }
  if (largest == nullptr) {
    return {exact(0, {"tok/s", Origin::assumed}), "no candidate's service is known"};
  }
  const Estimate& rack = *largest->tokens_per_s_per_rack;
  const int racks = racks_with_little_rounding(candidates, *largest);
  // The demand is a number agreed on; the interval stays with what each candidate can do.
  return {exact(racks * rack.value, {"tok/s", rack.origin, "", rack.extrapolated}),
          fmt::format("{} of {} at SLO", racks == 1 ? "one rack" : fmt::format("{} racks", racks),
                      largest->design.id)};
}

double racks_for(double demand, double per_rack, int step) {
  if (!(demand > 0) || !(per_rack > 0) || step < 1) {
    throw std::invalid_argument("racks_for: demand, throughput and step must be positive");
  }
  const double racks = std::max(1.0, std::ceil((1 - kShortfall) * demand / per_rack));
  return std::ceil(racks / step - 1e-9) * step;
}

double least_throughput(double demand, double racks) {
  return (1 - kShortfall) * demand / racks;
}

void size_candidate(Candidate& candidate, const Estimate& demand, const ReviewOptions& options) {
  const auto& evaluation = candidate.evaluation;
  candidate.tokens_per_joule = figure(evaluation, figure_key::kTokensPerJoule);
  const auto& per_rack = candidate.tokens_per_s_per_rack;
  if (!per_rack || !(per_rack->value > 0) || !(demand.value > 0)) return;
  const int step = std::max(1, evaluation.placement.racks_per_replica);
  candidate.racks = rack_count(demand.value, *per_rack, step);
  const double racks = candidate.racks->value;
  // What follows is of these racks: the interval of their number stays with the number.
  const Estimate whole =
      count(racks, "racks", candidate.racks->origin, candidate.racks->extrapolated);
  candidate.gpus = scaled(whole, candidate.design.gpus, "GPUs");
  if (const double floor = candidate.design.envelope.floor_area_m2(); floor > 0) {
    candidate.floor_m2 = scaled(whole, floor, "m2");
  }
  size_cooling(candidate, racks, options.catalog);
  size_network(candidate, candidate.gpus->value, options);
  const auto envelope = figure(evaluation, figure_key::kRackEnvelope);
  if (!envelope || !(envelope->value > 0)) return;
  candidate.provisioned_w = scaled(*envelope, racks, "W");
  candidate.tokens_per_s_per_mw =
      per_cost(demand.value, *per_rack, scaled(*candidate.provisioned_w, 1e-6, "MW"), "tok/s/MW");
}

}  // namespace rackwright::results
