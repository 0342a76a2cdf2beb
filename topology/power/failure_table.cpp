#include "topology/power/failure_table.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace rackwright::topology {

bool independent(const PowerChain& chain, const PowerFailure& a, const PowerFailure& b) {
  const auto psus_of = [&](const PowerFailure& f) {
    std::vector<std::pair<std::size_t, std::size_t>> psus = f.psus;
    for (std::size_t s = 0; s < chain.sources.size(); ++s) {
      for (std::size_t p = 0; p < chain.sources[s].circuit.size(); ++p) {
        const auto has = [](const std::vector<std::size_t>& list, std::size_t x) {
          return std::find(list.begin(), list.end(), x) != list.end();
        };
        if (has(f.sources, s) || has(f.circuits, chain.sources[s].circuit[p]) ||
            has(f.feeds, chain.sources[s].feed)) {
          psus.emplace_back(s, p);
        }
      }
    }
    std::sort(psus.begin(), psus.end());
    return psus;
  };
  const auto first = psus_of(a), second = psus_of(b);
  if (first.empty() || second.empty()) return a.upstream != b.upstream || first != second;
  return !std::includes(first.begin(), first.end(), second.begin(), second.end()) &&
         !std::includes(second.begin(), second.end(), first.begin(), first.end());
}

namespace {

template <class T>
void append(std::vector<T>& to, const std::vector<T>& from) {
  to.insert(to.end(), from.begin(), from.end());
}

/// One unit lost. Parallel units (N+1) and a reserve block behind transfer switches keep the feeds
/// alive; units that each carry a side (2N, distributed) or stand alone take their feeds down.
void add_upstream_failures(const PowerChain& chain, std::size_t u,
                           std::vector<PowerFailure>& failures) {
  using Kind = RedundancyScheme::Kind;
  const ChainUpstream& unit = chain.upstream[u];
  const auto below = feeds_of(chain, u);
  const bool sides =
      unit.scheme && (unit.scheme->kind == Kind::half || unit.scheme->kind == Kind::distributed);
  const bool transfers = unit.scheme && !sides && unit.scheme->kind != Kind::none;
  if (sides && unit.units > 1) {
    for (const std::size_t f : below) {
      failures.push_back({unit.kind,
                          fmt::format("unit of {} behind feed {}", unit.id, chain.feeds[f].id),
                          {},
                          {},
                          {},
                          {f},
                          {u}});
    }
    return;
  }
  failures.push_back({unit.kind,
                      unit.units > 1 ? "one unit of " + unit.id : unit.id,
                      {},
                      {},
                      {},
                      transfers ? std::vector<std::size_t>{} : below,
                      {u}});
}

/// Builds the lines of one state.
class RowWriter {
 public:
  RowWriter(const PowerChain& chain, const PowerFailure& failure, const ChainState& state)
      : chain_(chain), failure_(failure), state_(state) {}

  std::vector<FailureRow> rows() {
    for (std::size_t b = 0; b < chain_.buses.size(); ++b) add_bus(b);
    for (std::size_t c = 0; c < chain_.circuits.size(); ++c) add_circuit(c);
    for (std::size_t f = 0; f < chain_.feeds.size(); ++f) add_feed(f);
    for (std::size_t u = 0; u < chain_.upstream.size(); ++u) add_upstream(u);
    return std::move(rows_);
  }

 private:
  FailureRow& add(const char* level, std::string node, std::string boundary, const char* unit,
                  double load, std::optional<double> limit) {
    rows_.push_back({"power", failure_.unit, failure_.what, level, std::move(node),
                     std::move(boundary), unit, load, limit, false, false, 0});
    return rows_.back();
  }

  void add_bus(std::size_t b) {
    const ChainBus& bus = chain_.buses[b];
    const BusState& state = state_.buses[b];
    if (bus.sources.empty()) return;
    if (state.collapsed || state.unsupplied) {
      add("bus", bus.id, bus.boundary, "W", state.load_w, 0.0).lost = true;
      return;
    }
    for (const std::size_t s : bus.sources) add_source(bus, s);
    if (!bus.shelves || !(bus.volts > 0)) return;
    add("busbar section", bus.id, bus.boundary, "A", state.section_a, bus.section_a);
    if (bus.min_v || bus.ohm_per_unit) {
      add("busbar voltage", bus.id + (state.worst_slot.empty() ? "" : " at " + state.worst_slot),
          bus.boundary, "V", state.worst_v, bus.min_v)
          .lower_bound = true;
    }
  }

  void add_source(const ChainBus& bus, std::size_t s) {
    const SourceState& source = state_.sources[s];
    const ChainSource& known = chain_.sources[s];
    if (source.alive == 0) return;
    add("PSU", known.id, bus.boundary, "W", source.output_w, source.rating_w);
    if (known.connector_a && source.output_a > 0) {
      add("connector", known.id, bus.boundary, "A", source.output_a, known.connector_a);
    }
  }

  void add_circuit(std::size_t c) {
    const Circuit& circuit = chain_.circuits[c];
    const Feed& feed = chain_.feeds[circuit.feed];
    if (!(state_.circuits[c].watts > 0)) return;
    std::optional<double> limit;
    if (circuit.rated_a > 0) limit = circuit.rated_a * feed.derating;
    add("whip", circuit.id, "rack AC input", "A", state_.circuits[c].largest_a(), limit);
  }

  void add_feed(std::size_t f) {
    const Feed& feed = chain_.feeds[f];
    if (!(state_.feeds[f].watts > 0)) return;
    std::optional<double> limit;
    if (feed.breaker_a > 0) limit = feed.circuits * feed.breaker_a * feed.derating;
    add("feed", "feed " + feed.id, "rack AC input", "A", state_.feeds[f].largest_a(), limit);
  }

  /// All units of a system against what stays of them; a scheme's reserve counts only after a loss.
  void add_upstream(std::size_t u) {
    const ChainUpstream& unit = chain_.upstream[u];
    if (!(state_.upstream[u].watts > 0)) return;
    std::optional<double> limit;
    if (unit.unit_va) {
      const auto& out = failure_.upstream;
      const bool lost = std::find(out.begin(), out.end(), u) != out.end();
      const std::vector<double> ratings(static_cast<std::size_t>(unit.units), *unit.unit_va);
      const bool stands_idle = unit.scheme && unit.scheme->kind == RedundancyScheme::Kind::block;
      const int stay = unit.units - (lost ? 1 : 0);
      limit = unit.scheme && (lost || stands_idle) ? usable_feeds_w(*unit.scheme, ratings)
                                                   : stay * *unit.unit_va;
      *limit *= 1e-3;
    }
    add(unit.kind.c_str(), unit.id, "upstream", "kVA", state_.upstream[u].va * 1e-3, limit);
  }

  const PowerChain& chain_;
  const PowerFailure& failure_;
  const ChainState& state_;
  std::vector<FailureRow> rows_;
};

}  // namespace

std::vector<PowerFailure> single_failures(const PowerChain& chain) {
  std::vector<PowerFailure> failures;
  for (std::size_t s = 0; s < chain.sources.size(); ++s) {
    const ChainSource& source = chain.sources[s];
    for (std::size_t psu = 0; psu < source.circuit.size(); ++psu) {
      failures.push_back(
          {"PSU", fmt::format("PSU {} of {}", psu + 1, source.id), {{s, psu}}, {}, {}, {}, {}});
    }
  }
  for (std::size_t s = 0; s < chain.sources.size(); ++s) {
    if (!chain.buses[chain.sources[s].bus].shelves) continue;
    failures.push_back({"shelf", "shelf " + chain.sources[s].id, {}, {s}, {}, {}, {}});
  }
  for (std::size_t c = 0; c < chain.circuits.size(); ++c) {
    failures.push_back({"whip", chain.circuits[c].id, {}, {}, {c}, {}, {}});
  }
  for (std::size_t f = 0; f < chain.feeds.size() && chain.feeds.size() > 1; ++f) {
    failures.push_back({"feed", "feed " + chain.feeds[f].id, {}, {}, {}, {f}, {}});
  }
  for (std::size_t u = 0; u < chain.upstream.size(); ++u) add_upstream_failures(chain, u, failures);
  return failures;
}

std::vector<PowerFailure> failure_pairs(const PowerChain& chain) {
  const auto singles = single_failures(chain);
  std::vector<PowerFailure> pairs;
  for (std::size_t i = 0; i < singles.size(); ++i) {
    for (std::size_t j = i + 1; j < singles.size(); ++j) {
      if (!independent(chain, singles[i], singles[j])) continue;
      PowerFailure pair = singles[i];
      pair.unit += " + " + singles[j].unit;
      pair.what += " and " + singles[j].what;
      append(pair.psus, singles[j].psus);
      append(pair.sources, singles[j].sources);
      append(pair.circuits, singles[j].circuits);
      append(pair.feeds, singles[j].feeds);
      append(pair.upstream, singles[j].upstream);
      pairs.push_back(std::move(pair));
    }
  }
  return pairs;
}

std::vector<FailureRow> power_rows(const PowerChain& chain, const ChainDemand& demand,
                                   const PowerFailure& failure) {
  const ChainState state = solve(chain, demand, failure);
  return RowWriter(chain, failure, state).rows();
}

std::vector<FailureRow> failure_table(const PowerChain& chain, const ChainDemand& demand,
                                      bool pairs) {
  std::vector<PowerFailure> failures{PowerFailure{}};
  append(failures, single_failures(chain));
  if (pairs) append(failures, failure_pairs(chain));
  std::vector<FailureRow> table;
  for (const PowerFailure& failure : failures) append(table, power_rows(chain, demand, failure));
  return table;
}

}  // namespace rackwright::topology
