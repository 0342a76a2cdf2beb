#pragma once

#include <array>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "topology/evaluation.hpp"
#include "topology/limits.hpp"
#include "topology/power/load_timeline.hpp"
#include "topology/power/rack_power.hpp"

namespace rackwright::topology {

/// What the parts of one evaluation share. Each `evaluate_…` adds figures, limits and requirements.
struct EvaluationContext {
  const RackDesign& design;
  const Catalog& catalog;
  const kernels::DeviceInfo& device;
  const std::optional<Demand>& demand;
  const EvaluateOptions& options;
  Environment environment;  ///< design, overridden by options
  RackPowerModel power;
  double gpu_envelope_w = 0;  ///< TDP, or the cap
  RackPower envelope;
  bool has_envelope = false;
  /// Relative interval of the envelope, from the maker's range.
  double envelope_low = 1, envelope_high = 1;
  Origin envelope_origin = Origin::catalogue;
  std::string envelope_basis;
  std::vector<double> capacity_means_w;   ///< rack AC, 1 s windows, load case (b)
  std::optional<RackPower> capacity;      ///< at its mean
  std::optional<double> liquid_flow_lpm;  ///< operating flow
  RackEvaluation& out;
  PowerChain chain;
  /// The rack in each load case: the envelope, the P99 of 1 s means, idle; where it can be formed.
  std::array<std::optional<RackPower>, kLoadCaseCount> case_power;

  /// `watts` of the envelope with its interval.
  [[nodiscard]] Estimate envelope_estimate(double watts, std::string boundary) const;
  /// Heat to liquid as a share of rack AC input; 0 for air.
  [[nodiscard]] double liquid_fraction() const;
  /// Share of the way of the air that cables close: the site's, else that of the laid cabling.
  [[nodiscard]] double cable_blocked() const;
  /// "busbar DC" for shelves, "node DC" for nodes with PSUs of their own.
  [[nodiscard]] std::string bus_boundary() const;
  void add(std::string key, std::string label, Estimate estimate, std::string window,
           std::string basis);
  void require(Requirement requirement);
};

/// A cap on GPU power that keeps `load` under `limit` in the design envelope, with the rack cap it
/// amounts to rounded down to whole kW; the margin is recomputed at that cap.
struct PowerCap {
  double gpu_w = 0;
  double rack_ac_w = 0;
  double margin = 0;
};
[[nodiscard]] std::optional<PowerCap> smallest_cap(
    const EvaluationContext& context, const std::function<double(const RackPower&)>& load,
    double limit);

/// Groups windows into the columns of a chart; keeps both extremes of each.
[[nodiscard]] TimelineLane lane_of(const std::vector<double>& values, double window_s,
                                   double scale);

void evaluate_power_envelope(EvaluationContext& context);
void evaluate_power_limits(EvaluationContext& context);
void evaluate_load_cases(EvaluationContext& context);
/// Every single failure in all domains; asks for what air and liquid have found.
void evaluate_failures(EvaluationContext& context);
void evaluate_power_chain(EvaluationContext& context);
/// Steps, ramps, bands and stores of load case (b): `energy` is one GPU of a replica at `phases`.
void evaluate_power_steps(EvaluationContext& context, const profiler::Trace& trace,
                          const CyclicEnergy& energy, const std::vector<double>& phases,
                          double gpus_per_replica, double other_gpus_w);
void evaluate_air(EvaluationContext& context);
void evaluate_liquid(EvaluationContext& context);
void evaluate_network(EvaluationContext& context);
void evaluate_transient(EvaluationContext& context);
void evaluate_mechanical(EvaluationContext& context);
void evaluate_site(EvaluationContext& context);
void evaluate_service(EvaluationContext& context);
void describe_trays(EvaluationContext& context);
void describe_timelines(EvaluationContext& context);
/// GPU temperature over the trace, where its resistance is known.
void describe_module_temperature(EvaluationContext& context);
void describe_service(EvaluationContext& context);
void describe_bom(EvaluationContext& context);

}  // namespace rackwright::topology
