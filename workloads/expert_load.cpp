#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>

#include "common/random.hpp"
#include "workloads/operator_graph.hpp"

namespace rackwright::workloads {
namespace {

constexpr int kPlacements = 16;
constexpr std::uint64_t kPlacementSeed = 20240521;

/// Probability that a token picks expert i: proportional to (i+1)^-skew, capped at 1, summing to
/// top_k. Experts at the cap give their excess to the others.
std::vector<double> pick_probabilities(int experts, int top_k, double skew) {
  std::vector<double> weight(static_cast<std::size_t>(experts));
  for (std::size_t i = 0; i < weight.size(); ++i) {
    weight[i] = std::pow(static_cast<double>(i + 1), -skew);
  }
  double rest = std::accumulate(weight.begin(), weight.end(), 0.0);
  double left = top_k;
  std::vector<double> probability(weight.size());
  for (std::size_t i = 0; i < weight.size(); ++i) {
    const double share = left * weight[i] / rest;
    probability[i] = std::min(1.0, share);
    if (share > 1.0) {  // popularity falls with i: only leading experts are capped
      left -= 1.0;
      rest -= weight[i];
    }
  }
  return probability;
}

/// Slots of all ranks, `local` each; the most popular experts fill the spare ones as second copies.
std::vector<double> slot_probabilities(std::vector<double> probability, std::size_t slots) {
  const std::size_t experts = probability.size();
  for (std::size_t i = 0; experts + i < slots; ++i) {
    probability[i % experts] /= 2;
    probability.push_back(probability[i % experts]);
  }
  return probability;
}

void shuffle(std::vector<double>& slot, RandomSource& random) {
  for (std::size_t i = slot.size(); i > 1; --i) std::swap(slot[i - 1], slot[random.below(i)]);
}

struct Heaviest {
  std::size_t rank = 0;
  double load = 0;
};

/// Ranks hold `local` slots each.
Heaviest heaviest_of(const std::vector<double>& slot, std::size_t local) {
  Heaviest heaviest;
  for (std::size_t first = 0; first < slot.size(); first += local) {
    const auto begin = slot.begin() + static_cast<std::ptrdiff_t>(first);
    const double load = std::accumulate(begin, begin + static_cast<std::ptrdiff_t>(local), 0.0);
    if (load > heaviest.load) heaviest = {first / local, load};
  }
  return heaviest;
}

}  // namespace

std::vector<double> heaviest_rank_picks(int experts, int top_k, int ranks, double skew,
                                        std::uint64_t seed) {
  const auto local = static_cast<std::size_t>((experts + ranks - 1) / ranks);
  auto slot = slot_probabilities(pick_probabilities(experts, top_k, skew),
                                 local * static_cast<std::size_t>(ranks));
  RandomSource random(seed);
  shuffle(slot, random);
  const auto first =
      slot.begin() + static_cast<std::ptrdiff_t>(heaviest_of(slot, local).rank * local);
  std::vector<double> picks(first, first + static_cast<std::ptrdiff_t>(local));
  std::sort(picks.begin(), picks.end(), std::greater<>());
  return picks;
}

ExpertLoad::ExpertLoad(int experts, int top_k, int ranks, double skew)
    : local_((experts + ranks - 1) / ranks), balanced_(skew <= 0) {
  const auto local = static_cast<std::size_t>(local_);
  const std::size_t slots = local * static_cast<std::size_t>(ranks);
  if (balanced_) {
    const double probability = static_cast<double>(top_k) / static_cast<double>(slots);
    log_miss_ = probability < 1 ? std::log1p(-probability) : -1e308;
    return;
  }
  auto slot = slot_probabilities(pick_probabilities(experts, top_k, skew), slots);
  RandomSource random(kPlacementSeed);
  imbalance_ = 0;
  for (int placement = 0; placement < kPlacements; ++placement) {
    shuffle(slot, random);
    const auto [heaviest, most] = heaviest_of(slot, local);
    imbalance_ += most * ranks / top_k / kPlacements;
    for (std::size_t point = 0; point < touched_.size(); ++point) {
      const double tokens = std::exp2(static_cast<double>(point) / kPointsPerOctave);
      for (std::size_t i = heaviest * local; i < (heaviest + 1) * local; ++i) {
        touched_[point] += (1 - std::pow(1 - slot[i], tokens)) / kPlacements;
      }
    }
  }
}

double ExpertLoad::touched(double tokens) const {
  if (tokens <= 0) return 0;
  if (balanced_) return local_ * -std::expm1(tokens * log_miss_);
  if (tokens <= 1) return tokens * touched_.front();
  const double at = std::log2(tokens) * kPointsPerOctave;
  const auto low = static_cast<std::size_t>(at);
  if (low + 1 >= touched_.size()) return touched_.back();
  return std::lerp(touched_[low], touched_[low + 1], at - static_cast<double>(low));
}

}  // namespace rackwright::workloads
