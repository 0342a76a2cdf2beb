#pragma once

#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "kernels/analytical/cap_response.hpp"
#include "profiler/trace.hpp"
#include "topology/thermal/transient/transient_solver.hpp"

namespace rackwright::topology {

/// Clocks step down while a node is over its limit and up again below limit less hysteresis, once
/// per period. Below `lowest_clock` a module cannot go: a limit that this does not hold is lost.
struct Throttle {
  double limit_c = std::numeric_limits<double>::infinity();
  double hysteresis_k = 2;
  double period_s = 1;
  double step = 0.03;  ///< of the full clock
  double lowest_clock = 0.1;
  double idle_w = 0;  ///< power of a node that clocks do not lower
  kernels::CapResponse response;
};

/// Discrete PI of a pump or fan wall, once per period of the management controller. The speed sets
/// the flow in proportion (affinity); the electrical power is the caller's own fan or pump law.
struct SpeedControl {
  int sensor = 0;  ///< node whose temperature is held
  double target_c = 0;
  int flow = 0;
  double full_w_per_k = 0;  ///< heat capacity rate at full speed
  double start = 1;         ///< share of full speed
  double lowest = 0.2;
  double period_s = 1;
  double gain_per_k = 0.02;     ///< proportional
  double gain_per_k_s = 0.005;  ///< integral
};

/// A flow that is set from outside at a moment: a pump stops, a fan wall fails.
struct FlowEvent {
  double at_s = 0;
  int flow = 0;
  double w_per_k = 0;
};

/// One load, in the time of the work, on `nodes`: each draws it times its share.
struct ThermalLoad {
  profiler::PowerTimeline watts;
  std::vector<std::pair<int, double>> nodes;
};

struct ReplaySettings {
  double step_s = 0.1;
  /// The replay ends here even when work is left: a throttled job takes longer than its load.
  double most_s = std::numeric_limits<double>::infinity();
  std::optional<Throttle> throttle;
  std::vector<SpeedControl> controls;
  std::vector<FlowEvent> events;  ///< ascending in time
};

/// State after a step.
struct ReplayMoment {
  double time_s = 0, work_s = 0;
  double clock = 1;  ///< share of the full clock
  double speed = 1;  ///< of the work against the unthrottled run
  const TransientSolver* solver = nullptr;
  std::vector<double> speeds;  ///< of the controls
};

struct ThermalReplay {
  double elapsed_s = 0;
  double work_s = 0;  ///< of the load that was done; elapsed / work is the slow-down
  double peak_c = -std::numeric_limits<double>::infinity();  ///< hottest loaded node, ends of steps
  double peak_at_s = 0;
  double throttled_s = 0;
  double lowest_clock = 1;
  double over_limit_s = 0;  ///< spent over the throttle limit
  bool runaway = false;     ///< leakage outgrew the cooling at elapsed_s
  HeatLedger ledger;
};

/// Time → watts → heat → clocks → time, closed: a node that is throttled does its work slower, so
/// its load comes later. Steps end on every edge of the load, event and control period, so power is
/// never averaged over an edge. `observe` sees every step.
[[nodiscard]] ThermalReplay replay_thermal(
    const ThermalNetwork& network, const std::vector<double>& start_c, const ThermalLoad& load,
    const ReplaySettings& settings, const std::function<void(const ReplayMoment&)>& observe = {});

/// Seconds until `node` reaches `limit_c` under constant inputs from `start_c`, linear within the
/// step that crosses; nothing when it is not reached within `most_s`. 0 when it is over already.
[[nodiscard]] std::optional<double> seconds_to_limit(const ThermalNetwork& network,
                                                     const std::vector<double>& start_c,
                                                     const ThermalInputs& inputs, int node,
                                                     double limit_c, double most_s,
                                                     double step_s = 0.05);

/// Seconds until a mass without any cooling has warmed by `rise_k`: t = C dT / P. No part with a
/// path to somewhere colder is quicker.
[[nodiscard]] constexpr double adiabatic_seconds(double capacity_j_per_k, double rise_k,
                                                 double watts) {
  return capacity_j_per_k * rise_k / watts;
}
/// The heat capacity that bridges `seconds` without cooling: C = P t / dT.
[[nodiscard]] constexpr double bridging_capacity_j_per_k(double watts, double seconds,
                                                         double rise_k) {
  return watts * seconds / rise_k;
}

}  // namespace rackwright::topology
