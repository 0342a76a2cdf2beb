#pragma once

#include <string>
#include <vector>

#include "kernels/analytical/operator_models.hpp"
#include "topology/network/collective_bounds.hpp"
#include "topology/network/fabric_network.hpp"

namespace rackwright::topology {

/// "Is this number good?": a collective on the first `ranks` GPUs of a fabric.
struct CollectiveQuestion {
  workloads::CollectiveKind kind = workloads::CollectiveKind::all_reduce;
  double bytes = 0;  ///< nccl-tests' size
  int ranks = 8;
  int ranks_per_node = 8;
  int domain = 8;  ///< GPUs that share the scale-up domain
  double skew = 1;
  bool reducing_fabric = false;  ///< SHARP on the scale-out switches
  Routing routing = Routing::spray;
  RandomSource random{1};  ///< labels of hashed flows
};

struct CollectiveExpectation {
  double seconds = 0;         ///< expected, by the calibrated model
  double relative_error = 0;  ///< half-width of the 90 % interval
  bool extrapolated = false;
  double algorithm_bytes_per_s = 0, bus_bytes_per_s = 0;
  double bound_seconds = 0, bound_bus_bytes_per_s = 0;  ///< no algorithm on these ports is faster
  double fabric_share = 1;  ///< of the NIC rate that the fabric gives the slowest flow
  std::string bottleneck;   ///< the busiest link, "" when the NICs decide
  std::vector<AlgorithmBound> algorithms;  ///< fastest first
  std::vector<std::string> reasons;
};

/// Share of its NIC's rate that the slowest flow of a collective gets: rings send to the same GPU
/// of the next domain, exchanges to all on their rail. Exact max-min rates of ring flows; for
/// exchanges the fullest leaf or pod decides, and hashing costs sqrt(2 ln(links) / flows per link)
/// (the largest of many Poisson loads). Throws InputError when ranks exceed the fabric.
struct FabricShare {
  double share = 1;
  std::string bottleneck;
};
[[nodiscard]] FabricShare fabric_share(const FabricDesign& design, const FabricPlan& plan,
                                       const FabricNetwork& network,
                                       const CollectiveQuestion& question);

/// Expected and best possible time. `models` are of the GPU; the network's part of its calibrated
/// model runs at the share of the NIC that the fabric leaves. Never under the port bound.
[[nodiscard]] CollectiveExpectation expect_collective(const FabricDesign& design,
                                                      const FabricPlan& plan,
                                                      const FabricNetwork& network,
                                                      const kernels::OperatorModels& models,
                                                      const CollectiveQuestion& question);

}  // namespace rackwright::topology
