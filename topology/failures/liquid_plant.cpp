#include "topology/failures/liquid_plant.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "topology/thermal/heat_exchanger.hpp"

namespace rackwright::topology {

namespace {

constexpr double kEndless = std::numeric_limits<double>::infinity();

double drop_kpa(const LiquidPlant& plant, double flow_lpm) {
  return plant.drop ? plant.drop->drop_kpa(flow_lpm) / (1 - plant.outside_share) : 0.0;
}

/// Flow in proportion to the heat the branches are sized for; a shut one leaves its flow to the
/// others.
std::vector<double> equal_outlets(const LiquidPlant& plant, double flow_lpm,
                                  const std::vector<std::size_t>& shut) {
  std::vector<double> share = plant.sizing_heat_w;
  for (const std::size_t branch : shut) share[branch] = 0;
  const double sum = std::accumulate(share.begin(), share.end(), 0.0);
  for (double& s : share) s *= sum > 0 ? flow_lpm / sum : 0.0;
  return share;
}

std::vector<double> branch_flows(const LiquidPlant& plant, double flow_lpm,
                                 const std::vector<std::size_t>& shut) {
  if (!(flow_lpm > 0)) return std::vector<double>(plant.slots.size(), 0.0);
  if (!plant.loop) return equal_outlets(plant, flow_lpm, shut);
  if (shut.empty() && std::abs(flow_lpm - plant.flow_lpm) < 1e-9) return plant.clean.branch_lpm;
  std::vector<double> open(plant.slots.size(), 1.0);
  for (const std::size_t branch : shut) open[branch] = 0;
  return plant.loop->at_flow(flow_lpm, open).branch_lpm;
}

/// Approach a CDU needs for its heat at its flow; nothing when its rating is blank.
std::optional<double> needed_approach_k(const LiquidPlant& plant, double heat_w, double flow_lpm) {
  const CduRating& cdu = plant.cdu;
  if (!cdu.approach_k || !cdu.capacity_w || heat_w <= 0) return std::nullopt;
  if (!cdu.flow_lpm || !(flow_lpm > 0)) return *cdu.approach_k * heat_w / *cdu.capacity_w;
  const double rated = *cdu.flow_lpm * plant.w_per_k_lpm;
  const double facility = cdu.primary_lpm ? *cdu.primary_lpm * plant.fws_w_per_k_lpm : rated;
  return exchanger_approach_k({*cdu.capacity_w, *cdu.approach_k, rated, facility}, heat_w,
                              flow_lpm * plant.w_per_k_lpm, facility);
}

/// Flow of all CDUs that run; nothing when one of them is not known.
std::optional<double> group_flow_lpm(const LiquidPlant& plant, const LiquidLoss& loss) {
  const double head = drop_kpa(plant, plant.flow_lpm);
  double sum = 0;
  for (std::size_t i = 0; i < plant.cdus.size(); ++i) {
    if (!loss.cdu_off.empty() && loss.cdu_off[i]) continue;
    const int lost = loss.pumps_off.empty() ? 0 : loss.pumps_off[i];
    const auto flow = cdu_flow_lpm(plant.cdu, head, lost);
    if (!flow) return std::nullopt;
    sum += *flow;
  }
  return sum;
}

}  // namespace

void LiquidPlant::settle() {
  clean = loop ? loop->at_flow(flow_lpm) : CoolantLoop::State{};
  if (!loop) clean.branch_lpm = equal_outlets(*this, flow_lpm, {});
}

std::optional<double> cdu_flow_lpm(const CduRating& cdu, double head_kpa, int lost) {
  if (!cdu.flow_lpm) return std::nullopt;
  if (lost > 0 && cdu.pumps == 0) return std::nullopt;
  const double part = lost > 0 ? static_cast<double>(cdu.pumps - lost) / cdu.pumps : 1.0;
  if (!cdu.head || !(head_kpa > 0)) return *cdu.flow_lpm * part;
  double low = 0, high = cdu.head->last_flow();
  for (int i = 0; i < 60; ++i) {
    const double middle = (low + high) / 2;
    (cdu.head->pressure(middle) > head_kpa * 1e3 ? low : high) = middle;
  }
  return low * 60e3 * part;
}

std::optional<double> cdu_input_w(const CduRating& cdu, double flow_lpm, double drop_kpa) {
  if (!cdu.flow_lpm || !cdu.head_kpa || !cdu.input_w || !(drop_kpa > 0)) return std::nullopt;
  return *cdu.input_w * std::min(1.0, flow_lpm * drop_kpa / (*cdu.flow_lpm * *cdu.head_kpa));
}

LiquidState solve_liquid(const LiquidPlant& plant, const std::vector<double>& heat_w,
                         double other_w, const LiquidLoss& loss) {
  LiquidState state;
  const auto running =
      static_cast<double>(plant.cdus.size() - static_cast<std::size_t>(std::count(
                                                  loss.cdu_off.begin(), loss.cdu_off.end(), 1)));
  if (const auto flow = group_flow_lpm(plant, loss)) state.available_lpm = *flow / plant.racks;
  state.flow_lpm = running > 0 || plant.cdus.empty()
                       ? std::min(plant.flow_lpm, state.available_lpm.value_or(plant.flow_lpm))
                       : 0.0;
  state.branch_lpm = branch_flows(plant, state.flow_lpm, loss.shut);
  const double heat = std::accumulate(heat_w.begin(), heat_w.end(), other_w);
  state.supply_c = plant.supply_c;
  if (running > 0) {
    state.cdu_heat_w = heat * plant.racks / running;
    const auto approach =
        needed_approach_k(plant, state.cdu_heat_w, state.flow_lpm * plant.racks / running);
    if (approach) state.supply_c = std::max(plant.supply_c, plant.sink_c + *approach);
  }
  state.return_c =
      state.flow_lpm > 0 ? state.supply_c + heat / (plant.w_per_k_lpm * state.flow_lpm) : kEndless;
  for (std::size_t i = 0; i < heat_w.size(); ++i) {
    const double flow = state.branch_lpm[i] * plant.w_per_k_lpm;
    state.outlet_c.push_back(heat_w[i] <= 0 ? state.supply_c
                             : flow > 0     ? state.supply_c + heat_w[i] / flow
                                            : kEndless);
  }
  const double each = running > 0 ? state.flow_lpm * plant.racks / running : 0.0;
  for (std::size_t i = 0; i < plant.cdus.size(); ++i) {
    const bool off = !loss.cdu_off.empty() && loss.cdu_off[i];
    state.cdu_input_w.push_back(
        off ? std::optional(0.0) : cdu_input_w(plant.cdu, each, drop_kpa(plant, state.flow_lpm)));
  }
  return state;
}

}  // namespace rackwright::topology
