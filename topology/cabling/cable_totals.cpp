#include "topology/cabling/cable_totals.hpp"

#include <algorithm>
#include <cmath>
#include <tuple>

#include "topology/cabling/geometry.hpp"

namespace rackwright::topology {

namespace {

constexpr double kSecondsPerYear = 365.25 * 86400, kMonthsPerYear = 12, kHoursPerFit = 1e9;
constexpr double kCliff = 0.5;  // m: a re-route of half a metre changes the medium

struct FitRange {
  double low = 0, high = 0;
};
FitRange fit_of(const Catalog& catalog, const char* id) {
  const Part* part = catalog.find(id);
  if (part == nullptr) return {};
  const Fact& fact = part->fact("failure_rate_fit");
  const double value = fact.value.value_or(0);
  return {fact.low.value_or(value), fact.high.value_or(value)};
}

class Totals {
 public:
  Totals(const CablePlan& plan, const Catalog& catalog) : plan_(&plan), catalog_(&catalog) {}

  CableTotals run() {
    for (const PulledCable& cable : plan_->cables) add_cable(cable);
    for (const PlacedTransceiver& module : plan_->transceivers) add_module(module);
    if (plan_->backplane.cartridges_per_rack > 0) add_backplane();
    for (auto& [key, line] : lines_) totals_.bom.push_back(std::move(line));
    finish_latency();
    finish_reliability();
    return std::move(totals_);
  }

 private:
  CableBomLine& line(const std::string& kind, const std::string& part, double length) {
    CableBomLine& l = lines_[{kind, part, length}];
    l.kind = kind;
    l.part = part;
    if (const Part* found = catalog_->find(part)) {
      l.name = found->name;
      l.part_number = found->fact("part_number").text;
      const Fact& price = found->fact("price_usd");
      if (price.value) {
        l.unit_usd_low = price.low.value_or(*price.value);
        l.unit_usd_high = price.high.value_or(*price.value);
      }
    }
    return l;
  }

  void add_cable(const PulledCable& cable) {
    ++totals_.cables;
    MediumTotal& medium = totals_.media[static_cast<std::size_t>(cable.medium)];
    ++medium.cables;
    medium.routed_m += cable.routed_m;
    medium.ordered_m += cable.length_m();
    totals_.routed_m += cable.routed_m;
    totals_.ordered_m += cable.length_m();
    totals_.longest_m = std::max(totals_.longest_m, cable.needed_m);
    if (cable.part.empty()) ++totals_.problems;
    const bool copper = cable.medium < Medium::active_optical;
    if (copper && cable.reach_m - cable.needed_m < kCliff) ++totals_.at_cliff;
    CableBomLine& bom = line("cable", cable.part, cable.sku_m.value_or(-1));
    ++bom.count;
    bom.medium = cable.medium;
    bom.length_m = cable.sku_m;
    if (cable.part.empty()) bom.name = "no part of the catalogue";
    if (!cable.sku_m) bom.note = "lengths on offer are not published";
    totals_.cost_usd.add(bom.unit_usd_low, bom.unit_usd_high);
    const CableFacts facts = cable_facts(*catalog_, cable);
    if (facts.weight_kg_per_m) {
      totals_.weight_kg += *facts.weight_kg_per_m * cable.length_m();
      totals_.average_weight_cables += facts.weight_is_average ? 1 : 0;
    } else {
      ++totals_.blank_weight_cables;
    }
    const Part* part = catalog_->find(cable.part);
    if (is_fibre(cable.medium) && part) {
      totals_.fibres += static_cast<int>(part->number("fibre_count").value_or(0));
    } else if (part) {
      add_plugs(cable.part, static_cast<int>(cable.ends.size()));
    }
    add_latency(cable, facts);
  }

  void add_plugs(const std::string& part, int plugs) {
    const PlugPower power = plug_power(*catalog_, part);
    const auto low = power.typical_w ? power.typical_w : power.max_w;
    const auto high = power.max_w ? power.max_w : power.typical_w;
    totals_.optics_w.add(low, high, plugs);
  }

  void add_module(const PlacedTransceiver& module) {
    ++totals_.modules;
    CableBomLine& bom = line("module", module.part, 0);
    ++bom.count;
    bom.medium = module.medium;
    if (module.part.empty()) {
      bom.name = "module not named";
      bom.note = "the form of its cage is blank";
    }
    totals_.cost_usd.add(bom.unit_usd_low, bom.unit_usd_high);
    add_plugs(module.part, 1);
    const Part* part = catalog_->find(module.part);
    const auto lanes = part ? part->number("lane_count") : std::nullopt;
    if (!lanes) {
      ++totals_.reliability.blank_modules;
      return;
    }
    ++totals_.reliability.modules;
    lanes_ += *lanes;
  }

  void add_backplane() {
    CableBomLine bom;
    bom.kind = "factory cable";
    bom.part = "nvlink5-backplane-pair";
    bom.name = "Backplane cartridge";
    bom.count = plan_->backplane.racks * plan_->backplane.cartridges_per_rack;
    bom.note = std::to_string(plan_->backplane.racks * plan_->backplane.pairs_per_rack) +
               " differential pairs, fitted by the factory: nothing to pull";
    totals_.bom.push_back(std::move(bom));
  }

  struct Tier {
    double sum_s = 0, max_s = 0;
    int count = 0;
  };
  void add_latency(const PulledCable& cable, const CableFacts& facts) {
    if (!facts.latency_s_per_m) {
      ++totals_.latency.blank;
      return;
    }
    const double time = *facts.latency_s_per_m * cable.length_m();
    const FabricLink& link = plan_->links[static_cast<std::size_t>(cable.links.front())];
    if (link.lower.tier == FabricTier::manager) return;
    Tier& tier = tiers_[link.lower.tier];
    tier.sum_s += time;
    tier.max_s = std::max(tier.max_s, time);
    ++tier.count;
  }
  void finish_latency() {
    for (const auto& [lower, tier] : tiers_) {
      const double mean = tier.sum_s / tier.count;
      if (lower == FabricTier::node) {
        totals_.latency.node_leaf_mean_s = mean;
        totals_.latency.node_leaf_max_s = tier.max_s;
      } else {
        totals_.latency.tier_mean_s += mean;
        totals_.latency.tier_max_s += tier.max_s;
      }
    }
  }

  /// One laser to a lane and one DSP, driver and amplifier to a module, as the component sums of
  /// the catalogue count them.
  void finish_reliability() {
    OpticsReliability& r = totals_.reliability;
    FitRange fit;
    const FitRange laser = fit_of(*catalog_, "laser-dfb");
    fit.low = lanes_ * laser.low;
    fit.high = lanes_ * laser.high;
    for (const char* id : {"module-dsp", "driver-ic", "transimpedance-amplifier"}) {
      const FitRange part = fit_of(*catalog_, id);
      fit.low += r.modules * part.low;
      fit.high += r.modules * part.high;
    }
    const double hours = kSecondsPerYear / 3600;
    r.failures_per_year_low = fit.low * hours / kHoursPerFit;
    r.failures_per_year_high = fit.high * hours / kHoursPerFit;
    const CablingPractice& practice = plan_->layout.practice;
    r.spares = spares_for(r.failures_per_year_high * practice.restock_s / kSecondsPerYear,
                          practice.spares_confidence);
    if (const Part* link = catalog_->find("field-link")) {
      r.links_failing_per_year = link->number("failure_rate_pct_per_month").value_or(0) / 100 *
                                 kMonthsPerYear * static_cast<double>(plan_->links.size());
    }
  }

  const CablePlan* plan_;
  const Catalog* catalog_;
  CableTotals totals_;
  std::map<std::tuple<std::string, std::string, double>, CableBomLine> lines_;
  std::map<FabricTier, Tier> tiers_;
  double lanes_ = 0;
};

}  // namespace

void KnownSum::add(const std::optional<double>& low_value, const std::optional<double>& high_value,
                   int items) {
  if (!low_value || !high_value) {
    blank += items;
    return;
  }
  known += items;
  low += items * *low_value;
  high += items * *high_value;
}

CableTotals total_cabling(const CablePlan& plan, const Catalog& catalog) {
  return Totals(plan, catalog).run();
}

double tree_cable_time_s(int nodes, double path_s) {
  if (nodes < 2) return 0;
  return 2 * std::ceil(std::log2(static_cast<double>(nodes))) * path_s;
}

}  // namespace rackwright::topology
