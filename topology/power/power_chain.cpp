#include "topology/power/power_chain.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <numbers>

#include <fmt/format.h>

#include "topology/part_facts.hpp"

namespace rackwright::topology {

namespace {

std::size_t feed_index(const RackDesign& design, const std::string& id) {
  for (std::size_t i = 0; i < design.feeds.size(); ++i) {
    if (design.feeds[i].id == id) return i;
  }
  return 0;
}

double middle_of(const RackDesign& design, const std::string& id) {
  const Slot* slot = design.slot(id);
  return slot ? slot->unit + slot->height / 2 : 0.0;
}

const Part* part_of(const RackDesign& design, const Catalog& catalog, const std::string& id) {
  const Slot* slot = design.slot(id);
  return slot ? catalog.find(slot->part) : nullptr;
}

/// Nodes of one feed share its circuits in order; a shelf has whips of its own.
class CircuitPlan {
 public:
  CircuitPlan(const RackDesign& design, const Catalog& catalog, PowerChain& chain)
      : design_(design), catalog_(catalog), chain_(chain) {
    for (const PowerBus& bus : design.buses) {
      for (const PowerSource& source : bus.sources) {
        if (bus.boundary != "busbar DC") ++nodes_on_[source.feed];
        if (bus.boundary == "busbar DC") whips_on_[source.feed] += whips_of(source);
      }
    }
  }

  void wire(const PowerBus& bus, const PowerSource& source, ChainSource& into) {
    const Feed& feed = chain_.feeds[into.feed];
    const std::size_t first =
        bus.boundary == "busbar DC" ? add_whips(source, feed) : node_circuit(source, feed);
    const auto count = bus.boundary == "busbar DC" ? static_cast<std::size_t>(whips_of(source)) : 1;
    for (int psu = 0; psu < source.psus; ++psu) {
      const std::size_t circuit = first + static_cast<std::size_t>(psu) % count;
      into.circuit.push_back(circuit);
      into.phase.push_back(feed.phases == 3 ? next_phase_[circuit]++ % 3 : 0);
    }
  }

 private:
  int whips_of(const PowerSource& source) const {
    const Part* shelf = part_of(design_, catalog_, source.slot);
    return std::max(1, static_cast<int>(shelf ? shelf->number("ac_whip_count").value_or(1) : 1));
  }

  std::size_t add_whips(const PowerSource& source, const Feed& feed) {
    const Part* shelf = part_of(design_, catalog_, source.slot);
    const std::size_t first = chain_.circuits.size();
    const int whips = whips_of(source);
    for (int i = 0; i < whips; ++i) {
      Circuit circuit{fmt::format("{} whip {}", source.id, i + 1), feed_index(design_, source.feed),
                      0, false};
      if (feed.breaker_a > 0 && feed.circuits == whips_on_[source.feed]) {
        circuit.rated_a = feed.breaker_a;
      } else if (shelf != nullptr) {
        const Fact& rating = first_fact(*shelf, {"ac_whip_a"});
        circuit.rated_a = rating.value.value_or(0);
        circuit.assumed = rating.status == "estimated";
      }
      chain_.circuits.push_back(std::move(circuit));
    }
    return first;
  }

  std::size_t node_circuit(const PowerSource& source, const Feed& feed) {
    const int circuits = std::max(feed.circuits, 1);
    auto [at, added] = first_circuit_.try_emplace(source.feed, chain_.circuits.size());
    if (added) {
      for (int i = 0; i < circuits; ++i) {
        chain_.circuits.push_back({fmt::format("{} circuit {}", feed.id, i + 1),
                                   feed_index(design_, source.feed), feed.breaker_a,
                                   feed.source.status == "estimated"});
      }
    }
    const int node = placed_[source.feed]++;
    return at->second + static_cast<std::size_t>(node * circuits / nodes_on_[source.feed]);
  }

  const RackDesign& design_;
  const Catalog& catalog_;
  PowerChain& chain_;
  std::map<std::string, int> nodes_on_, whips_on_, placed_;
  std::map<std::string, std::size_t> first_circuit_;
  std::map<std::size_t, int> next_phase_;
};

ChainSource make_source(const RackDesign& design, const Catalog& catalog, std::size_t bus_index,
                        const PowerBus& bus, const PowerSource& source) {
  ChainSource s;
  s.id = source.id;
  s.bus = bus_index;
  s.feed = feed_index(design, source.feed);
  s.position = middle_of(design, source.slot);
  s.psu_w = source.psu_w;
  if (bus.psu_peak_efficiency.value && source.psu_w > 0) {
    s.loss = converter_from_peak(*bus.psu_peak_efficiency.value, Power::from_si(source.psu_w), 1);
  }
  const Part* shelf = part_of(design, catalog, source.slot);
  if (shelf == nullptr || bus.boundary != "busbar DC") return s;
  s.no_load_v = shelf->number("no_load_voltage_v");
  s.full_load_v = shelf->number("full_load_voltage_v");
  if (s.no_load_v && shelf->number("voltage_droop_v")) {
    s.full_load_v = *s.no_load_v - *shelf->number("voltage_droop_v");
  }
  s.connector_a = shelf->number("output_connector_a");
  return s;
}

ChainBus make_bus(const RackDesign& design, const PowerBus& bus) {
  ChainBus b;
  b.id = bus.id;
  b.boundary = bus.boundary;
  b.shelves = bus.boundary == "busbar DC";
  b.volts = bus.volts;
  b.section_a = bus.section_limit_a.value;
  b.loss_known = bus.psu_peak_efficiency.value.has_value();
  for (const std::string& slot : bus.loads) b.loads.push_back({slot, middle_of(design, slot)});
  return b;
}

std::vector<std::vector<char>> alive_psus(const PowerChain& chain, const PowerFailure& failure) {
  std::vector<std::vector<char>> alive;
  for (const ChainSource& source : chain.sources) {
    std::vector<char> row(source.circuit.size(), 1);
    for (std::size_t psu = 0; psu < row.size(); ++psu) {
      for (const std::size_t lost : failure.circuits) {
        if (source.circuit[psu] == lost) row[psu] = 0;
      }
      for (const std::size_t lost : failure.feeds) {
        if (source.feed == lost) row[psu] = 0;
      }
    }
    alive.push_back(std::move(row));
  }
  for (const std::size_t lost : failure.sources) {
    std::fill(alive[lost].begin(), alive[lost].end(), 0);
  }
  for (const auto& [source, psu] : failure.psus) alive[source][psu] = 0;
  return alive;
}

/// Droop of one PSU, V per A: no load to full load over its rated current.
std::optional<double> droop_ohm(const ChainSource& source) {
  if (!source.no_load_v || !source.full_load_v || !(*source.no_load_v > *source.full_load_v)) {
    return std::nullopt;
  }
  return (*source.no_load_v - *source.full_load_v) * *source.full_load_v / source.psu_w;
}

/// Sources share by the rating that lives, at the nominal voltage.
void share_by_rating(const PowerChain& chain, const ChainBus& bus,
                     const std::vector<double>& loads_w, ChainState& state, BusState& result) {
  double rating = 0;
  for (const std::size_t s : bus.sources) rating += state.sources[s].rating_w;
  const double volts = bus.volts > 0 ? bus.volts : 0.0;
  std::vector<std::pair<double, double>> taps;
  for (const std::size_t s : bus.sources) {
    SourceState& source = state.sources[s];
    source.output_w = result.load_w * source.rating_w / rating;
    if (volts > 0) source.output_a = source.output_w / volts;
    taps.emplace_back(chain.sources[s].position, source.output_a);
  }
  if (!(volts > 0)) return;
  result.amps = result.load_w / volts;
  result.worst_v = volts;
  for (std::size_t i = 0; i < loads_w.size(); ++i) {
    taps.emplace_back(bus.loads[i].position, -loads_w[i] / volts);
  }
  std::sort(taps.begin(), taps.end());
  double below = 0;
  for (std::size_t i = 0; i + 1 < taps.size(); ++i) {
    below += taps[i].second;
    if (taps[i + 1].first > taps[i].first) {
      result.section_a = std::max(result.section_a, std::abs(below));
    }
  }
}

void share_by_voltage(const PowerChain& chain, const ChainBus& bus,
                      const std::vector<double>& loads_w, ChainState& state, BusState& result) {
  std::vector<LadderSource> sources;
  std::vector<std::size_t> of;
  for (const std::size_t s : bus.sources) {
    if (state.sources[s].alive == 0) continue;
    const ChainSource& source = chain.sources[s];
    const double droop = droop_ohm(source).value_or(0) / state.sources[s].alive;
    sources.push_back({source.position, source.no_load_v.value_or(bus.volts), droop});
    of.push_back(s);
  }
  std::vector<LadderLoad> loads;
  for (std::size_t i = 0; i < loads_w.size(); ++i) {
    loads.push_back({bus.loads[i].position, loads_w[i], 0});
  }
  const LadderSolution solution = solve_ladder(sources, loads, bus.ohm_per_unit.value_or(0));
  result.collapsed = solution.collapsed;
  if (solution.collapsed) return;
  double total_a = 0;
  for (const double a : solution.source_a) total_a += a;
  for (std::size_t i = 0; i < of.size(); ++i) {
    SourceState& source = state.sources[of[i]];
    source.output_a = solution.source_a[i];
    source.output_w = solution.source_w * (total_a > 0 ? solution.source_a[i] / total_a : 0);
    if (bus.ohm_per_unit.value_or(0) > 0) {
      const double droop = sources[i].droop_ohm * source.output_a;
      source.output_w = (sources[i].no_load_v - droop) * source.output_a;
    }
  }
  result.amps = total_a;
  result.bar_loss_w = solution.bar_loss_w;
  result.section_a = solution.section_a;
  for (std::size_t i = 0; i < loads.size(); ++i) {
    if (result.worst_v > 0 && solution.load_v[i] >= result.worst_v) continue;
    result.worst_v = solution.load_v[i];
    result.worst_slot = bus.loads[i].slot;
  }
}

void solve_bus(const PowerChain& chain, const ChainBus& bus, const std::vector<double>& loads_w,
               ChainState& state, BusState& result) {
  bool alive = false, droops = true;
  for (const double w : loads_w) result.load_w += w;
  for (const std::size_t s : bus.sources) {
    alive = alive || state.sources[s].alive > 0;
    droops = droops && droop_ohm(chain.sources[s]).has_value();
  }
  if (!alive) {
    result.unsupplied = result.load_w > 0;
    return;
  }
  if (bus.shelves && (droops || bus.ohm_per_unit.value_or(0) > 0)) {
    share_by_voltage(chain, bus, loads_w, state, result);
  } else {
    share_by_rating(chain, bus, loads_w, state, result);
  }
}

/// PSU losses and what circuits and feeds carry.
void solve_upstream(const PowerChain& chain, const std::vector<std::vector<char>>& alive,
                    ChainState& state) {
  for (std::size_t s = 0; s < chain.sources.size(); ++s) {
    const ChainSource& source = chain.sources[s];
    SourceState& result = state.sources[s];
    if (result.alive == 0) continue;
    const double each = result.output_w / result.alive;
    const double loss = source.loss.loss(Power::from_si(each)).si();
    result.loss_w = loss * result.alive;
    result.input_w = result.output_w + result.loss_w;
    const Feed& feed = chain.feeds[source.feed];
    const double neutral_v =
        feed.phases == 3 ? feed.volts_line_to_line / std::numbers::sqrt3 : feed.volts_line_to_line;
    for (std::size_t psu = 0; psu < alive[s].size(); ++psu) {
      if (!alive[s][psu]) continue;
      PhaseState& circuit = state.circuits[source.circuit[psu]];
      circuit.watts += each + loss;
      if (neutral_v > 0) {
        circuit.amps[static_cast<std::size_t>(source.phase[psu])] +=
            (each + loss) / (neutral_v * feed.power_factor);
      }
    }
  }
  for (std::size_t c = 0; c < chain.circuits.size(); ++c) {
    PhaseState& feed = state.feeds[chain.circuits[c].feed];
    feed.watts += state.circuits[c].watts;
    for (std::size_t p = 0; p < 3; ++p) feed.amps[p] += state.circuits[c].amps[p];
  }
}

void add_to_feed(const PowerChain& chain, std::size_t f, double watts, ChainState& state) {
  state.feeds[f].watts += watts;
  const double per_ampere = watts_per_ampere(chain.feeds[f]);
  const std::size_t phases = chain.feeds[f].phases == 3 ? 3 : 1;
  for (std::size_t p = 0; p < phases && per_ampere > 0; ++p) {
    state.feeds[f].amps[p] += watts / per_ampere;
  }
}

/// What hangs on AC without a bus is spread evenly over the feeds that live and their phases.
void add_direct(const PowerChain& chain, const PowerFailure& failure, double watts,
                ChainState& state) {
  state.direct_w = watts;
  std::vector<std::size_t> alive;
  for (std::size_t f = 0; f < chain.feeds.size(); ++f) {
    if (std::find(failure.feeds.begin(), failure.feeds.end(), f) == failure.feeds.end()) {
      alive.push_back(f);
    }
  }
  for (const std::size_t f : alive) {
    add_to_feed(chain, f, watts / static_cast<double>(alive.size()), state);
  }
}

/// Apparent power at the power factors of the feeds; what a unit loses adds to the one above.
void solve_above(const PowerChain& chain, const ChainDemand& demand, ChainState& state) {
  for (std::size_t u = 0; u < chain.upstream.size(); ++u) {
    const ChainUpstream& unit = chain.upstream[u];
    UpstreamState& result = state.upstream[u];
    for (const std::size_t f : unit.feeds) {
      const double row = demand.row_w.empty() ? 0.0 : demand.row_w[f];
      const double watts = state.feeds[f].watts * unit.racks + row;
      result.watts += watts;
      result.va += watts / chain.feeds[f].power_factor;
    }
    for (const std::size_t below : unit.below) {
      const double power_factor =
          state.upstream[below].va > 0 ? state.upstream[below].watts / state.upstream[below].va : 1;
      const double watts = state.upstream[below].input_w * unit.racks;
      result.watts += watts;
      result.va += watts / power_factor;
    }
    result.input_w = result.watts / unit.efficiency.value_or(1);
  }
}

/// VA of one unit: its own rating, that of its part, or amperes at the voltage of its first feed.
std::optional<double> unit_va(const UpstreamUnit& unit, const Part* part, const Feed& feed) {
  if (unit.rating_kva.value) return *unit.rating_kva.value * 1e3;
  if (part == nullptr) return std::nullopt;
  if (const auto kva = part->number("input_rating_kva")) return *kva * 1e3;
  const auto amps = part->number("current_rating_a");
  if (!amps) return std::nullopt;
  return *amps * feed.volts_line_to_line * (feed.phases == 3 ? std::numbers::sqrt3 : 1.0);
}

std::vector<ChainUpstream> make_upstream(const RackDesign& design, const Catalog& catalog) {
  std::vector<ChainUpstream> result;
  std::map<std::string, std::size_t> known;
  for (const UpstreamUnit& unit : design.upstream) {
    ChainUpstream made;
    made.id = unit.id;
    made.kind = unit.kind;
    made.racks = unit.racks;
    made.units = unit.units;
    for (const std::string& below : unit.carries) {
      if (const auto at = known.find(below); at != known.end()) {
        made.below.push_back(at->second);
      } else {
        made.feeds.push_back(feed_index(design, below));
      }
    }
    const Part* part = catalog.find(unit.part);
    std::size_t first = made.feeds.empty() ? 0 : made.feeds.front();
    if (made.feeds.empty() && !made.below.empty() && !result[made.below.front()].feeds.empty()) {
      first = result[made.below.front()].feeds.front();
    }
    made.unit_va = unit_va(unit, part, design.feeds[first]);
    made.efficiency = unit.efficiency.value;
    if (!made.efficiency && part != nullptr && part->number("efficiency_pct")) {
      made.efficiency = *part->number("efficiency_pct") / 100;
    }
    if (!unit.redundancy.empty()) made.scheme = parse_redundancy(unit.redundancy);
    known[unit.id] = result.size();
    result.push_back(std::move(made));
  }
  return result;
}

}  // namespace

double PhaseState::largest_a() const {
  return *std::max_element(amps.begin(), amps.end());
}

double PhaseState::neutral_a() const {
  const auto& [a, b, c] = amps;
  return std::sqrt(std::max(0.0, a * a + b * b + c * c - a * b - b * c - c * a));
}

double PhaseState::imbalance() const {
  const double mean = (amps[0] + amps[1] + amps[2]) / 3;
  return mean > 0 ? largest_a() / mean - 1 : 0.0;
}

bool ChainState::supplied() const {
  return std::none_of(buses.begin(), buses.end(),
                      [](const BusState& b) { return b.collapsed || b.unsupplied; });
}

std::vector<std::size_t> feeds_of(const PowerChain& chain, std::size_t at) {
  std::vector<std::size_t> feeds = chain.upstream[at].feeds;
  for (const std::size_t below : chain.upstream[at].below) {
    const auto more = feeds_of(chain, below);
    feeds.insert(feeds.end(), more.begin(), more.end());
  }
  return feeds;
}

double watts_per_ampere(const Feed& feed) {
  const double root = feed.phases == 3 ? std::numbers::sqrt3 : 1.0;
  return root * feed.volts_line_to_line * feed.power_factor;
}

PowerChain make_power_chain(const RackDesign& design, const Catalog& catalog) {
  PowerChain chain;
  chain.feeds = design.feeds;
  if (chain.feeds.empty()) return chain;
  CircuitPlan plan(design, catalog, chain);
  for (std::size_t i = 0; i < design.buses.size(); ++i) {
    const PowerBus& bus = design.buses[i];
    ChainBus made = make_bus(design, bus);
    for (const PowerSource& source : bus.sources) {
      ChainSource s = make_source(design, catalog, i, bus, source);
      plan.wire(bus, source, s);
      made.sources.push_back(chain.sources.size());
      chain.sources.push_back(std::move(s));
    }
    chain.buses.push_back(std::move(made));
  }
  chain.upstream = make_upstream(design, catalog);
  return chain;
}

ChainDemand chain_demand(const PowerChain& chain, const RackPowerModel& model,
                         const RackPower& power) {
  ChainDemand demand;
  demand.direct_w = power.direct_ac_w;
  for (std::size_t b = 0; b < chain.buses.size(); ++b) {
    const ChainBus& bus = chain.buses[b];
    std::vector<double> watts(bus.loads.size(), 0.0);
    double sum = 0;
    for (std::size_t i = 0; i < model.slots().size(); ++i) {
      if (model.slots()[i].bus != static_cast<int>(b)) continue;
      for (std::size_t load = 0; load < bus.loads.size(); ++load) {
        if (bus.loads[load].slot == model.slots()[i].slot) watts[load] = power.slot_w[i];
      }
      sum += power.slot_w[i];
    }
    // A node's figure is at its AC input; its PSUs deliver what is left of it.
    if (!bus.shelves && sum > 0) {
      for (double& w : watts) w *= power.bus_dc_w[b] / sum;
    }
    demand.bus_w.push_back(std::move(watts));
  }
  return demand;
}

ChainState solve(const PowerChain& chain, const ChainDemand& demand, const PowerFailure& failure) {
  ChainState state;
  state.sources.resize(chain.sources.size());
  state.circuits.resize(chain.circuits.size());
  state.feeds.resize(chain.feeds.size());
  state.buses.resize(chain.buses.size());
  state.upstream.resize(chain.upstream.size());
  const auto alive = alive_psus(chain, failure);
  for (std::size_t s = 0; s < chain.sources.size(); ++s) {
    state.sources[s].alive = static_cast<int>(std::count(alive[s].begin(), alive[s].end(), 1));
    state.sources[s].rating_w = state.sources[s].alive * chain.sources[s].psu_w;
  }
  for (std::size_t b = 0; b < chain.buses.size(); ++b) {
    solve_bus(chain, chain.buses[b], demand.bus_w[b], state, state.buses[b]);
    state.load_w += state.buses[b].load_w;
    state.bar_loss_w += state.buses[b].bar_loss_w;
  }
  solve_upstream(chain, alive, state);
  add_direct(chain, failure, demand.direct_w, state);
  state.load_w += demand.direct_w;
  for (std::size_t f = 0; f < demand.feed_w.size(); ++f) {
    if (!(demand.feed_w[f] > 0)) continue;
    add_to_feed(chain, f, demand.feed_w[f], state);
    state.direct_w += demand.feed_w[f];
    state.load_w += demand.feed_w[f];
  }
  solve_above(chain, demand, state);
  for (const SourceState& source : state.sources) state.psu_loss_w += source.loss_w;
  for (const PhaseState& feed : state.feeds) state.input_w += feed.watts;
  return state;
}

}  // namespace rackwright::topology
