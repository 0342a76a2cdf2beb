#pragma once

#include <array>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "common/estimate.hpp"
#include "kernels/analytical/cap_response.hpp"
#include "kernels/device_info.hpp"
#include "profiler/replay.hpp"
#include "topology/failures/rack_failures.hpp"
#include "topology/network/uplink_loads.hpp"
#include "topology/power/architecture.hpp"
#include "topology/rack_design.hpp"

namespace rackwright::topology {

/// (a) TDP, EDPp, worst inlet, each worst single failure; (b) the trace at SLO capacity; (c) as
/// recorded; (d) idle and cold start. Limits are judged on (a), efficiency on (b).
enum class LoadCase { design_envelope, slo_capacity, as_recorded, idle, as_measured };
inline constexpr int kLoadCaseCount = 5;
inline constexpr LoadCase kLoadCases[kLoadCaseCount] = {
    LoadCase::design_envelope, LoadCase::slo_capacity, LoadCase::as_recorded, LoadCase::idle,
    LoadCase::as_measured};
[[nodiscard]] std::string_view to_string(LoadCase c);  ///< "design envelope", …
[[nodiscard]] std::string_view key_of(LoadCase c);     ///< "design_envelope", …

/// A number of the evaluation under a stable key: "power.rack_ac.design_envelope".
struct Figure {
  std::string key;
  std::string label;  ///< "Rack AC input, design envelope"
  Estimate estimate;
  std::string window;  ///< "1 s", "steady", ""
  std::string basis;   ///< formula or source in words
};

/// Figures in order of insertion, unique by key.
class FigureSet {
 public:
  /// Throws std::logic_error when the key is taken.
  void add(Figure figure);
  [[nodiscard]] const Figure* find(const std::string& key) const;
  /// The value; throws std::logic_error when absent.
  [[nodiscard]] const Estimate& at(const std::string& key) const;
  [[nodiscard]] const std::vector<Figure>& all() const { return figures_; }

 private:
  std::vector<Figure> figures_;
  std::map<std::string, std::size_t> index_;
};

enum class LimitState { met, near, violated, blank };
[[nodiscard]] std::string_view to_string(LimitState s);

/// One limit under one failure unit. Load and limit are at the same boundary.
struct Limit {
  std::string id;      ///< "power.feed.A"
  std::string domain;  ///< "power", "air", "liquid", "network", "mechanical", "service"
  std::string name;    ///< "Loss of feed A: 4 shelves stay"
  std::string
      failure_unit;     ///< "none", "PSU", "shelf", "whip", "feed", "pump", "fan", "CDU", "switch"
  std::string failure;  ///< "feed A", "" without
  Estimate load;
  std::optional<Estimate> limit;  ///< blank: see `requirement`
  /// (limit - load) / limit; for temperatures the rise over its inlet against the allowed rise.
  double margin = 0, margin_low = 0, margin_high = 0;
  LimitState state = LimitState::met;
  /// True when the maker promises this failure to be survived: only then a violation makes the rack
  /// infeasible; otherwise it is a finding.
  bool promised = true;
  std::string cause;
  std::string remedy;  ///< "Cap the rack at 130 kW within 20 ms"
  std::optional<double> remedied_margin;
};

/// A blank input with the value it would need.
struct Requirement {
  std::string id;        ///< "fan_curve.dgx-b200"
  std::string input;     ///< "GPU cold plate resistance"
  std::string solved;    ///< "<= 0.021 K/W at 1.9 l/min"
  std::string supplier;  ///< "module maker"
  std::string effect;    ///< "verdict, if above"
  bool decides = false;  ///< it could move the verdict: the rack is undecided
};

/// One tray in the design envelope and at SLO capacity, for the drawing.
struct TrayState {
  std::string slot;
  double power_w = 0;               ///< tray input, design envelope; shelves: output
  double rating_w = 0;              ///< shelves; 0 otherwise
  double capacity_power_w = 0;      ///< at SLO capacity
  std::optional<double> hottest_c;  ///< modelled hottest part or outlet
  std::string hottest_part;         ///< "GPU", "air outlet"
  std::optional<double> air_m3_per_min;
  std::optional<double> coolant_lpm;
  std::optional<double> weight_kg;
};

/// One tray on the coolant manifolds, design envelope.
struct CoolantBranch {
  std::string slot;
  double heat_w = 0;  ///< to the coolant
  double flow_lpm = 0;
  std::optional<double> drop_kpa;  ///< manifold to manifold
  double supply_c = 0, return_c = 0;
  std::optional<double> return_limit_c;
  bool valve_open = true;
  /// "cold plates" … of the branch, in order of the flow table
  std::vector<std::pair<std::string, double>> component_drop_kpa;
};

/// The technology loop (TCS) of the rack and the facility loop (FWS) behind its CDU.
struct CoolantView {
  std::string coolant, cdu, cdu_place;
  double supply_c = 0, return_c = 0, fws_supply_c = 0, dew_point_c = 0;
  double flow_lpm = 0, heat_w = 0;
  std::optional<double> drop_kpa, cdu_head_kpa, cdu_capacity_w, approach_k;
  double racks_per_cdu = 1;
  int cdus_installed = 1;
  std::vector<CoolantBranch> branches;  ///< bottom first
};

/// A quantity over time: min, mean, max per column, decimated from exact edges.
struct TimelineLane {
  std::string label;  ///< "Rack AC input"
  std::string unit;   ///< "kW"
  std::string note;   ///< "modelled, 1 s means"
  std::vector<double> t_s, min, mean, max;
  struct Line {
    std::string label;
    double value = 0;
    bool is_limit = true;
  };
  std::vector<Line> lines;
  double peak = 0, peak_t_s = 0, p99 = 0, average = 0;
  std::string window;
};

struct BomLine {
  std::string item;
  std::string part;
  double quantity = 0;
  std::optional<double> unit_w, unit_kg, unit_usd_low, unit_usd_high;
  std::string region, lead_weeks, second_source;  ///< "" = blank
  std::string source;
};

/// A part that is replaced in the field and what that takes down.
struct ServiceItem {
  std::string part;
  int count = 0;
  int gpus_down = 0;         ///< while one of them is out
  std::string goes_down;     ///< "4 GPUs", "nothing while one more PSU stays in its shelf"
  std::string isolation;     ///< what is to be parted first: couplings, cords
  std::optional<double> kg;  ///< blank: not published
  std::string hot_swap;      ///< "yes", "no", "" = not published
  std::string source;
};

/// Service of one rack at SLO capacity.
struct Placement {
  int gpus_per_replica = 0;
  int replicas = 0;               ///< per rack
  int idle_gpus = 0;              ///< of the rack, unused by whole replicas
  bool crosses_scale_up = false;  ///< a replica spans scale-up domains
  int racks_per_replica = 1;
  std::string plan;
};

/// What the operator model of a rack's device rests on, to tell which errors two racks share.
struct ModelBasis {
  /// Calibrated device → relative error (90 %) of carrying its model over; 0 for its own.
  std::map<std::string, double> transfer_errors;
  /// Relative error of the throughput at SLO over that of the step times.
  double gain = 1;
};

/// The power chain of one rack under its load cases, for drawing and tables.
struct PowerReport {
  int gpus = 0;
  PowerChain chain;
  /// What the chain carries: the design envelope, the P99 of the trace cases, idle; those known.
  std::vector<std::pair<LoadCase, ChainDemand>> cases;
  std::vector<Architecture> architectures;
};

/// The rack under its load cases in all domains at once, for the failure table.
struct FailureReport {
  RackModel model;
  std::vector<std::pair<LoadCase, RackLoad>> loads;  ///< those known
  std::vector<FailureRow> worst;                     ///< design envelope, by level and failure unit
};

struct RackEvaluation {
  std::string rack;
  std::string device;
  ModelBasis model_basis;
  Placement placement;
  FigureSet figures;
  std::vector<Limit> limits;  ///< by margin, worst first; blanks last
  std::vector<Requirement> requirements;
  std::vector<TrayState> trays;           ///< one per slot that has power or heat
  std::optional<CoolantView> coolant;     ///< liquid racks whose flow is known
  std::optional<FabricLoad> fabric_load;  ///< of one scalable unit, where it has spines
  std::vector<TimelineLane> timelines;    ///< load case (b)
  std::vector<BomLine> bom;               ///< one rack
  PowerReport power;
  FailureReport failures;
  std::vector<ServiceItem> service_items;
  bool blank_service = false;  ///< the device cannot be predicted: no tokens/s
  std::vector<std::string> notes;

  /// Worst margin over promised, non-blank limits; 1 when there is none.
  [[nodiscard]] double worst_margin() const;
};

/// Load of the rack from a replay: capacity and recorded traces of one replica on this rack's
/// device. Absent for a rack whose device cannot be predicted.
struct Demand {
  profiler::SloCapacity capacity;
  profiler::Trace recorded;
};

/// What the scale-out cabling asks of the fullest compute rack; an input of power and air.
struct CablingDemand {
  double module_typical_w = 0, module_max_w = 0;  ///< modules and active plugs, known figures
  double blocked_m2 = 0;                          ///< of the opening, behind bundles
  double opening_m2 = 0;
};

/// Power that GPUs of a device drew under a real load.
struct MeasuredLoad {
  std::string device;
  std::vector<double> gpu_w;  ///< means over 1 s, in order; mean of the GPUs that were read
  double window_s = 0;        ///< that they cover
  std::string source;         ///< counter and window
};

struct EvaluateOptions {
  std::optional<MeasuredLoad> measured;  ///< a load case of racks of that device
  std::optional<double> air_inlet_c, tcs_supply_c, fws_supply_c, dew_point_c, tcs_flow_lpm;
  std::optional<double> gpu_power_cap_w, rack_power_cap_w;
  /// How a job slows down when clocks fall; nothing: a throttled GPU's speed is left open.
  std::optional<kernels::CapResponse> cap_response;
  std::optional<CablingDemand> cabling;  ///< nothing: the rack has no cabled fabric
  std::uint64_t seed = 1;
};

/// One candidate in full. Never throws for an infeasible rack: that is a value.
[[nodiscard]] RackEvaluation evaluate(const RackDesign& design, const Catalog& catalog,
                                      const kernels::DeviceInfo& device,
                                      const std::optional<Demand>& demand,
                                      const EvaluateOptions& options);

/// Replicas of `plan` in one rack: tensor-parallel groups inside a scale-up domain, experts inside
/// the rack, replicas across.
[[nodiscard]] Placement place(const RackDesign& design, const workloads::ServingPlan& plan);

}  // namespace rackwright::topology
