#pragma once

namespace rackwright::topology {

/// Counter-flow effectiveness over transfer units N and ratio C of the smaller to the larger heat
/// capacity flow: e = (1 - exp(-N (1 - C))) / (1 - C exp(-N (1 - C))), N / (1 + N) at C = 1
/// (Kays and London).
[[nodiscard]] double counterflow_effectiveness(double transfer_units, double capacity_ratio);
/// The inverse. Throws std::invalid_argument for an effectiveness outside 0 <= e < 1.
[[nodiscard]] double counterflow_transfer_units(double effectiveness, double capacity_ratio);

/// A liquid-to-liquid exchanger as its maker rates it: heat, approach (supply of the loop over
/// supply of the facility) and heat capacity flows [W/K] of both sides.
struct RatedExchanger {
  double heat_w = 0;
  double approach_k = 0;
  double loop_w_per_k = 0;
  double facility_w_per_k = 0;
};

/// Approach at other flows and heat. UA of the rating is split evenly between both sides and each
/// half goes with its flow to the power 0.8 (turbulent; Dittus and Boelter). Wall resistance and
/// fouling are left out. Infinite when the facility flow cannot take the heat.
[[nodiscard]] double exchanger_approach_k(const RatedExchanger& rated, double heat_w,
                                          double loop_w_per_k, double facility_w_per_k);

/// Darcy friction factor: 64 / Re below 2300, Colebrook above 4000, a cubic with equal value and
/// slope at both ends between.
[[nodiscard]] double darcy_friction(double reynolds, double relative_roughness);

}  // namespace rackwright::topology
