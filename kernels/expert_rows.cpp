#include "kernels/expert_rows.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>

#include "workloads/operator_graph.hpp"

namespace rackwright::kernels {
namespace {

int at_least_one(double value) {
  return std::max(1, static_cast<int>(std::lround(value)));
}

std::vector<double> shares_of(const workloads::ExpertShape& shape, std::size_t count,
                              std::uint64_t seed) {
  std::vector<double> picks(count, 1.0);
  if (shape.skew > 0 && shape.experts > 0) {
    const auto all = workloads::heaviest_rank_picks(shape.experts, std::max(1, shape.top_k),
                                                    std::max(1, shape.ep), shape.skew, seed);
    for (std::size_t i = 0; i < std::min(count, all.size()); ++i) picks[i] = all[i];
    for (std::size_t i = all.size(); i < count; ++i) picks[i] = all.back();
  }
  const double sum = std::accumulate(picks.begin(), picks.end(), 0.0);
  for (double& pick : picks) pick /= sum;
  return picks;
}

/// Whole numbers in proportion to `shares` that add to `total`, by largest remainder.
std::vector<int> apportion(const std::vector<double>& shares, int total) {
  std::vector<int> parts;
  std::vector<std::size_t> order(shares.size());
  for (const double share : shares) parts.push_back(static_cast<int>(share * total));
  std::iota(order.begin(), order.end(), std::size_t{0});
  const auto remainder = [&](std::size_t i) { return shares[i] * total - parts[i]; };
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return remainder(a) > remainder(b); });
  const int left = total - std::accumulate(parts.begin(), parts.end(), 0);
  for (int i = 0; i < left; ++i) ++parts[order[static_cast<std::size_t>(i) % order.size()]];
  return parts;
}

}  // namespace

std::vector<int> expert_rows(const workloads::ExpertShape& shape, std::uint64_t seed) {
  const int count = at_least_one(shape.touched_experts);
  const int total = std::max(at_least_one(shape.rank_tokens), count);
  std::vector<int> rows =
      apportion(shares_of(shape, static_cast<std::size_t>(count), seed), total - count);
  const int most = shape.tokens >= 1 ? at_least_one(shape.tokens) : total;
  int excess = 0;
  for (int& one : rows) {
    one += 1 + excess;
    excess = std::max(0, one - most);
    one -= excess;
  }
  rows.back() += excess;  // more pairs than tokens hold: a shape that contradicts itself
  std::sort(rows.begin(), rows.end(), std::greater<>());
  return rows;
}

}  // namespace rackwright::kernels
