#pragma once

#include <memory>

#include "common/launch/communicator.hpp"
#include "workloads/operator.hpp"
#include "workloads/serving_plan.hpp"

namespace rackwright::kernels {

/// Ranks of a replica that take part in one collective: `size` of them, `stride` apart.
struct RankGroup {
  int size = 1;
  int stride = 1;
  auto operator<=>(const RankGroup&) const = default;
  /// The same for the ranks of one group, of a replica in which this rank is `rank`.
  [[nodiscard]] int colour(int rank) const {
    return rank / (size * stride) * stride + rank % stride;
  }
};

/// Tensor-parallel ranks are neighbours, data-parallel ones follow (an expert group is both
/// together), then context-parallel ones, and stages are outermost, so that the traffic that needs
/// the rate stays inside a node. Stages form a ring.
[[nodiscard]] RankGroup rank_group(const workloads::Operator& op,
                                   const workloads::ServingPlan& plan);

/// What rank `from` of an expert exchange sends to rank `to` out of `total` elements: the shape's
/// imbalance makes the first rank's experts the heaviest, with `imbalance` times the mean, and the
/// rest is even. A combine brings the same rows back.
[[nodiscard]] std::size_t routed_elements(const workloads::CollectiveShape& shape,
                                          std::size_t total, int from, int to);

}  // namespace rackwright::kernels
