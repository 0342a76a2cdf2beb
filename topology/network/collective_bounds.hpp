#pragma once

#include <string>
#include <vector>

#include "workloads/operator.hpp"

namespace rackwright::topology {

/// Where a collective runs: `ranks` GPUs in domains (NVLink) of `domain` GPUs. Rates are of one GPU
/// and one direction.
struct CollectivePlace {
  int ranks = 1;
  int domain = 8;
  double scale_up_bytes_per_s = 0;   ///< 0: unknown, not a limit
  double scale_out_bytes_per_s = 0;  ///< what the fabric leaves of the NIC
  bool in_network_reduction = true;  ///< the domain's switches can add (NVLS)
  bool reducing_fabric = false;      ///< the scale-out switches can add (SHARP)
};

/// The least time an algorithm needs for the bytes it must move through the busiest port.
struct AlgorithmBound {
  std::string name;
  double scale_up_bytes = 0;   ///< through one GPU's scale-up port, the busier direction
  double scale_out_bytes = 0;  ///< through one GPU's NIC
  double seconds = 0;
  std::string limit;  ///< the port that decides
};

/// Every algorithm that fits, fastest first. S is nccl-tests' size (all-gather, reduce-scatter: the
/// total; all-to-all: what a rank sends in all), n ranks, g of them in a domain, N = n / g domains:
///   ring                2(n-1)/n S in the domain; all-reduce over g NICs 2(n-1)/n S / g each
///   double binary tree  2 S in the domain; 2 S / g each across
///   one-shot            (n-1) S: everybody sends everything, one step; one domain only
///   NVLS                S (1 + 1/n): a byte goes up once and comes down once; one domain only
///   hierarchical        reduce-scatter inside, all-reduce of S/g across, all-gather inside
///   in-network (SHARP)  across S / g each way; inside as hierarchical
///   all-to-all          skew x the share of the ranks inside and outside the domain
/// `skew` >= 1 is the heaviest rank's load over the mean. Never faster than the ports.
[[nodiscard]] std::vector<AlgorithmBound> collective_bounds(workloads::CollectiveKind kind,
                                                            double bytes,
                                                            const CollectivePlace& place,
                                                            double skew = 1);

/// nccl-tests' factor from algorithm to bus bandwidth: 2(n-1)/n all-reduce, 1 send, else (n-1)/n.
[[nodiscard]] double bus_factor(workloads::CollectiveKind kind, int ranks);

}  // namespace rackwright::topology
