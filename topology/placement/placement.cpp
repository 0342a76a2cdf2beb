#include <algorithm>

#include <fmt/format.h>

#include "topology/evaluation.hpp"

namespace rackwright::topology {

Placement place(const RackDesign& design, const workloads::ServingPlan& plan) {
  Placement result;
  result.gpus_per_replica = plan.gpus();
  result.plan = fmt::format("{}, {}-token chunks", plan.label(), plan.prefill_chunk);
  const int replica = std::max(plan.gpus(), 1);
  const int domain = std::clamp(design.scale_up_domain, 1, std::max(design.gpus, 1));
  if (replica <= domain) {
    const int domains = design.gpus / domain;
    result.replicas = domains * (domain / replica);
  } else if (replica <= design.gpus) {
    result.replicas = design.gpus / replica;
    result.crosses_scale_up = true;
  } else {
    // One replica over whole racks: the rack holds its share of that replica.
    result.racks_per_replica = (replica + design.gpus - 1) / std::max(design.gpus, 1);
    result.replicas = 1;
    result.crosses_scale_up = true;
    result.idle_gpus =
        (result.racks_per_replica * design.gpus - replica) / result.racks_per_replica;
    return result;
  }
  result.idle_gpus = design.gpus - result.replicas * replica;
  return result;
}

}  // namespace rackwright::topology
