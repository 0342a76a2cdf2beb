#pragma once

#include <optional>
#include <string>
#include <vector>

#include "topology/failures/air_plant.hpp"
#include "topology/failures/failure_row.hpp"
#include "topology/failures/liquid_plant.hpp"
#include "topology/power/power_chain.hpp"

namespace rackwright::topology {

/// A slot that draws power and gives off heat.
struct RackTray {
  std::string slot, group;
  int gpus = 0;
  std::optional<double> converter_w;  ///< rating of its bus converter (IBC, PDB); blank
};

/// One rack in all domains, ready to be solved under any failure.
struct RackModel {
  PowerChain chain;
  std::optional<LiquidPlant> liquid;
  AirPlant air;
  std::vector<RackTray> trays;
  int scale_up_switches = 0;  ///< switch trays of the scale-up domain
};

/// What the rack carries in one load case.
struct RackLoad {
  ChainDemand demand;
  std::vector<double> branch_heat_w;  ///< to the coolant, by branch
  double other_liquid_w = 0;
  std::vector<double> air_heat_w;  ///< by tray of the air plant
  double gpu_w = 0;                ///< one module
  double low = 1, high = 1;        ///< 90 % interval of the rack's power, over its value
};

/// What has failed, in any domain.
struct RackFailure {
  std::string unit = "none";  ///< "PSU", …, "pump", "CDU", "fan", "door fan", "branch", "leak",
                              ///< "switch"; "A + B" for pairs
  std::string what;
  PowerFailure power;
  std::vector<std::size_t> cdus, pumps;  ///< of the plant's CDUs; a pump of each
  std::vector<std::size_t> fans;         ///< a fan of each of these trays of the air plant
  bool door_fan = false;
  std::vector<std::size_t> shut;     ///< branches without flow; their trays are off
  std::vector<std::size_t> leaking;  ///< of `shut`: those that lose coolant
  std::vector<std::string> off;      ///< slots without power
};

/// Every single failure of the rack: those of the power chain, a pump of each CDU, each CDU, a fan
/// of each tray, a door fan, each branch blocked, each branch leaking, each switch tray.
[[nodiscard]] std::vector<RackFailure> rack_failures(const RackModel& model);
/// Every unordered pair of them, across domains; without pairs of which one contains the other.
[[nodiscard]] std::vector<RackFailure> rack_failure_pairs(const RackModel& model);

/// Every node of every domain under one failure. What a failure takes down goes down in all
/// domains: CDUs, pumps and fans whose supply is lost stand still, trays without supply or coolant
/// draw nothing, and the input of cooling that runs harder is on the feeds.
[[nodiscard]] std::vector<FailureRow> rack_rows(const RackModel& model, const RackLoad& load,
                                                const RackFailure& failure);
/// In service, then every single failure.
[[nodiscard]] std::vector<FailureRow> rack_failure_table(const RackModel& model,
                                                         const RackLoad& load);
/// The worst node of each level under every pair.
[[nodiscard]] std::vector<FailureRow> rack_pair_table(const RackModel& model, const RackLoad& load);

}  // namespace rackwright::topology
