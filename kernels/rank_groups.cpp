#include "kernels/rank_groups.hpp"

#include <algorithm>
#include <cmath>
#include <string_view>

namespace rackwright::kernels {

using workloads::CollectiveKind;
using workloads::CollectiveShape;

RankGroup rank_group(const workloads::Operator& op, const workloads::ServingPlan& plan) {
  const auto& shape = std::get<CollectiveShape>(op.shape);
  if (shape.kind == CollectiveKind::send_recv) return {plan.pp, plan.tp * plan.dp * plan.cp};
  if (op.name.starts_with("context_")) return {plan.cp, plan.tp * plan.dp};
  return {shape.ranks, 1};
}

std::size_t routed_elements(const CollectiveShape& shape, std::size_t total, int from, int to) {
  const double ranks = shape.ranks;
  const double heaviest = std::clamp(shape.imbalance, 1.0, ranks) / ranks;
  const double other = ranks > 1 ? (1 - heaviest) / (ranks - 1) : 0;
  const bool heavy = (shape.exchange.combine ? from : to) == 0;
  return static_cast<std::size_t>(
      std::llround(static_cast<double>(total) * (heavy ? heaviest : other)));
}

}  // namespace rackwright::kernels
