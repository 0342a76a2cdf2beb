#include <algorithm>
#include <cmath>
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

}  // namespace

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
    for (std::size_t i = slots; i > 1; --i) {
      std::swap(slot[i - 1], slot[random.below(i)]);
    }
    std::size_t heaviest = 0;
    double most = 0;
    for (std::size_t rank = 0; rank < static_cast<std::size_t>(ranks); ++rank) {
      const auto first = slot.begin() + static_cast<std::ptrdiff_t>(rank * local);
      const double load = std::accumulate(first, first + local_, 0.0);
      if (load > most) {
        most = load;
        heaviest = rank;
      }
    }
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
