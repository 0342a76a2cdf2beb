#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "results/figure_keys.hpp"
#include "results/ranking.hpp"
#include "results/sizing.hpp"
#include "results/verdict_text.hpp"

namespace rackwright::results {

namespace {

constexpr double kMostRacks = 1e6;  // beyond this a threshold says nothing

/// The metric of `candidate` with `racks` racks for the same demand; the metrics of a rack or of a
/// joule grow with the throughput instead.
double metric_with_racks(const Review& review, const Candidate& candidate, double racks) {
  const double share = racks / candidate.racks->value;
  if (review.rank_by == "tokens_per_s_per_mw") return candidate.metric->value / share;
  return candidate.metric->value * share;  // racks, power, floor
}

bool counts_racks(const Review& review) {
  return review.rank_by != "tokens_per_joule" && review.rank_by != "tokens_per_s_per_rack";
}

bool better(const Review& review, double a, double b) {
  return review.higher_is_better ? a > b : a < b;
}

/// Tokens per second of a rack under which `next` leads.
std::optional<double> throughput_threshold(const Review& review, const Candidate& winner,
                                           const Candidate& next) {
  if (!winner.tokens_per_s_per_rack || !winner.racks) return std::nullopt;
  const double per_rack = winner.tokens_per_s_per_rack->value;
  if (!counts_racks(review)) return per_rack * next.metric->value / winner.metric->value;
  const int step = std::max(1, winner.evaluation.placement.racks_per_replica);
  // The metric falls in steps: with one rack more each time.
  double racks = winner.racks->value;
  const double next_to_own = review.higher_is_better ? winner.metric->value / next.metric->value
                                                     : next.metric->value / winner.metric->value;
  racks = std::max(racks, std::floor(racks * next_to_own / step) * step);
  if (!(racks < kMostRacks)) return std::nullopt;
  while (racks > winner.racks->value &&
         better(review, next.metric->value, metric_with_racks(review, winner, racks))) {
    racks -= step;
  }
  return least_throughput(review.demand.value, racks);
}

std::optional<Threshold> winner_threshold(const Review& review) {
  if (review.candidates.size() < 2 || review.candidates.front().rank != 1) return std::nullopt;
  const Candidate& winner = review.candidates.front();
  const Candidate& next = review.candidates[1];
  if (next.rank == 0 || !next.metric || !(next.metric->value > 0)) return std::nullopt;
  const auto per_rack = throughput_threshold(review, winner, next);
  if (!per_rack) return std::nullopt;
  const double fall = 1 - *per_rack / winner.tokens_per_s_per_rack->value;
  if (!std::isfinite(fall)) return std::nullopt;
  if (fall < 0.0005) {
    return Threshold{fmt::format("Any fall of {}'s throughput under {} per rack", winner.design.id,
                                 quantity_text(*per_rack, "tok/s")),
                     next.design.id + " leads"};
  }
  return Threshold{
      fmt::format("Throughput of {} {:.{}f} % lower, under {} per rack", winner.design.id,
                  100 * fall, fall < 0.1 ? 1 : 0, quantity_text(*per_rack, "tok/s")),
      next.design.id + " leads"};
}

/// Throughput (power known) or power (throughput known) that an undecided candidate would need to
/// draw level with the winner.
std::optional<Threshold> undecided_threshold(const Review& review) {
  const Candidate& winner = review.candidates.front();
  if (winner.rank != 1 || !winner.provisioned_w || !(review.demand.value > 0)) return std::nullopt;
  if (review.rank_by != "tokens_per_s_per_mw" && review.rank_by != "provisioned_w") {
    return std::nullopt;
  }
  const double budget = winner.provisioned_w->value;
  for (const Candidate& candidate : review.candidates) {
    if (candidate.verdict != Verdict::undecided) continue;
    const std::string& id = candidate.design.id;
    const topology::Figure* power =
        candidate.evaluation.figures.find(std::string(figure_key::kRackEnvelope));
    const bool has_power = power != nullptr && power->estimate.value > 0;
    if (!candidate.tokens_per_s_per_rack && has_power) {
      const double racks = std::floor(budget / power->estimate.value + 1e-9);
      const std::string effect = fmt::format("{} draws level with {}", id, winner.design.id);
      if (racks < 1) {
        // One rack draws more than all of the winner's: level only at a larger demand.
        const double per_rack = review.demand.value * power->estimate.value / budget;
        return Threshold{fmt::format("{} at {} per rack and a demand of as much", id,
                                     quantity_text(per_rack, "tok/s")),
                         effect};
      }
      return Threshold{
          fmt::format("{} at {} per rack or more", id,
                      quantity_text(least_throughput(review.demand.value, racks), "tok/s")),
          effect};
    }
    if (candidate.racks && !has_power) {
      return Threshold{fmt::format("{} at {} per rack or less, rack AC input", id,
                                   quantity_text(budget / candidate.racks->value, "W")),
                       fmt::format("{} draws level with {}", id, winner.design.id)};
    }
  }
  return std::nullopt;
}

/// The limit that the least growth of load would violate.
std::optional<Threshold> limit_threshold(const Candidate& winner) {
  const topology::Limit* nearest = nullptr;
  for (const topology::Limit& limit : winner.evaluation.limits) {
    if (!limit.promised || !limit.limit || limit.margin < 0) continue;
    if (limit.state == topology::LimitState::blank) continue;
    if (nearest == nullptr || limit.margin < nearest->margin) nearest = &limit;
  }
  if (nearest == nullptr) return std::nullopt;
  const double room = nearest->limit->value - nearest->load.value;
  const std::string& unit = nearest->load.unit;
  const std::string where = nearest->load.boundary.empty() ? "" : ", " + nearest->load.boundary;
  const std::string more = quantity_text(room, unit == "degC" ? "K" : unit);
  return Threshold{fmt::format("{} more on {}{}", more, winner.design.id, where),
                   fmt::format("\"{}\" is violated", nearest->name)};
}

}  // namespace

std::vector<Threshold> thresholds(const Review& review) {
  std::vector<Threshold> result;
  if (const auto threshold = winner_threshold(review)) result.push_back(*threshold);
  if (const auto threshold = undecided_threshold(review)) result.push_back(*threshold);
  if (const auto threshold = limit_threshold(review.candidates.front())) {
    result.push_back(*threshold);
  }
  return result;
}

}  // namespace rackwright::results
