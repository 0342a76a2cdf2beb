#include <algorithm>
#include <cmath>
#include <numeric>

#include <fmt/format.h>

#include "topology/evaluation_liquid.hpp"
#include "topology/evaluation_transient.hpp"
#include "topology/part_facts.hpp"
#include "topology/thermal/coolant_loop.hpp"
#include "topology/thermal/heat_split.hpp"

namespace rackwright::topology {

LiquidHeat liquid_heat(const EvaluationContext& context, const RackPower& power) {
  LiquidHeat result;
  std::vector<HeatSource> sources;
  const auto& slots = context.power.slots();
  double inside = 0;
  for (std::size_t i = 0; i < slots.size(); ++i) {
    HeatSource source{power.slot_w[i], {}};
    if (slots[i].part) {
      const Fact& fraction = slots[i].part->fact("liquid_fraction_pct");
      if (fraction.value) source.liquid_fraction = *fraction.value / 100;
    }
    result.has_published |= source.liquid_fraction.has_value();
    inside += source.watts;
    sources.push_back(source);
  }
  // What rectifiers lose leaves their shelves as warm air, unless nothing else can take the heat
  // up.
  const double liquid = power.rack_ac_w * context.liquid_fraction();
  const HeatSplit split = split_heat(sources, std::min(liquid, inside));
  result.slot_w = split.liquid_w;
  result.other_w = std::max(0.0, liquid - inside);
  result.unplaced_w = split.unplaced_w;
  result.blank_fraction = split.blank_fraction;
  return result;
}

namespace {

/// Components that the loop's drop is published for, in the order the coolant passes them.
std::vector<LoopComponent> components(const EvaluationContext& context) {
  const Part* part = context.catalog.find(context.design.liquid->drop_shares);
  std::vector<LoopComponent> result;
  if (!part) return {{"tray", 1, false}};
  const auto add = [&](const char* name, const char* key, bool manifold) {
    if (const auto share = part->number(key)) result.push_back({name, *share / 100, manifold});
  };
  add("manifold", "manifold_share_pct", true);
  add("valves", "valves_share_pct", false);
  add("quick disconnects", "quick_disconnects_share_pct", false);
  add("hoses", "hoses_share_pct", false);
  add("fittings", "fittings_share_pct", false);
  add("cold plates", "cold_plates_share_pct", false);
  if (result.empty()) return {{"tray", 1, false}};
  return result;
}

struct Branches {
  std::vector<TrayBranch> trays;
  std::vector<std::size_t> slots;  ///< of the power model
};

Branches branches_of(const EvaluationContext& context, const LiquidHeat& heat) {
  Branches result;
  const auto& slots = context.power.slots();
  const double pitch = pitch_mm(context.design.envelope.pitch);
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < slots.size(); ++i) {
    if (heat.slot_w[i] > 0 && context.design.slot(slots[i].slot)) order.push_back(i);
  }
  const auto unit = [&](std::size_t i) { return context.design.slot(slots[i].slot)->unit; };
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return unit(a) < unit(b); });
  for (const std::size_t i : order) {
    const Slot& slot = *context.design.slot(slots[i].slot);
    result.trays.push_back(
        {slot.id, (slot.unit - 1 + slot.height / 2) * pitch / 1e3, heat.slot_w[i]});
    result.slots.push_back(i);
  }
  return result;
}

std::optional<double> return_limit(const EvaluationContext& context, const LoopState& loop) {
  if (context.design.liquid->return_max_c.value) return context.design.liquid->return_max_c.value;
  if (loop.law) return loop.law->return_c;
  return std::nullopt;
}

CoolantView view_of(const EvaluationContext& context, const LoopState& loop,
                    const CoolantLoop* network, const CoolantLoop::State& state,
                    const std::vector<TrayBranch>& trays, const std::vector<double>& outlets) {
  const LiquidLoop& design = *context.design.liquid;
  CoolantView view;
  const Part* coolant = context.catalog.find(design.coolant);
  view.coolant = coolant ? coolant->name : design.coolant;
  view.supply_c = loop.supply_c;
  view.fws_supply_c = context.environment.fws_supply_c;
  view.dew_point_c = context.environment.dew_point_c;
  view.flow_lpm = loop.flow_lpm;
  view.heat_w = loop.heat_w;
  view.racks_per_cdu = design.racks_per_cdu;
  view.cdus_installed = design.cdus_installed;
  if (const Part* cdu = context.catalog.find(design.cdu)) {
    view.cdu = cdu->name;
    view.cdu_place = cdu->fact("place").text;
    view.cdu_capacity_w = cdu->number("capacity_w");
    view.cdu_head_kpa = cdu->number("external_head_kpa");
  }
  if (network) view.drop_kpa = state.drop_kpa;
  const auto limit = return_limit(context, loop);
  for (std::size_t i = 0; i < trays.size(); ++i) {
    CoolantBranch branch;
    branch.slot = trays[i].slot;
    branch.heat_w = trays[i].heat_w;
    branch.flow_lpm = state.branch_lpm[i];
    branch.supply_c = loop.supply_c;
    branch.return_c = outlets[i];
    branch.return_limit_c = limit;
    if (network) {
      branch.drop_kpa = state.branch_drop_kpa[i];
      for (const LoopComponent& part : network->components()) {
        if (part.manifold) continue;
        branch.component_drop_kpa.emplace_back(part.name,
                                               network->component_drop_kpa(state, i, part));
      }
    }
    view.branches.push_back(std::move(branch));
  }
  return view;
}

void add_branch_figures(EvaluationContext& context, const CoolantView& view) {
  const auto cooler = [](const CoolantBranch& a, const CoolantBranch& b) {
    return a.return_c < b.return_c;
  };
  const CoolantBranch& hottest =
      *std::max_element(view.branches.begin(), view.branches.end(), cooler);
  Estimate outlet = exact(hottest.return_c, {"degC", Origin::modelled, "tray outlet"});
  const double rise = hottest.return_c - view.supply_c;
  outlet.low = view.supply_c + rise * context.envelope_low;
  outlet.high = view.supply_c + rise * context.envelope_high;
  context.add("liquid.tray_outlet.design_envelope", "Coolant leaving the warmest tray", outlet,
              "steady", "supply + P / (rho cp q) of tray " + hottest.slot);
  double most = 0, least = 1e300;
  for (const CoolantBranch& branch : view.branches) {
    const double per_heat = branch.flow_lpm / branch.heat_w;
    most = std::max(most, per_heat);
    least = std::min(least, per_heat);
  }
  context.add("liquid.branch_spread", "Flow over heat, best against worst branch",
              exact(most / least - 1, {"1", Origin::modelled, "TCS"}), "steady",
              "flow network of both manifolds; branches sized for equal outlets");
  if (!hottest.return_limit_c) return;
  const double margin = blockage_margin(view.supply_c, hottest.return_c, *hottest.return_limit_c);
  context.add("liquid.blockage", "Flow that the warmest branch may lose",
              exact(margin, {"1", Origin::modelled, "TCS"}), "steady",
              fmt::format("until its coolant leaves at {:.1f} degC", *hottest.return_limit_c));
  if (context.design.liquid->return_max_c.value || margin <= -1) return;
  // No maker's limit: the return that the published flows hold, at the heat they are printed for.
  const double allowed = *hottest.return_limit_c - view.supply_c;
  Limit limit = make_limit(
      {"liquid.published_return", "liquid", "Warmest tray against the return of the flow table",
       "none", "", false},
      exact(rise, {"K", Origin::modelled, "tray outlet"}),
      exact(allowed, {"K", Origin::modelled, "tray outlet"}),
      fmt::format(
          "{} leaves at {:.1f} degC; the published flows hold {:.1f} degC at the heat they are "
          "printed for; as rise over the supply",
          hottest.slot, hottest.return_c, *hottest.return_limit_c));
  if (limit.state == LimitState::violated) {
    const double flow = std::ceil(view.flow_lpm * rise / allowed * 1.01);
    limit.remedy = fmt::format("Raise the flow to {:.0f} l/min", flow);
    limit.remedied_margin = 1 - rise * view.flow_lpm / (allowed * flow);
  }
  context.out.limits.push_back(std::move(limit));
}

/// A leak: the valve of the tray shuts, its GPUs are off, the others get its flow.
void add_leak(EvaluationContext& context, const LoopState& loop, const CoolantLoop& network,
              const CoolantView& view) {
  std::size_t largest = 0;
  for (std::size_t i = 0; i < view.branches.size(); ++i) {
    if (view.branches[i].heat_w > view.branches[largest].heat_w) largest = i;
  }
  std::vector<double> open(view.branches.size(), 1.0);
  open[largest] = 0;
  const CoolantLoop::State state = network.at_flow(loop.flow_lpm, open);
  const Slot* slot = context.design.slot(view.branches[largest].slot);
  context.add("liquid.leak.gpus_off", "GPUs off while a leaking tray is shut",
              exact(slot ? slot->gpus : 0, {"GPUs", Origin::modelled, "rack"}), "steady",
              "valve of tray " + view.branches[largest].slot + " shut, tray off");
  context.add("liquid.leak.drop", "Pressure drop of the rack with one tray shut",
              exact(state.drop_kpa, {"kPa", Origin::modelled, "TCS"}), "steady",
              "flow network, flow of the rack kept");
  const auto& most = context.design.liquid->working_pressure_bar;
  if (!most.value) {
    context.require({"working_pressure." + context.design.id, "working pressure of the loop",
                     fmt::format(">= {:.0f} kPa over the fill pressure", view.drop_kpa.value_or(0)),
                     "rack maker", "leak rate and rating of hoses", false});
    return;
  }
  const double lost = 2 * leak_flow_lpm(network.branch(largest), 0.5, *most.value * 100);
  context.add("liquid.leak.rate", "Coolant a broken tray loses before its valve shuts",
              between(0, lost, lost, {"l/min", Origin::modelled, "TCS"}), "steady",
              "at most: working pressure in both manifolds, each through half of the branch");
  if (const auto& seconds = context.design.liquid->leak_valve_s.value) {
    const double litres = lost * *seconds / 60;
    context.add(
        "liquid.leak.lost", "Coolant lost by a broken tray",
        between(0, litres, litres, {"l", Origin::modelled, "TCS"}), "",
        fmt::format("at most: that rate for the {:.1f} s until the valve is shut", *seconds));
    return;
  }
  context.require({"leak_valve." + context.design.id, "seconds from leak to shut valve",
                   fmt::format("{:.2f} l/s are lost until then at most: {:.0f} s for 1 l",
                               lost / 60, 60 / std::max(lost, 1e-9)),
                   "rack maker", "litres lost and trays wetted", false});
}

void require_volume(EvaluationContext& context, const LoopState& loop) {
  context.require(
      {"coolant_volume." + context.design.id, "coolant volume of rack and row pipes",
       fmt::format("{:.1f} l pass a minute: a volume of that size turns over once", loop.flow_lpm),
       "rack maker", "expansion vessel, time to limit, spill", false});
}

void add_heat_figures(EvaluationContext& context, const LiquidHeat& heat) {
  double compute = 0, others = 0, all = 0;
  const auto& slots = context.power.slots();
  for (std::size_t i = 0; i < slots.size(); ++i) {
    (slots[i].gpus > 0 ? compute : others) += heat.slot_w[i];
    all += context.envelope.slot_w[i];
  }
  const std::string basis =
      heat.has_published
          ? fmt::format(
                "own fraction where published; the others {:.0f} % so that the rack's "
                "fraction holds",
                heat.blank_fraction.value_or(0) * 100)
          : "one fraction of all trays so that the rack's holds";
  context.add("liquid.heat.compute_trays", "Heat to liquid of the trays with GPUs",
              context.envelope_estimate(compute, "tray coolant"), "steady", basis);
  context.add("liquid.heat.other_trays", "Heat to liquid of the other trays",
              context.envelope_estimate(others, "tray coolant"), "steady", basis);
  context.add("air.heat.trays", "Heat to air from the trays of a liquid rack",
              context.envelope_estimate(std::max(0.0, all - compute - others), "rack air"),
              "steady", "what is not on cold plates: memory, drives, NICs, optics, regulators");
  context.add("air.heat.power_shelves", "Heat to air from the power shelves",
              context.envelope_estimate(
                  std::max(0.0, context.envelope.rack_ac_w - all - heat.other_w), "rack air"),
              "steady", "AC input less DC output");
  if (std::abs(heat.unplaced_w) > 0.005 * context.envelope.rack_ac_w) {
    context.out.notes.push_back(fmt::format(
        "The published liquid fraction of the rack and those of its trays differ by {}: the rack's "
        "is kept and the trays' are scaled.",
        watts_text(std::abs(heat.unplaced_w))));
  }
  if (!heat.has_published) {
    context.require({"tray_liquid_fraction." + context.design.id,
                     "share of heat to liquid of each kind of tray",
                     fmt::format("{:.0f} % on average", heat.blank_fraction.value_or(0) * 100),
                     "rack maker", "flow of each branch, air of each tray", false});
  }
}

/// Highest module temperature that nobody publishes: what R(Q) must be.
void require_plate(EvaluationContext& context, const LoopState& loop, const CoolantView& view) {
  double gpu = 0;
  for (const SlotPower& slot : context.power.slots()) {
    if (slot.gpus > 0) gpu = std::max(gpu, context.gpu_envelope_w);
  }
  if (gpu <= 0) return;
  double flow = 0;
  for (const CoolantBranch& branch : view.branches) {
    const Slot* slot = context.design.slot(branch.slot);
    if (slot && slot->gpus > 0) flow = branch.flow_lpm / slot->gpus;
  }
  context.require(
      {"plate_resistance." + context.design.id,
       "thermal resistance of the GPU cold plate over flow, and the highest GPU temperature",
       fmt::format("<= (T_max - {:.1f} degC) / {:.0f} W at {:.2f} l/min a GPU: {:.4f} K/W for each "
                   "10 K of room",
                   loop.supply_c, gpu, flow, 10 / gpu),
       "module maker", "die and HBM temperature, throttling", false});
  if (module_resistance(context)) return;  // the transient side says it
  const std::string device = context.device.id;
  for (const auto& [id, part] : context.catalog.parts()) {
    if (part.kind != "cold_plate" || part.number("flow_lpm")) continue;
    std::string chip = part.fact("chip_class").text;
    std::transform(chip.begin(), chip.end(), chip.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    const auto resistance = part.number("resistance_k_per_w");
    if (!resistance || chip != device) continue;
    Estimate plate =
        exact(loop.supply_c + gpu * *resistance, {"degC", Origin::assumed, "GPU case"});
    plate.low = loop.supply_c;
    context.add("liquid.gpu_case.design_envelope", "GPU case at the plate makers' design target",
                plate, "steady",
                fmt::format("inlet + P x {:.3f} K/W ({}; an upper limit, flow not stated)",
                            *resistance, part.name));
    break;
  }
}

}  // namespace

void evaluate_coolant_loop(EvaluationContext& context, LoopState& loop) {
  const LiquidHeat heat = liquid_heat(context, context.envelope);
  add_heat_figures(context, heat);
  if (loop.flow_lpm <= 0 || !loop.coolant) return;
  const Branches branches = branches_of(context, heat);
  if (branches.trays.empty()) return;
  const double per_lpm =
      (loop.coolant->density * loop.coolant->specific_heat * (1.0 * litre_per_minute)).si();
  loop.branch_slots = branches.slots;
  auto& network = loop.network;
  CoolantLoop::State state;
  if (loop.drop) {
    network.emplace(branches.trays, *loop.drop, components(context), loop.flow_lpm);
    state = network->at_flow(loop.flow_lpm);
  } else {  // no drop is published: branches that are sized for equal outlets
    const double sum = std::accumulate(branches.trays.begin(), branches.trays.end(), 0.0,
                                       [](double a, const TrayBranch& b) { return a + b.heat_w; });
    for (const TrayBranch& tray : branches.trays) {
      state.branch_lpm.push_back(loop.flow_lpm * tray.heat_w / sum);
    }
  }
  std::vector<double> heats;
  for (const TrayBranch& tray : branches.trays) heats.push_back(tray.heat_w);
  const auto outlets = tray_outlets_c(state, heats, loop.supply_c, per_lpm);
  CoolantView view =
      view_of(context, loop, network ? &*network : nullptr, state, branches.trays, outlets);
  view.return_c = loop.supply_c + loop.heat_w / (per_lpm * loop.flow_lpm);
  add_branch_figures(context, view);
  if (network) add_leak(context, loop, *network, view);
  require_volume(context, loop);
  require_plate(context, loop, view);
  context.require({"branch_valves." + context.design.id, "flow of each kind of tray",
                   "sized here for equal outlet temperatures, in proportion to heat", "rack maker",
                   "outlet of each tray", false});
  context.out.coolant = std::move(view);
}

}  // namespace rackwright::topology
