#pragma once

#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "topology/thermal/coolant_loop.hpp"
#include "topology/thermal/pressure_curve.hpp"

namespace rackwright::topology {

/// What the maker prints of one CDU. Blank stays blank.
struct CduRating {
  std::optional<double> capacity_w, approach_k;
  std::optional<double> flow_lpm, head_kpa;  ///< the external head at that flow
  std::optional<double> input_w;             ///< published maximum
  std::optional<double> primary_lpm;
  int pumps = 0;                              ///< in parallel; 0: not published
  std::shared_ptr<const PressureCurve> head;  ///< over the flow of all pumps
};

/// Flow of a CDU with `lost` of its pumps off at `head_kpa`: of the curve where there is one, else
/// at least the pumps' part of the rated flow. Nothing when what it takes is blank.
[[nodiscard]] std::optional<double> cdu_flow_lpm(const CduRating& cdu, double head_kpa, int lost);

/// Electrical input of one CDU whose pumps follow the load by speed: hydraulic power Q dp over that
/// of the rated point times its published input, which is the most it draws. Nothing when blank.
[[nodiscard]] std::optional<double> cdu_input_w(const CduRating& cdu, double flow_lpm,
                                                double drop_kpa);

struct CduUnit {
  std::string id;
  std::vector<std::string> supply;  ///< any that lives carries its pumps; empty: blank
};

/// The technology loop of one rack and the CDUs that it shares with `racks` - 1 like it.
struct LiquidPlant {
  std::optional<CoolantLoop> loop;    ///< nothing: no drop is published, equal outlets
  std::optional<DropLaw> drop;        ///< of the rack
  double outside_share = 0;           ///< of the loop's drop, outside the rack
  std::vector<std::string> slots;     ///< tray of each branch
  std::vector<double> sizing_heat_w;  ///< by branch
  double flow_lpm = 0;                ///< that one rack asks for
  double w_per_k_lpm = 0;             ///< heat a litre per minute takes per kelvin
  double fws_w_per_k_lpm = 0;
  double dew_point_c = 0;           ///< of the room: the coldest supply there can be
  double supply_c = 0, sink_c = 0;  ///< TCS set point; FWS, or room air of a sidecar
  std::optional<double> supply_max_c, outlet_max_c;
  std::optional<double> module_k_per_w, module_max_c;
  double racks = 1;
  std::vector<CduUnit> cdus;
  CduRating cdu;
  bool in_rack = false;            ///< its input comes from the rack's own feeds
  std::optional<double> leak_lpm;      ///< lost by a broken branch until its valve shuts, at most
  std::optional<double> leak_valve_s;  ///< from the leak to the shut valve
  CoolantLoop::State clean;        ///< at `flow_lpm`, all branches open
  /// Fills `clean`.
  void settle();
};

/// What of the plant does not work.
struct LiquidLoss {
  std::vector<char> cdu_off;      ///< by CDU; empty: all run
  std::vector<int> pumps_off;     ///< by CDU; empty: all run
  std::vector<std::size_t> shut;  ///< branches
};

struct LiquidState {
  std::optional<double> available_lpm;  ///< for one rack; blank: a pump's part is not published
  double flow_lpm = 0;
  double supply_c = 0, return_c = 0;  ///< infinite without flow or beyond the exchanger
  std::vector<double> branch_lpm, outlet_c;
  double cdu_heat_w = 0;                           ///< of each CDU that runs
  std::vector<std::optional<double>> cdu_input_w;  ///< by CDU; 0 when off
};
/// Flow, supply and outlets with `heat_w` on the branches and `other_w` beside them. Where fewer
/// CDUs need a larger approach than there is, the supply rises by what is missing.
[[nodiscard]] LiquidState solve_liquid(const LiquidPlant& plant, const std::vector<double>& heat_w,
                                       double other_w, const LiquidLoss& loss);

}  // namespace rackwright::topology
