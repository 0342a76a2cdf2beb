#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/data_locator.hpp"
#include "common/progress.hpp"
#include "topology/evaluation.hpp"
#include "topology/rack_design.hpp"
#include "workloads/workload.hpp"

namespace rackwright::results {

/// Racks behind one load balancer: a scalable unit of eight, as makers deploy them and as the
/// default demand of a review is sized. Their replicas share the traffic, so a burst meets them
/// all.
inline constexpr int kRacksOfPool = 8;

/// What a rack is asked to carry: the best plan of the workload on its device, replayed at SLO
/// capacity and as recorded. Racks of the same device, scale-up domain and size share one.
struct RackDemand {
  std::optional<topology::Demand> demand;
  /// Why there is none: blank facts of the device. "" otherwise.
  std::string blank_reason;
  /// The model fits no plan on this rack: bytes per GPU that the smallest plan needs, bytes there
  /// are, and the words for it.
  struct Shortage {
    double needed_bytes = 0;
    double available_bytes = 0;
    std::string text;
  };
  std::optional<Shortage> shortage;
  std::vector<std::string> notes;  ///< plans left out, and why
};

struct DemandOptions {
  std::uint64_t seed = 1;
  std::optional<double> gpu_power_cap_w;
  unsigned threads = 2;
  double tolerance = 0.03;  ///< of the capacity of the chosen plan
  /// Runs of this workload. On its own device a run at the same load is the trace as recorded; a
  /// measured one scales the capacity on its device by measured over modelled busy time of it, and
  /// on devices without one the first measured run does, marked extrapolated. Must outlive the
  /// call.
  std::vector<const profiler::Trace*> runs;
};

struct DemandSearch {
  std::vector<RackDemand> groups;
  std::vector<std::size_t> group_of;  ///< by design
  [[nodiscard]] const RackDemand& of(std::size_t design) const { return groups[group_of[design]]; }
};

/// For each distinct device and domain: tries every plan of the workload that fits memory and rack
/// with a coarse capacity search on the beginning of the traffic, keeps the one with most output
/// tokens per second of the rack, and searches that finely. Plans and racks are worked off by
/// `threads` threads; the result does not depend on their number or order. Throws InputError when
/// the model fits no candidate at all, and Interrupted from `progress`.
[[nodiscard]] DemandSearch find_demands(const workloads::Workload& workload,
                                        const std::vector<topology::RackDesign>& designs,
                                        const DataLocator& data, const DemandOptions& options,
                                        const ProgressCallback& progress = {});

/// `topology::evaluate` with the notes of the demand, and "does not fit" as a violated limit.
[[nodiscard]] topology::RackEvaluation evaluate_rack(const topology::RackDesign& design,
                                                     const topology::Catalog& catalog,
                                                     const DataLocator& data,
                                                     const RackDemand& demand,
                                                     const topology::EvaluateOptions& options);

/// Turns "no plan fits" into a violated service limit of the evaluation: a known fact, not a blank.
void mark_shortage(topology::RackEvaluation& evaluation, const RackDemand::Shortage& shortage);

}  // namespace rackwright::results
