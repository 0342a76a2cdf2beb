#include <algorithm>
#include <cmath>
#include <map>
#include <optional>

#include <fmt/format.h>

#include "topology/evaluation_power.hpp"
#include "topology/part_facts.hpp"
#include "topology/power/busbar.hpp"
#include "topology/power/redundancy.hpp"

namespace rackwright::topology {

namespace {

using LoadOf = std::function<double(const RackPower&)>;

/// Buses that are alike and carry the same load are judged once.
struct BusGroup {
  std::size_t first = 0;
  int count = 0;
};

std::string signature(const PowerBus& bus, double load_w) {
  std::string text = fmt::format("{}|{:.3f}|", bus.boundary, load_w);
  for (const PowerSource& source : bus.sources) {
    text += fmt::format("{}:{}x{};", source.feed, source.psus, source.psu_w);
  }
  for (const std::string& unit : bus.promised) text += unit + ",";
  return text;
}

std::vector<BusGroup> group_buses(const EvaluationContext& context) {
  std::vector<BusGroup> groups;
  std::map<std::string, std::size_t> known;
  for (std::size_t i = 0; i < context.design.buses.size(); ++i) {
    const auto key = signature(context.design.buses[i], context.envelope.bus_dc_w[i]);
    const auto [at, added] = known.emplace(key, groups.size());
    if (added) groups.push_back({i, 0});
    ++groups[at->second].count;
  }
  return groups;
}

/// When no cap helps: more sources of the kind that is there.
void add_source_remedy(Limit& limit, const PowerBus& bus, double remaining_w, bool same_feed) {
  if (limit.state != LimitState::violated || !limit.remedy.empty() || bus.sources.empty()) return;
  double unit = 0;
  for (const PowerSource& source : bus.sources) unit = std::max(unit, source.psus * source.psu_w);
  if (unit <= 0) return;
  const double missing = limit.load.value - remaining_w;
  const int more = static_cast<int>(std::floor(missing / unit)) + 1;
  const double margin = margin_of(limit.load.value, remaining_w + more * unit);
  const std::string what = bus.boundary == "busbar DC" ? (more == 1 ? "shelf" : "shelves")
                                                       : (more == 1 ? "PSU group" : "PSU groups");
  limit.remedy = fmt::format("Add {} {} of {}{}: {} margin", more, what, watts_text(unit),
                             same_feed ? " on the feed that stays" : "", percent_text(margin));
  limit.remedied_margin = margin;
}

std::string failure_name(const BusGroup& group, const PowerBus& bus, const BusFailure& failure) {
  const bool node = bus.boundary != "busbar DC";
  const std::string unit = node ? "PSU groups" : "shelves";
  const std::string who = group.count > 1 ? fmt::format("{} nodes, each: ", group.count)
                          : node          ? "Node " + bus.id + ": "
                                          : "";
  if (failure.unit == "none") return who + fmt::format("all {} in service", unit);
  return who + fmt::format("loss of {}: {} stays", failure.what, watts_text(failure.remaining_w));
}

std::string cap_condition(const BusFailure& failure) {
  if (failure.unit == "none") return "";
  if (failure.unit == "feed") return " when " + failure.what + " is lost";
  return " when " + failure.what + " fails";
}

void add_bus_limits(EvaluationContext& context, const BusGroup& group) {
  const PowerBus& bus = context.design.buses[group.first];
  if (bus.sources.empty()) return;
  const std::size_t index = group.first;
  const bool node = bus.boundary != "busbar DC";
  const LoadOf load = [index](const RackPower& p) { return p.bus_dc_w[index]; };
  Estimate drawn = context.envelope_estimate(load(context.envelope), bus.boundary);
  std::string basis;
  if (!context.power.has_efficiency(index)) {
    basis = "; PSU efficiency blank, DC load taken equal to AC input";
    context.require({"psu_peak_efficiency." + context.design.id, "efficiency of the PSUs over load",
                     "needs a curve or the peak; without it the DC load is an upper bound",
                     "PSU maker", "loss in the PSUs, margins after a failure", false});
    drawn.origin = Origin::assumed;
  }
  for (const BusFailure& failure : bus_failures(bus, context.design.feeds)) {
    LimitName name;
    name.id = fmt::format("power.bus.{}.{}", bus.id, failure.unit);
    if (!failure.feed.empty()) name.id += "." + failure.feed;
    name.domain = "power";
    name.name = failure_name(group, bus, failure);
    name.failure_unit = failure.unit;
    name.failure = failure.what;
    name.promised = is_promised(bus, failure);
    Limit limit = make_limit(
        std::move(name), drawn, exact(failure.remaining_w, {"W", Origin::catalogue, bus.boundary}),
        fmt::format("{} at {} against {} of PSU output{}", watts_text(drawn.value), bus.boundary,
                    watts_text(failure.remaining_w), basis));
    const int nodes = node ? static_cast<int>(context.design.buses.size()) : 0;
    add_cap_remedy(context, limit, load, cap_condition(failure), nodes);
    add_source_remedy(limit, bus, failure.remaining_w, failure.unit == "feed");
    context.out.limits.push_back(std::move(limit));
  }
}

double unit_of_slot(const RackDesign& design, const std::string& id) {
  for (const Slot& slot : design.slots) {
    if (slot.id == id) return slot.unit + slot.height / 2;
  }
  return 0;
}

/// Share of the bar's current through its fullest section, with the sources on `lost` off.
double section_share(const EvaluationContext& context, std::size_t index, const std::string& lost) {
  const PowerBus& bus = context.design.buses[index];
  std::vector<BusbarTap> taps;
  double sources = 0, loads = 0;
  for (const PowerSource& source : bus.sources) {
    if (!lost.empty() && source.feed == lost) continue;
    sources += source.psus * source.psu_w;
  }
  for (const PowerSource& source : bus.sources) {
    if ((!lost.empty() && source.feed == lost) || sources <= 0) continue;
    taps.push_back(
        {unit_of_slot(context.design, source.slot), source.psus * source.psu_w / sources, true});
  }
  const auto& slots = context.power.slots();
  for (std::size_t i = 0; i < slots.size(); ++i) {
    if (slots[i].bus == static_cast<int>(index)) loads += context.envelope.slot_w[i];
  }
  for (std::size_t i = 0; i < slots.size(); ++i) {
    if (slots[i].bus != static_cast<int>(index) || loads <= 0) continue;
    taps.push_back(
        {unit_of_slot(context.design, slots[i].slot), context.envelope.slot_w[i] / loads, false});
  }
  return largest_section_share(std::move(taps));
}

void add_busbar_limits(EvaluationContext& context, std::size_t index) {
  const PowerBus& bus = context.design.buses[index];
  if (bus.boundary != "busbar DC" || bus.volts <= 0) return;
  const double amps = context.envelope.bus_dc_w[index] / bus.volts;
  const double share = section_share(context, index, "");
  const auto current = [&](double part) {
    return scaled(context.envelope_estimate(context.envelope.bus_dc_w[index], "busbar DC"),
                  part / bus.volts, "A");
  };
  context.add("power.busbar_current." + bus.id, "Busbar current, all sections", current(1),
              "steady", "P / V at the busbar");
  context.add("power.busbar_section_current." + bus.id, "Current in the fullest busbar section",
              current(share), "steady",
              "imbalance of shelves and trays below the cut, sources share by rating");
  const auto rating = fact_estimate(bus.section_limit_a, "A", "busbar DC");
  if (!rating) {
    context.require({"busbar_section." + bus.id, "current rating of a busbar section",
                     fmt::format(">= {:.0f} A at {:.0f} V", std::ceil(amps * share), bus.volts),
                     "rack maker", "verdict, if below", true});
    return;
  }
  Limit limit = make_limit(
      {"power.busbar." + bus.id, "power", "Fullest busbar section", "none", ""}, current(share),
      *rating, fmt::format("{:.0f} A on the bar, {:.0f} % through one section", amps, share * 100));
  const double volts = bus.volts;
  add_cap_remedy(
      context, limit, [=](const RackPower& p) { return p.bus_dc_w[index] * share / volts; }, "", 0);
  context.out.limits.push_back(std::move(limit));
}

/// AC input of one feed; `lost` is off and the others carry its part.
double feed_load(const EvaluationContext& context, const RackPower& power, const Feed& feed,
                 const std::string& lost) {
  const RackDesign& design = context.design;
  double watts = 0;
  for (std::size_t i = 0; i < design.buses.size(); ++i) {
    const double input = lost.empty() ? power.bus_ac_w[i]
                                      : context.power.bus_input_w(i, power.bus_dc_w[i],
                                                                  psu_count(design.buses[i], lost));
    watts += input * feed_share(design.buses[i], feed.id, lost);
  }
  const auto alive = static_cast<double>(design.feeds.size()) - (lost.empty() ? 0.0 : 1.0);
  return watts + power.direct_ac_w / std::max(alive, 1.0);
}

void add_feed_limit(EvaluationContext& context, const Feed& feed, const std::string& lost,
                    bool promised) {
  const LoadOf load = [&context, &feed, lost](const RackPower& p) {
    return feed_load(context, p, feed, lost);
  };
  const Estimate drawn = context.envelope_estimate(load(context.envelope), "rack AC input");
  LimitName name{"power.feed." + feed.id, "power", "Feed " + feed.id + ": breaker with derating",
                 "none", ""};
  if (!lost.empty()) {
    name.id += ".without." + lost;
    name.name = fmt::format("Loss of feed {}: feed {} carries its part", lost, feed.id);
    name.failure_unit = "feed";
    name.failure = "feed " + lost;
    name.promised = promised;
  }
  const double limit_w = feed.limit_w();
  if (!(limit_w > 0)) {
    context.out.limits.push_back(make_blank_limit(std::move(name), drawn, "breaker rating blank"));
    return;
  }
  const Origin origin = feed.source.status == "estimated" ? Origin::assumed : Origin::catalogue;
  Limit limit = make_limit(
      std::move(name), drawn, exact(limit_w, {"W", origin, "rack AC input"}),
      fmt::format("{} circuits of {:.0f} A at {:.0f} V, {:.0f} % continuous, power factor {:.2f}",
                  feed.circuits, feed.breaker_a, feed.volts_line_to_line, feed.derating * 100,
                  feed.power_factor));
  add_cap_remedy(context, limit, load, lost.empty() ? "" : " when feed " + lost + " is lost", 0);
  context.out.limits.push_back(std::move(limit));
}

/// The feed that stands worst after `lost`; none when there is no other.
const Feed* fullest_without(const EvaluationContext& context, const std::string& lost) {
  const Feed* worst = nullptr;
  double highest = -1;
  for (const Feed& feed : context.design.feeds) {
    if (feed.id == lost) continue;
    const double load =
        feed_load(context, context.envelope, feed, lost) / std::max(feed.limit_w(), 1.0);
    if (load <= highest) continue;
    highest = load;
    worst = &feed;
  }
  return worst;
}

/// Current that a feed without a published breaker must carry: in service, and alone when that is
/// promised.
void require_breaker(EvaluationContext& context, const Feed& feed, bool alone_promised) {
  double watts = feed_load(context, context.envelope, feed, "");
  for (const Feed& lost : context.design.feeds) {
    if (!alone_promised || lost.id == feed.id) continue;
    watts = std::max(watts, feed_load(context, context.envelope, feed, lost.id));
  }
  Feed one_ampere = feed;
  one_ampere.breaker_a = one_ampere.circuits = 1;
  const double amps = watts * context.envelope_high / std::max(one_ampere.limit_w(), 1e-9);
  context.require(
      {"feed_breaker." + feed.id, "breaker rating of feed " + feed.id,
       fmt::format(">= {:.0f} A in all at {:.0f} V", std::ceil(amps), feed.volts_line_to_line),
       "facility", "verdict, if below", false});
}

void add_feed_limits(EvaluationContext& context) {
  const auto& feeds = context.design.feeds;
  bool promised = false;
  for (const PowerBus& bus : context.design.buses) {
    promised = promised ||
               std::find(bus.promised.begin(), bus.promised.end(), "feed") != bus.promised.end();
  }
  double provided = 0;
  bool known = !feeds.empty();
  for (const Feed& feed : feeds) {
    provided += feed.limit_w();
    if (!(feed.limit_w() > 0)) {
      known = false;
      require_breaker(context, feed, promised);
    }
    add_feed_limit(context, feed, "", true);
    if (const Feed* worst = fullest_without(context, feed.id)) {
      add_feed_limit(context, *worst, feed.id, promised);
    }
  }
  if (!known) return;
  context.add(
      "power.feeds_headroom", "All feeds less the design envelope",
      exact(provided - context.envelope.rack_ac_w, {"W", Origin::catalogue, "rack AC input"}),
      "steady", "sum of feed limits, no redundancy kept");
}

/// AC input of the fullest whip of a shelf, with the shelves on `lost` off.
double whip_load(const EvaluationContext& context, const RackPower& power, std::size_t index,
                 const std::string& lost, double whips) {
  const PowerBus& bus = context.design.buses[index];
  const double input =
      context.power.bus_input_w(index, power.bus_dc_w[index], psu_count(bus, lost));
  double alive = 0, largest = 0;
  for (const PowerSource& source : bus.sources) {
    if (!lost.empty() && source.feed == lost) continue;
    alive += source.psus * source.psu_w;
    largest = std::max(largest, source.psus * source.psu_w);
  }
  return alive > 0 ? input * largest / alive / whips : 0.0;
}

/// One ampere of a whip on the feed of the first source that is not on `lost`.
std::optional<Feed> whip_of(const RackDesign& design, const PowerBus& bus,
                            const std::string& lost) {
  for (const PowerSource& source : bus.sources) {
    if (source.feed == lost) continue;
    for (Feed feed : design.feeds) {
      if (feed.id != source.feed) continue;
      feed.circuits = 1;
      feed.breaker_a = 1;
      return feed;
    }
  }
  return std::nullopt;
}

/// Each shelf hangs on whips of its own: their rating, with the feed's derating.
void add_whip_limits(EvaluationContext& context, std::size_t index) {
  const PowerBus& bus = context.design.buses[index];
  if (bus.boundary != "busbar DC" || bus.sources.empty()) return;
  const Slot* slot = context.design.slot(bus.sources.front().slot);
  const Part* shelf = slot ? context.catalog.find(slot->part) : nullptr;
  const auto amps = shelf ? first_estimate(*shelf, {"ac_whip_a"}, "A") : std::nullopt;
  const double whips = shelf ? shelf->number("ac_whip_count").value_or(0) : 0;
  if (!amps || !(whips > 0)) return;
  for (const BusFailure& failure : bus_failures(bus, context.design.feeds)) {
    if (failure.unit != "none" && failure.unit != "feed") continue;
    const std::string lost = failure.unit == "feed" ? failure.feed : "";
    const auto whip = whip_of(context.design, bus, lost);
    if (!whip) continue;
    const LoadOf load = [&context, index, lost, whips](const RackPower& p) {
      return whip_load(context, p, index, lost, whips);
    };
    // A range of whips is a choice of plug, not an uncertainty of this one.
    const Estimate most =
        exact(amps->value * whip->limit_w(), {"W", amps->origin, "rack AC input"});
    Limit limit = make_limit(
        {"power.whip." + bus.id + (lost.empty() ? "" : ".without." + lost), "power",
         lost.empty() ? "Each whip of a shelf" : "Each whip after loss of feed " + lost,
         failure.unit, failure.what, is_promised(bus, failure)},
        context.envelope_estimate(load(context.envelope), "rack AC input"), most,
        fmt::format("{:.0f} whips of {:.0f} A per shelf at {:.0f} V, {:.0f} % continuous", whips,
                    amps->value, whip->volts_line_to_line, whip->derating * 100));
    add_cap_remedy(context, limit, load, lost.empty() ? "" : " when feed " + lost + " is lost", 0);
    context.out.limits.push_back(std::move(limit));
  }
}

/// Peak excursions against what the PSUs may deliver for a moment.
void add_edpp_limits(EvaluationContext& context, std::size_t index) {
  const PowerBus& bus = context.design.buses[index];
  if (bus.boundary != "busbar DC" || bus.sources.empty()) return;
  const auto edpp = fact_estimate(context.design.edpp_w, "W", "rack AC input");
  if (!edpp) return;
  const Slot* slot = context.design.slot(bus.sources.front().slot);
  const Part* shelf = slot ? context.catalog.find(slot->part) : nullptr;
  const auto allowance =
      shelf ? first_estimate(*shelf, {"pulse_allowance_pct", "psu_peak_load_pct"}, "%")
            : std::nullopt;
  const double scale = context.envelope.bus_dc_w[index] / context.envelope.rack_ac_w;
  const Estimate load = [&] {
    Estimate e = scaled(*edpp, scale, "W");
    e.boundary = bus.boundary;
    return e;
  }();
  context.require({"edpp_duration", "duration and repetition of the peak excursion (EDPp)",
                   "within the pulse allowance of the PSUs", "module maker",
                   "ride-through of PSUs after a failure", false});
  if (!allowance) {
    context.require({"psu_pulse." + bus.id, "pulse allowance of the PSUs",
                     fmt::format(">= {:.0f} % of rating", load.value / bus_rating_w(bus) * 100),
                     "PSU maker", "verdict on peak excursions", false});
    return;
  }
  for (const BusFailure& failure : bus_failures(bus, context.design.feeds)) {
    if (failure.unit != "none" && failure.unit != "feed") continue;
    LimitName name{fmt::format("power.edpp.{}.{}{}", bus.id, failure.unit, failure.feed),
                   "power",
                   failure.unit == "none" ? "Peak excursion on the PSUs' pulse allowance"
                                          : "Peak excursion after loss of " + failure.what,
                   failure.unit,
                   failure.what,
                   is_promised(bus, failure)};
    context.out.limits.push_back(make_limit(
        std::move(name), load, scaled(*allowance, failure.remaining_w / 100, "W"),
        fmt::format("pulse allowance {:.0f} % of {}; duration of the excursion not published",
                    allowance->value, watts_text(failure.remaining_w))));
    context.out.limits.back().limit->boundary = bus.boundary;
  }
}

}  // namespace

void add_cap_remedy(const EvaluationContext& context, Limit& limit,
                    const std::function<double(const RackPower&)>& load,
                    const std::string& condition, int nodes) {
  if (limit.state != LimitState::violated && limit.state != LimitState::near) return;
  const bool violated = limit.state == LimitState::violated;
  const double bound = limit.limit->value * (violated ? 1.0 : 0.95);
  const auto cap = smallest_cap(context, load, bound);
  if (!cap) return;
  const double margin = margin_of(load(context.power.envelope(cap->gpu_w)), limit.limit->value);
  const std::string what =
      nodes > 0
          ? fmt::format("Cap each node at {:.1f} kW", std::floor(cap->rack_ac_w / nodes / 100) / 10)
          : fmt::format("Cap the rack at {:.0f} kW", cap->rack_ac_w / 1e3);
  limit.remedy = fmt::format("{} AC{} (GPU at {:.0f} W): {} margin", what, condition,
                             std::floor(cap->gpu_w), percent_text(margin));
  limit.remedied_margin = margin;
}

void evaluate_power_limits(EvaluationContext& context) {
  if (!context.has_envelope) return;
  for (const BusGroup& group : group_buses(context)) {
    add_bus_limits(context, group);
    add_busbar_limits(context, group.first);
    add_whip_limits(context, group.first);
    add_edpp_limits(context, group.first);
  }
  add_feed_limits(context);
  double rating = 0;
  for (const PowerBus& bus : context.design.buses) rating += bus_rating_w(bus);
  if (rating > 0) {
    context.add("power.psu_rating", "DC rating of all PSUs",
                exact(rating, {"W", Origin::catalogue, "busbar DC"}), "steady", "PSUs x rating");
  }
}

}  // namespace rackwright::topology
