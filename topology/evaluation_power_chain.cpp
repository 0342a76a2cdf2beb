#include <algorithm>
#include <cmath>
#include <set>

#include <fmt/format.h>

#include "common/statistics.hpp"
#include "topology/evaluation_power.hpp"
#include "topology/part_facts.hpp"
#include "topology/power/breaker.hpp"
#include "topology/power/failure_table.hpp"
#include "topology/power/load_steps.hpp"
#include "topology/power/redundancy.hpp"
#include "topology/power/redundancy_scheme.hpp"

namespace rackwright::topology {

namespace {

/// Fans of an active rear door hang on the rack's own feeds; a door without a figure is passive or
/// blank and counts nothing.
double door_fans_w(const EvaluationContext& context) {
  if (!context.design.rear_door) return 0;
  const Part* door = context.catalog.find(context.design.rear_door->part);
  return door ? door->number("fan_power_w").value_or(0) : 0.0;
}

void form_cases(EvaluationContext& context) {
  PowerReport& report = context.out.power;
  report.chain = context.chain;
  report.gpus = context.power.gpus();
  if (context.chain.sources.empty()) return;
  for (const auto& [load_case, load] : context.out.failures.loads) {
    ChainDemand demand = load.demand;
    demand.direct_w += door_fans_w(context);
    report.cases.emplace_back(load_case, std::move(demand));
  }
}

const ChainDemand* envelope_of(const EvaluationContext& context) {
  const auto& cases = context.out.power.cases;
  const bool first = !cases.empty() && cases.front().first == LoadCase::design_envelope;
  return first ? &cases.front().second : nullptr;
}

bool promised_by_all(const EvaluationContext& context, const std::string& unit) {
  BusFailure failure;
  failure.unit = unit;
  return std::all_of(context.design.buses.begin(), context.design.buses.end(),
                     [&](const PowerBus& bus) { return is_promised(bus, failure); });
}

/// Failures that the other limits leave out: sections and connectors after a loss, whips and feeds
/// by their fullest phase.
bool is_judged_elsewhere(const FailureRow& row) {
  if (row.domain != "power" || row.level == "PSU" || row.level == "bus") return true;
  if (row.level == "CDU input") return true;
  if (row.failure_unit == "none") return row.level != "connector";
  return false;
}

/// A whip or feed after a lost feed whose limit in watts says the same: phases that stay balanced
/// add nothing to it.
bool repeats_a_limit(const EvaluationContext& context, const FailureRow& row) {
  constexpr double kSame = 5e-4;
  if (row.failure_unit != "feed" || (row.level != "whip" && row.level != "feed")) return false;
  return std::any_of(context.out.limits.begin(), context.out.limits.end(), [&](const Limit& limit) {
    return limit.id.rfind("power." + row.level + ".", 0) == 0 && limit.failure == row.failure &&
           limit.state != LimitState::blank && limit.margin <= *row.margin() + kSame;
  });
}

/// Shelves above and below share a section's current as their droop says; without one the share by
/// rating is an assumption.
bool knows_droop(const EvaluationContext& context) {
  return std::all_of(context.chain.sources.begin(), context.chain.sources.end(),
                     [](const ChainSource& s) { return s.no_load_v && s.full_load_v; });
}

/// The same line at another power of the rack.
double row_load(const EvaluationContext& context, const FailureRow& row,
                const PowerFailure& failure, const RackPower& power) {
  ChainDemand demand = chain_demand(context.chain, context.power, power);
  demand.direct_w += door_fans_w(context);
  for (const FailureRow& again : power_rows(context.chain, demand, failure)) {
    if (again.level == row.level && again.node == row.node) return again.load;
  }
  return 0;
}

/// The failure of the chain that a line stands under; nothing for one of the cooling.
std::optional<PowerFailure> failure_of(const std::vector<PowerFailure>& singles,
                                       const FailureRow& row) {
  if (row.failure_unit == "none") return PowerFailure{};
  for (const PowerFailure& single : singles) {
    if (single.unit == row.failure_unit && single.what == row.failure) return single;
  }
  return std::nullopt;
}

std::string fullest_text(const FailureRow& row) {
  const std::string place = place_text(row);
  if (place == row.level) return "fullest " + place;
  return fmt::format("{}, the fullest {}", place, row.level);
}

void add_chain_limits(EvaluationContext& context) {
  const auto singles = single_failures(context.chain);
  for (const FailureRow& row : context.out.failures.worst) {
    if (is_judged_elsewhere(row) || !row.margin()) continue;
    const bool none = row.failure_unit == "none";
    if (!none && !worse_than_in_service(context.out.failures.worst, row)) continue;
    if (repeats_a_limit(context, row)) continue;
    std::string level = row.level;
    std::replace(level.begin(), level.end(), ' ', '_');
    LimitName name{fmt::format("power.chain.{}.{}", level, row.failure_unit),
                   "power",
                   none ? "Fullest " + row.level + ": " + row.node
                        : failure_text(row) + ": " + fullest_text(row),
                   row.failure_unit,
                   row.failure,
                   promised_by_all(context, row.failure_unit)};
    Estimate load =
        between(row.load * context.envelope_low, row.load, row.load * context.envelope_high,
                {row.unit, context.envelope_origin, row.boundary});
    const char* phases = row.level == "whip" || row.level == "feed"
                             ? "; fullest phase, PSUs spread over the phases in order"
                             : "";
    Limit limit = make_limit(
        std::move(name), std::move(load),
        exact(*row.limit, {row.unit, Origin::catalogue, row.boundary}),
        fmt::format("worst of every single {}{}", none ? "part" : row.failure_unit, phases));
    // Places and phases are assumed: they decide only where no load of the interval holds.
    if (limit.margin < 0 && limit.margin_high >= 0) limit.promised = false;
    if (row.level == "busbar section") {
      limit.load.origin = Origin::assumed;
      limit.cause += "; by the heights of shelves and trays in the rack file";
    }
    if (row.level == "busbar section" && row.failure_unit != "feed" && !knows_droop(context)) {
      limit.promised = false;
      limit.cause += "; shelves share by rating, as no droop is published: another share moves it";
    }
    if (const auto failure = failure_of(singles, row)) {
      add_cap_remedy(
          context, limit,
          [&](const RackPower& power) { return row_load(context, row, *failure, power); },
          none ? "" : fmt::format(" when {} is lost", row.failure), 0);
    }
    context.out.limits.push_back(std::move(limit));
  }
}

std::string lost_by(const RedundancyScheme& scheme, bool shelves) {
  if (scheme.kind == RedundancyScheme::Kind::half) return "half of them";
  return scheme.spare == 1
             ? fmt::format("any PSU{}", scheme.per_shelf && shelves ? " of each shelf" : "")
             : fmt::format("any {} PSUs", scheme.spare);
}

/// Redundancy in the words of the rack file, else of the part: "4+2" holds whichever two PSUs are
/// lost.
void add_scheme_limits(EvaluationContext& context) {
  std::set<std::string> done;
  for (std::size_t b = 0; b < context.design.buses.size(); ++b) {
    const PowerBus& bus = context.design.buses[b];
    if (bus.sources.empty()) continue;
    const Slot* slot = context.design.slot(bus.sources.front().slot);
    const Part* part = slot ? context.catalog.find(slot->part) : nullptr;
    const std::string text = !bus.redundancy.empty() ? bus.redundancy
                             : part                  ? part->fact("psu_redundancy").text
                                                     : "";
    const auto scheme = parse_redundancy(text);
    if (!scheme || part == nullptr || scheme->kind == RedundancyScheme::Kind::none) continue;
    if (scheme->spare <= 0 && bus.redundancy.empty()) continue;  // a lost feed says the same
    if (!done.insert(part->id + text).second) continue;
    const bool shelves = bus.boundary == "busbar DC";
    int psus = 0;
    for (const PowerSource& source : bus.sources) psus += source.psus;
    const int groups = shelves ? static_cast<int>(bus.sources.size()) : 1;
    const double usable = usable_w(*scheme, groups, psus / groups, bus.sources.front().psu_w);
    const std::string failure = lost_by(*scheme, shelves);
    LimitName name{"power.scheme." + bus.id, "power",
                   fmt::format("{} PSUs, {}: {} lost", part->name, text, failure), "PSU", failure};
    context.out.limits.push_back(make_limit(
        std::move(name), context.envelope_estimate(context.envelope.bus_dc_w[b], bus.boundary),
        exact(usable, {"W", Origin::catalogue, bus.boundary}),
        fmt::format("{:.0f} of {} PSUs of {} stay", usable / bus.sources.front().psu_w, psus,
                    watts_text(bus.sources.front().psu_w))));
  }
}

void add_phase_figures(EvaluationContext& context, const ChainState& state) {
  for (std::size_t f = 0; f < context.chain.feeds.size(); ++f) {
    const Feed& feed = context.chain.feeds[f];
    const PhaseState& phases = state.feeds[f];
    if (!(phases.watts > 0)) continue;
    context.add("power.kva." + feed.id,
                fmt::format("Feed {}, apparent power, design envelope", feed.id),
                scaled(context.envelope_estimate(phases.watts, "rack AC input"),
                       1e-3 / feed.power_factor, "kVA"),
                "steady", fmt::format("W / power factor {:.2f}", feed.power_factor));
    if (feed.phases != 3) continue;
    context.add("power.phase_imbalance." + feed.id,
                fmt::format("Feed {}, fullest phase over the mean of three", feed.id),
                exact(phases.imbalance(), {"1", Origin::assumed, "rack AC input"}), "steady",
                fmt::format("{:.1f}, {:.1f}, {:.1f} A; PSUs line to neutral, spread in order",
                            phases.amps[0], phases.amps[1], phases.amps[2]));
  }
  double worst = 0, neutral = 0;
  std::string what, where;
  const ChainDemand& demand = *envelope_of(context);
  for (const PowerFailure& failure : single_failures(context.chain)) {
    if (failure.unit != "PSU") continue;
    const ChainState lost = solve(context.chain, demand, failure);
    for (std::size_t c = 0; c < lost.circuits.size(); ++c) {
      if (lost.circuits[c].imbalance() <= worst + 1e-12) continue;
      worst = lost.circuits[c].imbalance();
      neutral = lost.circuits[c].neutral_a();
      what = failure.what;
      where = context.chain.circuits[c].id;
    }
  }
  if (what.empty()) return;
  context.add("power.phase_imbalance.psu_loss", "Fullest phase over the mean, after a PSU loss",
              exact(worst, {"1", Origin::assumed, "rack AC input"}), "steady",
              fmt::format("{} on {}: {:.1f} A in the neutral", what, where, neutral));
}

/// Breakers by class: what the fullest wire of each level does in the end.
void add_breaker_figures(EvaluationContext& context) {
  for (const FailureRow& row : context.out.failures.worst) {
    if ((row.level != "whip" && row.level != "feed") || !row.limit || row.lost) continue;
    if (row.failure_unit != "none" && !worse_than_in_service(context.out.failures.worst, row)) {
      continue;
    }
    const Feed& feed = context.chain.feeds.front();
    const bool ul = feed.derating < 1;
    const Part* part = context.catalog.find(ul ? "breaker-ul489" : "breaker-iec60947-2");
    if (part == nullptr) return;
    const BreakerClass breaker = breaker_class(*part);
    const double rated = *row.limit / feed.derating;
    const double each = row.level == "feed" && feed.breaker_a > 0 ? feed.breaker_a : rated;
    const BreakerVerdict verdict = judge_breaker(breaker, row.load * each / rated, each);
    std::string basis = fmt::format("{}: {}", breaker.name, to_string(verdict.state));
    if (verdict.trips_within_s) basis += fmt::format(" within {:.0f} s", *verdict.trips_within_s);
    if (verdict.state == BreakerState::trips && !verdict.trips_within_s) {
      basis += fmt::format(", the time is not published for {:.0f} A", each);
    }
    if (row.failure_unit != "none") basis += fmt::format(" after loss of {}", row.failure);
    basis += "; the class's outer bound, the maker's curve replaces it";
    context.add(
        fmt::format("power.breaker.{}.{}", row.level, row.failure_unit),
        fmt::format("Load of the fullest {} breaker over its rating, {}", row.level,
                    row.failure_unit == "none" ? "in service" : "after a lost " + row.failure_unit),
        exact(row.load / rated, {"1", context.envelope_origin, "rack AC input"}), "steady",
        std::move(basis));
  }
}

void add_stage_losses(EvaluationContext& context, const ChainState& state) {
  if (state.bar_loss_w > 0) {
    context.add("power.busbar_loss.design_envelope", "Loss in busbar and contacts, design envelope",
                context.envelope_estimate(state.bar_loss_w, "busbar DC"), "steady",
                "resistive ladder");
  }
  for (const BusState& bus : state.buses) {
    if (!(bus.worst_v > 0) || bus.worst_slot.empty()) continue;
    context.add("power.worst_tap_v", "Voltage at the worst tap, design envelope",
                exact(bus.worst_v, {"V", Origin::modelled, "busbar DC"}), "steady",
                "at " + bus.worst_slot + ", droop of the shelves");
    break;
  }
}

/// The resistance a bar may have so that the worst tap keeps its window after the worst feed loss.
void require_busbar(EvaluationContext& context, std::size_t b) {
  const ChainBus& bus = context.chain.buses[b];
  if (!bus.shelves || bus.ohm_per_unit || !(bus.volts > 0)) return;
  const Part* window = context.catalog.find("orv3-busbar");
  const auto least_v = window ? window->number("input_min_voltage_v") : std::nullopt;
  if (!least_v) return;
  PowerChain chain = context.chain;
  const auto holds = [&](double ohm) {
    chain.buses[b].ohm_per_unit = ohm;
    for (const PowerFailure& failure : single_failures(chain)) {
      if (failure.unit != "feed") continue;
      const ChainState state = solve(chain, *envelope_of(context), failure);
      if (state.buses[b].unsupplied) continue;
      if (state.buses[b].collapsed || state.buses[b].worst_v < *least_v) return false;
    }
    const ChainState whole = solve(chain, *envelope_of(context));
    return !whole.buses[b].collapsed && whole.buses[b].worst_v >= *least_v;
  };
  double low = 1e-9, high = 1e-2;
  if (!holds(low) || holds(high)) return;
  for (int i = 0; i < 40; ++i) {
    const double middle = std::sqrt(low * high);
    (holds(middle) ? low : high) = middle;
  }
  context.require(
      {"busbar_resistance." + bus.id, "resistance of the busbar",
       fmt::format("<= {:.1f} uohm per rack unit, both conductors and warm, so that the "
                   "worst tap keeps {:.0f} V after the loss of a feed (ORv3 window; the "
                   "trays' own is not published)",
                   low * 1e6, *least_v),
       "rack maker", "voltage at the worst tap, loss in the bar", false});
}

/// Mean draw of the other cases over the envelope; that of the SLO capacity stands beside its P99.
void add_utilisation(EvaluationContext& context) {
  for (const LoadCase c : {LoadCase::as_recorded, LoadCase::idle, LoadCase::as_measured}) {
    const std::string key(key_of(c));
    const Figure* mean = context.out.figures.find("power.rack_ac." + key);
    if (!mean || !(context.envelope.rack_ac_w > 0)) continue;
    context.add("power.utilisation." + key,
                fmt::format("Mean draw over design envelope, {}", to_string(c)),
                scaled(mean->estimate, 1 / context.envelope.rack_ac_w, "1"), mean->window,
                "mean / design envelope");
  }
}

/// Rating of each PDU, busway and UPS in service less its P99.
void add_stranded_upstream(EvaluationContext& context) {
  const FailureReport& report = context.out.failures;
  for (const auto& [load_case, load] : report.loads) {
    if (load_case != LoadCase::slo_capacity) continue;
    for (const FailureRow& row : rack_rows(report.model, load, {})) {
      if (row.boundary != "upstream" || !row.limit) continue;
      std::string key = "power.stranded." + row.node;
      std::replace(key.begin(), key.end(), ' ', '_');
      context.add(std::move(key), "Stranded at " + row.node,
                  exact(*row.limit - row.load, {"kVA", Origin::modelled, "upstream"}), "1 s",
                  "rating in service; less the P99 of 1 s means at SLO capacity");
    }
  }
}

/// Capacity that no load can use: what each level gives with its promise kept, less the P99 draw.
void add_stranded(EvaluationContext& context) {
  const auto& power = context.case_power[static_cast<std::size_t>(LoadCase::slo_capacity)];
  if (!power) return;
  const auto add = [&](const char* level, const char* label, double usable, double draw,
                       std::string boundary, const std::string& basis) {
    context.add(fmt::format("power.stranded.{}", level), label,
                exact(usable - draw, {"W", context.envelope_origin, std::move(boundary)}), "1 s",
                basis + "; less the P99 of 1 s means at SLO capacity");
  };
  add("module", "Stranded at the modules", context.gpu_envelope_w * context.power.gpus(),
      power->module_w, "module input", "limit of all modules");
  double psu = 0, draw = 0;
  for (std::size_t b = 0; b < context.design.buses.size(); ++b) {
    double least = bus_rating_w(context.design.buses[b]);
    for (const BusFailure& f : bus_failures(context.design.buses[b], context.design.feeds)) {
      if (is_promised(context.design.buses[b], f)) least = std::min(least, f.remaining_w);
    }
    psu += least;
    draw += power->bus_dc_w[b];
  }
  if (psu > 0) {
    add("psu", "Stranded at the PSUs", psu, draw, context.bus_boundary(),
        "PSU output after the worst promised failure");
  }
  double feeds = 0, largest = 0;
  for (const Feed& feed : context.design.feeds) {
    if (!(feed.limit_w() > 0)) return;
    feeds += feed.limit_w();
    largest = std::max(largest, feed.limit_w());
  }
  add_stranded_upstream(context);
  const bool alone = promised_by_all(context, "feed") && context.design.feeds.size() > 1;
  add("feed", "Stranded at the feeds", feeds - (alone ? largest : 0.0), power->rack_ac_w,
      "rack AC input", alone ? "feeds without the largest" : "all feeds");
}

void compare_designs(EvaluationContext& context) {
  double watts = 0, units = 0;
  for (std::size_t b = 0; b < context.design.buses.size(); ++b)
    watts += context.envelope.bus_dc_w[b];
  for (const Slot& slot : context.design.slots) {
    if (slot.group == "power") units += slot.height;
  }
  if (context.bus_boundary() != "busbar DC" || !(watts > 0)) return;
  context.out.power.architectures = compare_architectures(context.catalog, {watts, units});
  for (const Architecture& a : context.out.power.architectures) {
    for (const std::string& blank : a.blanks) {
      if (blank.rfind("efficiency", 0) != 0 || !a.solved_efficiency) continue;
      context.require({"architecture." + a.id, blank + " (" + a.name + ")",
                       fmt::format(">= {:.2f} %, to draw no more than the best known design",
                                   *a.solved_efficiency * 100),
                       "converter maker", "comparison of power architectures", false});
    }
  }
}

}  // namespace

void evaluate_power_chain(EvaluationContext& context) {
  form_cases(context);
  const ChainDemand* envelope = envelope_of(context);
  if (envelope == nullptr) return;
  const ChainState state = solve(context.chain, *envelope);
  add_chain_limits(context);
  add_scheme_limits(context);
  add_phase_figures(context, state);
  add_breaker_figures(context);
  add_stage_losses(context, state);
  for (std::size_t b = 0; b < context.chain.buses.size(); ++b) require_busbar(context, b);
  add_stranded(context);
  add_utilisation(context);
  evaluate_power_start(context);
  compare_designs(context);
}

}  // namespace rackwright::topology
