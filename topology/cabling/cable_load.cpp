#include "topology/cabling/cable_load.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <set>
#include <tuple>

#include <fmt/format.h>

#include "topology/cabling/geometry.hpp"

namespace rackwright::topology {

namespace {

constexpr double kNanosecond = 1e-9;
/// Ids of planning figures in the catalogue, for parts that leave theirs blank.
constexpr const char* kCopperAverage = "copper-planning-average";
constexpr const char* kTwinaxLatency = "twinax-latency";

bool is_copper(Medium medium) {
  return medium == Medium::passive_copper || medium == Medium::active_copper ||
         medium == Medium::active_electrical;
}

/// Cables and their area at one cross-section.
struct Section {
  int cables = 0, blank = 0;
  double area_m2 = 0, weight_kg_per_m = 0;
  void add(const CableFacts& facts, int count) {
    cables += count;
    if (facts.diameter_m) {
      area_m2 += count * cable_area_m2(*facts.diameter_m);
    } else {
      blank += count;
    }
    weight_kg_per_m += count * facts.weight_kg_per_m.value_or(0);
  }
  [[nodiscard]] bool fuller_than(const Section& other) const {
    return std::tie(cables, area_m2) > std::tie(other.cables, other.area_m2);
  }
};

class ChannelLoads {
 public:
  ChannelLoads(const CablePlan& plan, const Catalog& catalog, CableLoads& loads)
      : plan_(&plan),
        catalog_(&catalog),
        loads_(&loads),
        trays_(plan.floor, plan.layout.practice),
        managers_(2 * plan.floor.racks.size()) {
    loads_->racks.resize(plan.floor.racks.size());
    for (std::size_t r = 0; r < managers_.size(); ++r) {
      managers_[r].resize(static_cast<std::size_t>(plan.floor.racks[r / 2].units) + 2);
      RackCabling& rack = loads_->racks[r / 2];
      const PlacedRack& placed = plan.floor.racks[r / 2];
      rack.opening_m2 = placed.opening_m * placed.units * placed.unit_m;
    }
  }

  void run() {
    for (const PulledCable& cable : plan_->cables) add_cable(cable);
    for (const PlacedTransceiver& module : plan_->transceivers) add_module(module);
    add_blockage();
    add_trays();
    add_managers();
    add_bundles();
  }
  const std::map<std::string, CableFacts>& facts() const { return facts_; }
  /// Parts that occur in a channel, by its position in `loads.channels`.
  const std::vector<std::set<std::string>>& parts_in_channel() const { return channel_parts_; }

 private:
  const CableFacts& facts_of(const PulledCable& cable) {
    const auto known = facts_.find(cable.part);
    if (known != facts_.end()) return known->second;
    return facts_.emplace(cable.part, cable_facts(*catalog_, cable)).first->second;
  }
  const PlacedDevice& device(int i) const {
    return plan_->floor.devices[static_cast<std::size_t>(i)];
  }
  RackCabling& rack(int i) { return loads_->racks[static_cast<std::size_t>(i)]; }
  std::vector<Section>& manager(int rack, Side side) {
    return managers_[2 * static_cast<std::size_t>(rack) + (side == Side::right ? 1 : 0)];
  }

  void add_cable(const PulledCable& cable) {
    const CableFacts& facts = facts_of(cable);
    for (std::size_t i = 0; i < cable.legs.size(); ++i) {
      const CableLeg& leg = cable.legs[i];
      const CableEnd &from = cable.ends[0], &to = cable.ends[i + 1];
      const PlacedDevice &a = device(from.device), &b = device(to.device);
      add_run(from.device, from.cage, leg.first_side, facts);
      add_run(to.device, to.cage, leg.other_side, facts);
      const int ua = static_cast<int>(a.unit + a.height / 2),
                ub = static_cast<int>(b.unit + b.height / 2);
      if (leg.in_rack) {
        climb(a.rack, leg.first_side, std::min(ua, ub), std::max(ua, ub), cable.part, facts);
        continue;
      }
      climb(a.rack, leg.first_side, ua, units(a.rack), cable.part, facts);
      climb(b.rack, leg.other_side, ub, units(b.rack), cable.part, facts);
      ++rack(a.rack).cables_out;
      ++rack(b.rack).cables_out;
      ++routes_[{trays_.exit_of(a.rack, leg.first_side), trays_.exit_of(b.rack, leg.other_side),
                 cable.part}];
      ++pairs_[{std::min(a.rack, b.rack), std::max(a.rack, b.rack), cable.part}];
    }
    if (!is_fibre(cable.medium) && !cable.part.empty()) {
      for (const CableEnd& end : cable.ends) add_plug(device(end.device).rack, cable.part);
    }
  }
  [[nodiscard]] int units(int rack) const {
    return plan_->floor.racks[static_cast<std::size_t>(rack)].units;
  }

  void climb(int rack_index, Side side, int low, int high, const std::string& part,
             const CableFacts& facts) {
    auto& sections = manager(rack_index, side);
    for (int u = std::max(low, 0); u <= high && u < static_cast<int>(sections.size()); ++u) {
      sections[static_cast<std::size_t>(u)].add(facts, 1);
    }
    manager_parts_[{rack_index, side == Side::right}].insert(part);
    const PlacedRack& placed = plan_->floor.racks[static_cast<std::size_t>(rack_index)];
    const double length = std::max(0, high - low) * placed.unit_m;
    if (facts.weight_kg_per_m) {
      rack(rack_index).weight_kg += *facts.weight_kg_per_m * length;
    } else {
      ++rack(rack_index).blank_weight_cables;
    }
  }

  /// The run from a plug across the opening to its edge stands in the air stream.
  void add_run(int device_index, int cage, Side side, const CableFacts& facts) {
    const PlacedDevice& d = device(device_index);
    const double share = (cage + 0.5) / d.cages();
    const PlacedRack& placed = plan_->floor.racks[static_cast<std::size_t>(d.rack)];
    const double run = (side == Side::left ? share : 1 - share) * placed.opening_m;
    if (facts.diameter_m) {
      runs_[{device_index, side == Side::right}].emplace_back(run, *facts.diameter_m);
    } else {
      rack(d.rack).blocked_blank_run_m += run;
    }
  }

  /// Cables of a device that leave by one side are dressed into one bundle that grows towards the
  /// edge: between two plugs it covers its diameter, at most the height of the device.
  void add_blockage() {
    for (auto& [key, runs] : runs_) {
      const PlacedDevice& d = device(key.first);
      const double height = d.height * plan_->floor.racks[static_cast<std::size_t>(d.rack)].unit_m;
      std::sort(runs.begin(), runs.end(), std::greater<>());
      double squares = 0;
      for (std::size_t i = 0; i < runs.size(); ++i) {
        squares += runs[i].second * runs[i].second;
        const double next = i + 1 < runs.size() ? runs[i + 1].first : 0;
        const double bundle = i == 0 ? runs[i].second : bundle_of_squares_m(squares);
        rack(d.rack).blocked_known_m2 += (runs[i].first - next) * std::min(bundle, height);
      }
    }
  }

  void add_plug(int rack_index, const std::string& part) {
    const PlugPower power = plug_power(*catalog_, part);
    if (!power.typical_w && !power.max_w) {
      ++rack(rack_index).blank_power_plugs;
      return;
    }
    rack(rack_index).optics_typical_w += power.typical_w.value_or(*power.max_w);
    rack(rack_index).optics_max_w += power.max_w.value_or(power.typical_w.value_or(0));
  }
  void add_module(const PlacedTransceiver& module) {
    if (module.part.empty()) {
      ++rack(device(module.device).rack).blank_power_plugs;
    } else {
      add_plug(device(module.device).rack, module.part);
    }
  }

  void add_trays() {
    std::vector<Section> sections(trays_.segments().size());
    std::vector<std::set<std::string>> parts(sections.size());
    for (const auto& [key, count] : routes_) {
      const auto& [from, to, part] = key;
      for (const int id : trays_.path(from, to)) {
        sections[static_cast<std::size_t>(id)].add(facts_.at(part), count);
        parts[static_cast<std::size_t>(id)].insert(part);
      }
    }
    const CablingPractice& practice = plan_->layout.practice;
    for (std::size_t i = 0; i < sections.size(); ++i) {
      if (sections[i].cables == 0) continue;
      const TraySegment& segment = trays_.segments()[i];
      const auto& a = trays_.points()[static_cast<std::size_t>(segment.from)];
      const auto& b = trays_.points()[static_cast<std::size_t>(segment.to)];
      ChannelLoad load = channel(sections[i], practice.tray_width_m * practice.tray_depth_m);
      load.name = segment.cross ? fmt::format("cross tray rows {} and {} at {:.1f} m",
                                              segment.row + 1, segment.row + 2, a.x_m)
                                : fmt::format("tray row {}, {:.2f} to {:.2f} m", segment.row + 1,
                                              a.x_m, b.x_m);
      load.segment = static_cast<int>(i);
      load.cross = segment.cross;
      loads_->channels.push_back(std::move(load));
      channel_parts_.push_back(parts[i]);
    }
  }

  static ChannelLoad channel(const Section& section, double area_m2) {
    ChannelLoad load;
    load.area_m2 = area_m2;
    load.cables = section.cables;
    load.blank_cables = section.blank;
    load.known_area_m2 = section.area_m2;
    load.known_weight_kg_per_m = section.weight_kg_per_m;
    return load;
  }

  /// A manager has the side space of its cabinet, or stands beside it where there is less.
  void add_managers() {
    const CablingPractice& practice = plan_->layout.practice;
    for (std::size_t m = 0; m < managers_.size(); ++m) {
      Section fullest;
      for (const Section& section : managers_[m]) {
        if (section.fuller_than(fullest)) fullest = section;
      }
      if (fullest.cables == 0) continue;
      const int r = static_cast<int>(m / 2);
      const PlacedRack& placed = plan_->floor.racks[m / 2];
      const double width =
          std::max(practice.manager_width_m, (placed.width_m - placed.opening_m) / 2);
      ChannelLoad load = channel(fullest, width * practice.manager_depth_m);
      load.name = fmt::format("{} {} manager", placed.name, m % 2 == 0 ? "left" : "right");
      load.in_rack = true;
      load.rack = r;
      loads_->channels.push_back(std::move(load));
      channel_parts_.push_back(manager_parts_[{r, m % 2 == 1}]);
    }
  }

  void add_bundles() {
    const int most = plan_->layout.practice.bundle_cables;
    for (const auto& [key, count] : pairs_) {
      const auto& [a, b, part] = key;
      CableBundle bundle{a, b, part, count, (count + most - 1) / most, std::nullopt};
      const int full = (count + bundle.bundles - 1) / bundle.bundles;
      if (const auto& d = facts_.at(part).diameter_m)
        bundle.diameter_m = bundle_diameter_m(*d, full);
      loads_->bundles.push_back(std::move(bundle));
    }
  }

  const CablePlan* plan_;
  const Catalog* catalog_;
  CableLoads* loads_;
  TrayGraph trays_;
  std::map<std::string, CableFacts> facts_;
  std::vector<std::vector<Section>> managers_;  ///< by rack and side, then unit
  std::map<std::pair<int, bool>, std::set<std::string>> manager_parts_;
  std::map<std::tuple<int, int, std::string>, int> routes_, pairs_;
  std::vector<std::set<std::string>> channel_parts_;
  /// Run and diameter of the plugs of a device on one side.
  std::map<std::pair<int, bool>, std::vector<std::pair<double, double>>> runs_;
};

/// Fill limits: known figures are judged, a blank diameter is solved for, the same for all blanks.
void judge_fill(const CablePlan& plan, CableLoads& loads,
                const std::vector<std::set<std::string>>& parts_in_channel,
                const std::map<std::string, CableFacts>& facts, const Catalog& catalog) {
  const double limit = plan.layout.practice.fill_limit;
  std::map<std::string, std::pair<double, std::string>> largest;  // by part: diameter, channel
  struct Over {
    int count = 0;
    const ChannelLoad* worst = nullptr;
  };
  std::array<Over, 3> over;  // trays, cross trays, managers
  for (std::size_t i = 0; i < loads.channels.size(); ++i) {
    const ChannelLoad& load = loads.channels[i];
    if (load.known_fill() > limit) {
      const std::size_t kind = load.in_rack ? 2 : load.cross ? 1 : 0;
      ++over[kind].count;
      if (over[kind].worst == nullptr || load.known_fill() > over[kind].worst->known_fill()) {
        over[kind].worst = &load;
      }
    }
    const auto d = largest_diameter_m(load.blank_cables, load.known_area_m2, load.area_m2, limit);
    if (!d) continue;
    for (const std::string& part : parts_in_channel[i]) {
      if (facts.at(part).diameter_m) continue;
      const auto at = largest.find(part);
      if (at == largest.end() || *d < at->second.first) largest[part] = {*d, load.name};
    }
  }
  const CablingPractice& practice = plan.layout.practice;
  for (std::size_t kind = 0; kind < over.size(); ++kind) {
    if (over[kind].worst == nullptr) continue;
    const ChannelLoad& worst = *over[kind].worst;
    const double depth = kind == 2 ? practice.manager_depth_m : practice.tray_depth_m;
    loads.violations.push_back(
        fmt::format("{}: {} cables fill {:.0f} % of {:.0f} cm2, limit {:.0f} %; needs {:.0f} mm of "
                    "width at {:.0f} "
                    "mm depth ({} {} over the limit)",
                    worst.name, worst.cables, 100 * worst.known_fill(), worst.area_m2 * 1e4,
                    100 * limit, worst.known_area_m2 / limit / depth * kMillimetresPerMetre,
                    depth * kMillimetresPerMetre, over[kind].count,
                    kind == 2   ? "managers"
                    : kind == 1 ? "cross trays"
                                : "tray segments"));
  }
  const Part* average = catalog.find(kCopperAverage);
  const double planning_mm = average ? average->number("outer_diameter_mm").value_or(0) : 0;
  for (const auto& [part, solved] : largest) {
    const double mm = solved.first * kMillimetresPerMetre;
    std::string effect = "the fullest channel passes its fill limit";
    if (planning_mm > 0) {
      effect += fmt::format("; the planning average for copper, {:.2f} mm, {}", planning_mm,
                            planning_mm <= mm ? "would fit" : "would not fit");
    }
    loads.requirements.push_back(
        {part.empty() ? "cables without a part" : part, "outer diameter",
         mm > 0 ? fmt::format("<= {:.1f} mm ({})", mm, solved.second)
                : fmt::format("within what known cables leave: nothing ({})", solved.second),
         effect});
  }
}

void judge_bends(const CablePlan& plan, CableLoads& loads,
                 const std::map<std::string, CableFacts>& facts) {
  const CablingPractice& practice = plan.layout.practice;
  const double available = std::min(practice.manager_bend_radius_m, practice.tray_bend_radius_m);
  for (const auto& [part, known] : facts) {
    if (part.empty()) continue;
    if (!known.bend_radius_m) {
      loads.requirements.push_back({part, "smallest bend radius",
                                    fmt::format("<= {:.0f} mm", available * kMillimetresPerMetre),
                                    "the managers and fittings of the practice are too tight"});
    } else if (*known.bend_radius_m > available) {
      loads.violations.push_back(fmt::format(
          "{} bends to {:.0f} mm at least, the plant to {:.0f} mm", part,
          *known.bend_radius_m * kMillimetresPerMetre, available * kMillimetresPerMetre));
    }
  }
}

}  // namespace

CableFacts cable_facts(const Catalog& catalog, const PulledCable& cable) {
  CableFacts facts;
  const Part* part = cable.part.empty() ? nullptr : catalog.find(cable.part);
  if (part == nullptr) return facts;
  const auto scaled = [](std::optional<double> value, double factor) {
    return value ? std::optional(*value * factor) : std::nullopt;
  };
  facts.diameter_m = scaled(part->number("outer_diameter_mm"), 1 / kMillimetresPerMetre);
  facts.bend_radius_m = scaled(part->number("bend_radius_mm"), 1 / kMillimetresPerMetre);
  facts.weight_kg_per_m = part->number("weight_kg_per_m");
  facts.latency_s_per_m = scaled(part->number("latency_ns_per_m"), kNanosecond);
  if (!is_copper(cable.medium)) return facts;
  if (const Part* average = catalog.find(kCopperAverage); average && !facts.weight_kg_per_m) {
    facts.weight_kg_per_m = average->number("weight_kg_per_m");
    facts.weight_is_average = true;
  }
  if (const Part* twinax = catalog.find(kTwinaxLatency); twinax && !facts.latency_s_per_m) {
    facts.latency_s_per_m = scaled(twinax->number("latency_ns_per_m"), kNanosecond);
  }
  return facts;
}

PlugPower plug_power(const Catalog& catalog, const std::string& part) {
  const Part* found = catalog.find(part);
  if (found == nullptr) return {};
  return {found->number("power_typical_w"), found->number("power_max_w")};
}

CableLoads load_channels(const CablePlan& plan, const Catalog& catalog) {
  CableLoads loads;
  ChannelLoads channels(plan, catalog, loads);
  channels.run();
  judge_fill(plan, loads, channels.parts_in_channel(), channels.facts(), catalog);
  judge_bends(plan, loads, channels.facts());
  return loads;
}

}  // namespace rackwright::topology
