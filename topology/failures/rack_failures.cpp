#include "topology/failures/rack_failures.hpp"

#include <algorithm>
#include <cmath>
#include <set>

#include <fmt/format.h>

#include "topology/power/failure_table.hpp"

namespace rackwright::topology {

namespace {

template <class T>
void append_all(std::vector<T>& to, const std::vector<T>& from) {
  to.insert(to.end(), from.begin(), from.end());
}

/// True when any of `supply` still carries; an empty one is not known to fail.
bool lives(const PowerChain& chain, const ChainState& state, const PowerFailure& failure,
           const std::vector<std::string>& supply) {
  const auto carries = [&](const std::string& id) {
    for (std::size_t f = 0; f < chain.feeds.size(); ++f) {
      if (chain.feeds[f].id == id) {
        return std::find(failure.feeds.begin(), failure.feeds.end(), f) == failure.feeds.end();
      }
    }
    for (std::size_t s = 0; s < chain.sources.size(); ++s) {
      if (chain.sources[s].id == id) return state.sources[s].alive > 0;
    }
    for (std::size_t b = 0; b < chain.buses.size(); ++b) {
      if (chain.buses[b].id == id) {
        return !state.buses[b].unsupplied && !state.buses[b].collapsed;
      }
    }
    return true;
  };
  return supply.empty() || std::any_of(supply.begin(), supply.end(), carries);
}

/// The feeds behind `supply` that live: what a machine's input is spread over.
std::vector<std::size_t> feeds_behind(const PowerChain& chain, const PowerFailure& failure,
                                      const std::vector<std::string>& supply) {
  std::set<std::size_t> feeds;
  for (std::size_t f = 0; f < chain.feeds.size(); ++f) {
    const bool dark =
        std::find(failure.feeds.begin(), failure.feeds.end(), f) != failure.feeds.end();
    const auto named = [&](const std::string& id) {
      if (chain.feeds[f].id == id) return true;
      return std::any_of(chain.sources.begin(), chain.sources.end(),
                         [&](const ChainSource& s) { return s.id == id && s.feed == f; });
    };
    if (!dark && (supply.empty() || std::any_of(supply.begin(), supply.end(), named))) {
      feeds.insert(f);
    }
  }
  return {feeds.begin(), feeds.end()};
}

/// One state of the rack, solved from the failure through every domain.
class RackState {
 public:
  RackState(const RackModel& model, const RackLoad& load, const RackFailure& failure)
      : model_(model), failure_(failure), load_(load) {
    off_.insert(failure.off.begin(), failure.off.end());
    for (const std::size_t branch : failure.shut) off_.insert(model.liquid->slots[branch]);
    switch_off();
    first_ = solve(model.chain, load_.demand, failure.power);
    drop_unsupplied();
    cool();
    load_.demand.feed_w.assign(model.chain.feeds.size(), 0.0);
    load_.demand.row_w.assign(model.chain.feeds.size(), 0.0);
    add_cooling_inputs();
  }

  std::vector<FailureRow> rows() {
    rows_ = power_rows(model_.chain, load_.demand, failure_.power);
    for (FailureRow& row : rows_) {
      row.failure_unit = failure_.unit;
      row.failure = failure_.what;
    }
    add_converters();
    if (model_.liquid) add_liquid();
    add_air();
    add_service();
    for (FailureRow& row : rows_) add_interval(row);
    return std::move(rows_);
  }

 private:
  FailureRow& add(const char* domain, const char* level, std::string node, const char* boundary,
                  const char* unit, double value, std::optional<double> limit, double base = 0) {
    rows_.push_back({domain, failure_.unit, failure_.what, level, std::move(node), boundary, unit,
                     value, limit, false, !std::isfinite(value), base});
    return rows_.back();
  }

  /// Currents, powers and rises go with the power of the rack.
  void add_interval(FailureRow& row) const {
    static const std::set<std::string> kWithPower{"W", "kVA", "A", "degC"};
    if (row.lost || row.lower_bound || !kWithPower.contains(row.unit)) return;
    row.low = row.base + (row.load - row.base) * load_.low;
    row.high = row.base + (row.load - row.base) * load_.high;
  }

  void switch_off() {
    for (std::size_t b = 0; b < model_.chain.buses.size(); ++b) {
      for (std::size_t i = 0; i < model_.chain.buses[b].loads.size(); ++i) {
        if (off_.contains(model_.chain.buses[b].loads[i].slot)) load_.demand.bus_w[b][i] = 0;
      }
    }
    if (model_.liquid) {
      for (std::size_t i = 0; i < model_.liquid->slots.size(); ++i) {
        if (off_.contains(model_.liquid->slots[i])) load_.branch_heat_w[i] = 0;
      }
    }
    for (std::size_t i = 0; i < model_.air.trays.size(); ++i) {
      if (off_.contains(model_.air.trays[i].slot)) load_.air_heat_w[i] = 0;
    }
  }

  void drop_unsupplied() {
    for (std::size_t b = 0; b < model_.chain.buses.size(); ++b) {
      if (!first_.buses[b].unsupplied && !first_.buses[b].collapsed) continue;
      for (const ChainLoad& load : model_.chain.buses[b].loads) dark_.insert(load.slot);
    }
    // A dark bus keeps its load in the table, where it is lost; its heat is gone.
    const auto demand = load_.demand;
    off_.insert(dark_.begin(), dark_.end());
    switch_off();
    load_.demand = demand;
  }

  void cool() {
    if (model_.liquid) {
      const LiquidPlant& plant = *model_.liquid;
      LiquidLoss loss;
      loss.cdu_off.assign(plant.cdus.size(), 0);
      loss.pumps_off.assign(plant.cdus.size(), 0);
      for (std::size_t i = 0; i < plant.cdus.size(); ++i) {
        loss.cdu_off[i] = !lives(model_.chain, first_, failure_.power, plant.cdus[i].supply);
      }
      for (const std::size_t i : failure_.cdus) loss.cdu_off[i] = 1;
      for (const std::size_t i : failure_.pumps) ++loss.pumps_off[i];
      loss.shut = failure_.shut;
      liquid_ = solve_liquid(plant, load_.branch_heat_w, load_.other_liquid_w, loss);
      cdu_off_ = loss.cdu_off;
    }
    air_ = solve_air(model_.air, load_.air_heat_w, failure_.fans);
  }

  void spread(const std::vector<std::string>& supply, double watts, std::vector<double>& over) {
    const auto feeds = feeds_behind(model_.chain, failure_.power, supply);
    for (const std::size_t f : feeds) over[f] += watts / static_cast<double>(feeds.size());
  }

  void add_cooling_inputs() {
    for (std::size_t i = 0; model_.liquid && i < model_.liquid->cdus.size(); ++i) {
      auto& over = model_.liquid->in_rack ? load_.demand.feed_w : load_.demand.row_w;
      spread(model_.liquid->cdus[i].supply, liquid_.cdu_input_w[i].value_or(0), over);
    }
    door_off_ =
        model_.air.door && !lives(model_.chain, first_, failure_.power, model_.air.door_supply);
    if (!door_off_) spread(model_.air.door_supply, model_.air.door_fan_w, load_.demand.feed_w);
    for (std::size_t t = 0; t < air_.more_fan_w.size(); ++t) {
      if (!(air_.more_fan_w[t] > 0)) continue;
      for (std::size_t b = 0; b < model_.chain.buses.size(); ++b) {
        for (std::size_t i = 0; i < model_.chain.buses[b].loads.size(); ++i) {
          if (model_.chain.buses[b].loads[i].slot == model_.air.trays[t].slot) {
            load_.demand.bus_w[b][i] += air_.more_fan_w[t];
          }
        }
      }
    }
  }

  /// Bus converters of trays with GPUs: in a node with PSUs of its own behind them.
  void add_converters() {
    for (std::size_t b = 0; b < model_.chain.buses.size(); ++b) {
      const ChainBus& bus = model_.chain.buses[b];
      for (std::size_t i = 0; i < bus.loads.size(); ++i) {
        for (const RackTray& tray : model_.trays) {
          if (tray.slot != bus.loads[i].slot || tray.gpus == 0 || off_.contains(tray.slot))
            continue;
          add("power", "bus converter", tray.slot, bus.shelves ? "tray" : "node DC", "W",
              load_.demand.bus_w[b][i], tray.converter_w);
        }
      }
    }
  }

  void add_liquid() {
    const LiquidPlant& plant = *model_.liquid;
    auto& flow = add("liquid", "coolant flow", "rack", "TCS", "l/min", plant.flow_lpm,
                     liquid_.available_lpm);
    if (!(liquid_.flow_lpm > 0)) flow.lost = true;
    if (plant.supply_max_c) {
      add("liquid", "coolant supply", "TCS supply", "TCS supply", "degC", liquid_.supply_c,
          plant.supply_max_c, plant.dew_point_c);
    }
    for (std::size_t i = 0; i < plant.slots.size(); ++i) {
      if (off_.contains(plant.slots[i])) continue;
      add("liquid", "tray outlet", plant.slots[i], "tray outlet", "degC", liquid_.outlet_c[i],
          plant.outlet_max_c, plant.supply_c);
    }
    if (plant.module_k_per_w && load_.gpu_w > 0) {
      const double at =
          liquid_.flow_lpm > 0 ? liquid_.supply_c + load_.gpu_w * *plant.module_k_per_w : INFINITY;
      add("liquid", "GPU", "every GPU", "GPU reading", "degC", at, plant.module_max_c,
          plant.supply_c);
    }
    for (std::size_t i = 0; i < plant.cdus.size(); ++i) {
      if (cdu_off_[i]) continue;
      add("liquid", "CDU heat", plant.cdus[i].id, "TCS", "W", liquid_.cdu_heat_w,
          plant.cdu.capacity_w);
      if (liquid_.cdu_input_w[i]) {
        add("power", "CDU input", plant.cdus[i].id, "CDU input", "W", *liquid_.cdu_input_w[i],
            plant.cdu.input_w);
      }
    }
    for (const std::size_t branch : failure_.leaking) {
      if (!plant.leak_lpm) continue;
      if (plant.leak_valve_s) {
        add("service", "coolant lost", plant.slots[branch], "TCS", "l",
            *plant.leak_lpm * *plant.leak_valve_s / 60, std::nullopt);
      } else {
        add("service", "coolant lost until the valve shuts", plant.slots[branch], "TCS", "l/min",
            *plant.leak_lpm, std::nullopt);
      }
    }
  }

  void add_air() {
    const AirPlant& plant = model_.air;
    for (std::size_t i = 0; i < plant.trays.size(); ++i) {
      const TrayAirFacts& tray = plant.trays[i];
      if (off_.contains(tray.slot)) continue;
      const bool known = air_.flow_m3_per_s[i].has_value();
      if (known) {
        add("air", "air outlet", tray.slot, "tray air", "degC", air_.outlet_c[i],
            plant.outlet_max_c, plant.inlet_c);
      }
      const auto need = tray.needed_m3_per_s ? tray.needed_m3_per_s : tray.flow_m3_per_s;
      if (!need || (known && !plant.network && !tray.needed_m3_per_s)) continue;
      add("air", "air flow", tray.slot, "tray air", "CFM", *need / cfm.si(),
          known ? std::optional(*air_.flow_m3_per_s[i] / cfm.si()) : std::nullopt);
    }
    if (!plant.door) return;
    double heat = 0;
    for (const double watts : load_.air_heat_w) heat += watts;
    std::optional<double> capacity = plant.door_w;
    if (failure_.door_fan) capacity = plant.door_one_fan_lost_w;
    add("air", "rear door", "door", "rack air", "W", heat, capacity).lost = door_off_;
  }

  void add_service() {
    int gpus = 0;
    bool any = false;
    for (const RackTray& tray : model_.trays) {
      if (!off_.contains(tray.slot)) continue;
      any = true;
      gpus += tray.gpus;
    }
    if (any) add("service", "GPUs off", "rack", "rack", "GPUs", gpus, std::nullopt);
    const auto switches = std::count_if(
        model_.trays.begin(), model_.trays.end(),
        [&](const RackTray& t) { return t.group == "switch" && off_.contains(t.slot); });
    if (switches > 0 && model_.scale_up_switches > 0) {
      add("network", "scale-up links lost", "every GPU", "scale-up", "1",
          static_cast<double>(switches) / model_.scale_up_switches, std::nullopt);
    }
  }

  const RackModel& model_;
  const RackFailure& failure_;
  RackLoad load_;
  std::set<std::string> off_, dark_;
  ChainState first_;
  LiquidState liquid_;
  AirState air_;
  std::vector<char> cdu_off_;
  bool door_off_ = false;
  std::vector<FailureRow> rows_;
};

RackFailure named(std::string unit, std::string what) {
  RackFailure failure;
  failure.unit = std::move(unit);
  failure.what = std::move(what);
  return failure;
}

void add_cooling_failures(const RackModel& model, std::vector<RackFailure>& failures) {
  const auto last = [&]() -> RackFailure& { return failures.back(); };
  if (model.liquid) {
    for (std::size_t i = 0; i < model.liquid->cdus.size(); ++i) {
      failures.push_back(named("pump", "a pump of " + model.liquid->cdus[i].id));
      last().pumps = {i};
    }
    for (std::size_t i = 0; i < model.liquid->cdus.size(); ++i) {
      failures.push_back(named("CDU", model.liquid->cdus[i].id));
      last().cdus = {i};
    }
  }
  for (std::size_t i = 0; i < model.air.trays.size(); ++i) {
    failures.push_back(named("fan", "a fan of " + model.air.trays[i].slot));
    last().fans = {i};
  }
  if (model.air.door) {
    failures.push_back(named("door fan", "a fan of the rear door"));
    last().door_fan = true;
  }
  for (std::size_t i = 0; model.liquid && i < model.liquid->slots.size(); ++i) {
    failures.push_back(named("branch", "branch of " + model.liquid->slots[i] + " blocked"));
    last().shut = {i};
  }
  for (std::size_t i = 0; model.liquid && i < model.liquid->slots.size(); ++i) {
    failures.push_back(named("leak", "leak in " + model.liquid->slots[i] + ", valve shut"));
    last().shut = last().leaking = {i};
  }
  for (const RackTray& tray : model.trays) {
    if (tray.group != "switch") continue;
    failures.push_back(named("switch", "switch tray " + tray.slot));
    last().off = {tray.slot};
  }
}

bool is_power(const RackFailure& failure) {
  const PowerFailure& p = failure.power;
  return !p.psus.empty() || !p.sources.empty() || !p.circuits.empty() || !p.feeds.empty() ||
         !p.upstream.empty();
}

/// One in the other: a pump of a lost CDU, a leak in a blocked branch.
bool contains(const RackFailure& a, const RackFailure& b) {
  const auto within = [](const auto& all, const auto& some) {
    return !some.empty() && std::all_of(some.begin(), some.end(), [&](const auto& x) {
      return std::find(all.begin(), all.end(), x) != all.end();
    });
  };
  return within(a.cdus, b.pumps) || within(a.shut, b.shut);
}

}  // namespace

std::vector<RackFailure> rack_failures(const RackModel& model) {
  std::vector<RackFailure> failures;
  for (const PowerFailure& power : single_failures(model.chain)) {
    failures.push_back(named(power.unit, power.what));
    failures.back().power = power;
  }
  add_cooling_failures(model, failures);
  return failures;
}

std::vector<RackFailure> rack_failure_pairs(const RackModel& model) {
  const auto singles = rack_failures(model);
  std::vector<RackFailure> pairs;
  for (std::size_t i = 0; i < singles.size(); ++i) {
    for (std::size_t j = i + 1; j < singles.size(); ++j) {
      const RackFailure& b = singles[j];
      RackFailure pair = singles[i];
      if (is_power(pair) && is_power(b) && !independent(model.chain, pair.power, b.power)) continue;
      if (contains(pair, b) || contains(b, pair)) continue;
      pair.unit += " + " + b.unit;
      pair.what += " and " + b.what;
      append_all(pair.power.psus, b.power.psus);
      append_all(pair.power.sources, b.power.sources);
      append_all(pair.power.circuits, b.power.circuits);
      append_all(pair.power.feeds, b.power.feeds);
      append_all(pair.power.upstream, b.power.upstream);
      append_all(pair.cdus, b.cdus);
      append_all(pair.pumps, b.pumps);
      append_all(pair.fans, b.fans);
      append_all(pair.shut, b.shut);
      append_all(pair.leaking, b.leaking);
      append_all(pair.off, b.off);
      pair.door_fan = pair.door_fan || b.door_fan;
      pairs.push_back(std::move(pair));
    }
  }
  return pairs;
}

std::vector<FailureRow> rack_rows(const RackModel& model, const RackLoad& load,
                                  const RackFailure& failure) {
  return RackState(model, load, failure).rows();
}

std::vector<FailureRow> rack_failure_table(const RackModel& model, const RackLoad& load) {
  std::vector<FailureRow> table = rack_rows(model, load, {});
  for (const RackFailure& failure : rack_failures(model)) {
    append_all(table, rack_rows(model, load, failure));
  }
  return table;
}

std::vector<FailureRow> rack_pair_table(const RackModel& model, const RackLoad& load) {
  std::vector<FailureRow> table;
  for (const RackFailure& failure : rack_failure_pairs(model)) {
    append_all(table, worst_rows(rack_rows(model, load, failure)));
  }
  return table;
}

}  // namespace rackwright::topology
