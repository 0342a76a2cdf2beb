#pragma once

#include <string>
#include <vector>

#include "results/review.hpp"

namespace rackwright::results {

/// The service every candidate has to carry, and where that number comes from.
struct CommonDemand {
  Estimate tokens_per_s;  ///< value 0 when no candidate's service is known
  std::string basis;
};

/// The option, else the workload's own figure, else what n racks of the largest feasible candidate
/// carry at SLO; without a feasible one, of the largest candidate whose service is known. n is the
/// smallest of 1 to 8 with which rounding to whole racks costs no feasible candidate more than 5 %,
/// or the one with which it costs least: one rack of the largest would favour the largest.
[[nodiscard]] CommonDemand choose_demand(const workloads::Workload& workload,
                                         const std::vector<Candidate>& candidates,
                                         const ReviewOptions& options);

/// Whole racks that carry `demand`: ceil(demand / per_rack), a multiple of `step`. A shortfall
/// under 1 % is no reason for another rack: the capacity search is not that fine. Throws
/// std::invalid_argument unless all are positive.
[[nodiscard]] double racks_for(double demand, double per_rack, int step);

/// The least throughput of a rack with which `racks` racks are counted for `demand`.
[[nodiscard]] double least_throughput(double demand, double racks);

/// Fills racks, GPUs, CDUs, switches, power, floor and the metrics for `demand`.
///
/// racks = ceil(demand / tokens per second of a rack); provisioned power = racks x design envelope
/// at rack AC input; tokens/s per MW = demand / provisioned power, with the interval of throughput
/// and power in quadrature (not of the rounding to whole racks, which is a choice and no error).
void size_candidate(Candidate& candidate, const Estimate& demand, const ReviewOptions& options);

}  // namespace rackwright::results
