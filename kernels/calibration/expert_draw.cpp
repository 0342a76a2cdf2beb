#include "kernels/calibration/expert_draw.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include "common/random.hpp"

namespace rackwright::kernels {
namespace {

constexpr int kDraws = 8;
constexpr std::uint64_t kSeed = 20;
constexpr double kLargestShare = 0.8;

double power_law(double u, double largest, double exponent) {
  if (largest <= 1) return 1;
  const double e = 1 - exponent;
  return std::exp(std::log(1 + u * (std::exp(e * std::log(largest)) - 1)) / e);
}

}  // namespace

HeaviestRank heaviest_rank(double tokens, int top_k, int experts, int ep, double exponent) {
  const double pairs = tokens * top_k;
  const int local = experts / ep;
  if (exponent <= 0) {
    const double mine = std::max(1.0, pairs / ep);
    return {mine, std::min<double>(local, std::ceil(mine))};
  }
  RandomSource random(kSeed);
  std::vector<double> load(static_cast<std::size_t>(experts));
  HeaviestRank mean;
  for (int draw = 0; draw < kDraws; ++draw) {
    double sum = 0;
    for (double& x : load) sum += x = power_law(random.uniform(), kLargestShare * tokens, exponent);
    for (double& x : load) x = std::min(tokens, x / sum * pairs);
    HeaviestRank heaviest;
    for (int rank = 0; rank < ep; ++rank) {
      HeaviestRank one;
      for (int e = rank * local; e < (rank + 1) * local; ++e) {
        const double x = load[static_cast<std::size_t>(e)];
        one.tokens += x;
        one.touched += x >= 1 ? 1 : x;
      }
      if (one.tokens > heaviest.tokens) heaviest = one;
    }
    mean.tokens += std::max(1.0, heaviest.tokens) / kDraws;
    mean.touched += std::max(1.0, heaviest.touched) / kDraws;
  }
  return mean;
}

}  // namespace rackwright::kernels
