#include "topology/cabling/cable_plan.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>

#include <fmt/format.h>

#include "topology/cabling/geometry.hpp"

namespace rackwright::topology {

namespace {

constexpr double kRateTolerance = 1e-6;

bool same_rate(double a, double b) {
  return std::abs(a - b) <= kRateTolerance * std::max(a, b);
}
/// A blank lane rate is no reason to refuse.
bool lanes_agree(double a, double b) {
  return a <= 0 || b <= 0 || same_rate(a, b);
}

/// A cage that carries links.
struct UsedCage {
  int device = 0, cage = 0;
  std::vector<int> links;
};

class CablePlanner {
 public:
  CablePlanner(CablePlan& plan, const Catalog& catalog)
      : plan_(&plan),
        catalog_(&catalog),
        media_(read_cable_media(catalog)),
        trays_(plan.floor, plan.layout.practice) {
    set_cage_types();
    collect_cages();
  }

  void run() {
    done_.assign(plan_->links.size(), false);
    plan_->cables.reserve(plan_->links.size());
    lay_twin_copper();
    lay_breakouts();
    lay_fibre();
    sort_by_first_link();
  }

 private:
  const PlacedDevice& device(int i) const {
    return plan_->floor.devices[static_cast<std::size_t>(i)];
  }
  const CageType& cage_type(const UsedCage& cage) const {
    return plan_->cages[static_cast<std::size_t>(cage.device)];
  }

  /// Rate of the links of a device: the fastest it has, as cages are built for it.
  void set_cage_types() {
    plan_->cages.resize(plan_->floor.devices.size());
    lanes_.assign(plan_->floor.devices.size(), 0);
    std::vector<double> rate(plan_->floor.devices.size(), 0);
    for (const FabricLink& link : plan_->links) {
      for (const FabricLinkEnd* end : {&link.lower, &link.upper}) {
        double& r = rate[static_cast<std::size_t>(plan_->floor.device_of(*end))];
        r = std::max(r, link.gbit_per_s);
      }
    }
    for (std::size_t i = 0; i < rate.size(); ++i) {
      const PlacedDevice& d = plan_->floor.devices[i];
      CageType& type = plan_->cages[i];
      type.links = d.ports_per_cage;
      type.gbit_per_s = rate[i] * d.ports_per_cage;
      const Part* part = d.part.empty() ? nullptr : catalog_->find(d.part);
      if (part == nullptr) continue;
      const bool node = d.tier == FabricTier::node;
      type.form = cage_form(part->fact(node ? "nic_cage" : "cages").text);
      const bool liquid = part->fact("cooling").text.find("liquid") != std::string::npos;
      type.flat_top = type.form == "OSFP" && (node || liquid);
      lanes_[i] = part->number("lane_rate_gbit_per_s").value_or(0);
    }
  }

  void collect_cages() {
    std::vector<int> first(plan_->floor.devices.size() + 1, 0);  // place of a device's cage 0
    for (std::size_t i = 0; i + 1 < first.size(); ++i) {
      first[i + 1] = first[i] + plan_->floor.devices[i].cages();
    }
    std::vector<int> index(static_cast<std::size_t>(first.back()), -1);
    cage_of_.resize(2 * plan_->links.size());
    for (std::size_t k = 0; k < plan_->links.size(); ++k) {
      const FabricLink& link = plan_->links[k];
      for (int side = 0; side < 2; ++side) {
        const FabricLinkEnd& end = side == 0 ? link.lower : link.upper;
        const int d = plan_->floor.device_of(end);
        const int number = end.port / device(d).ports_per_cage;
        int& at = index[static_cast<std::size_t>(first[static_cast<std::size_t>(d)] + number)];
        if (at < 0) {
          at = static_cast<int>(cages_.size());
          cages_.push_back({d, number, {}});
        }
        cages_[static_cast<std::size_t>(at)].links.push_back(static_cast<int>(k));
        cage_of_[2 * k + static_cast<std::size_t>(side)] = at;
      }
    }
  }

  /// In the order of the links; cables of one link stay in theirs.
  void sort_by_first_link() {
    std::vector<std::pair<int, int>> order;
    order.reserve(plan_->cables.size());
    for (const PulledCable& cable : plan_->cables) {
      order.emplace_back(cable.links.front(), static_cast<int>(order.size()));
    }
    std::sort(order.begin(), order.end());
    std::vector<PulledCable> sorted;
    sorted.reserve(order.size());
    for (const auto& [link, at] : order) {
      sorted.push_back(std::move(plan_->cables[static_cast<std::size_t>(at)]));
    }
    plan_->cables = std::move(sorted);
  }
  int lower_cage(int link) const { return cage_of_[2 * static_cast<std::size_t>(link)]; }
  int upper_cage(int link) const { return cage_of_[2 * static_cast<std::size_t>(link) + 1]; }
  int other_cage(int link, int cage) const {
    return lower_cage(link) == cage ? upper_cage(link) : lower_cage(link);
  }
  UsedCage& cage(int i) { return cages_[static_cast<std::size_t>(i)]; }

  /// Lane rate of a link: that of its switch; the upper end knows, or the lower.
  double lane_rate(int link) const {
    const FabricLink& l = plan_->links[static_cast<std::size_t>(link)];
    const double upper = lanes_[static_cast<std::size_t>(plan_->floor.device_of(l.upper))];
    return upper > 0 ? upper : lanes_[static_cast<std::size_t>(plan_->floor.device_of(l.lower))];
  }

  CableEnd end_at(int cage_index, const std::vector<int>& links) {
    const UsedCage& c = cage(cage_index);
    CableEnd end{c.device, c.cage, {}};
    for (const int k : links) {
      const FabricLink& link = plan_->links[static_cast<std::size_t>(k)];
      end.ports.push_back(lower_cage(k) == cage_index ? link.lower.port : link.upper.port);
    }
    return end;
  }

  PulledCable routed(std::vector<int> links, std::vector<CableEnd> ends) {
    PulledCable cable;
    cable.links = std::move(links);
    cable.ends = std::move(ends);
    for (std::size_t i = 1; i < cable.ends.size(); ++i) {
      cable.legs.push_back(route_leg(plan_->floor, trays_, cable.ends[0], cable.ends[i]));
      cable.routed_m = std::max(cable.routed_m, cable.legs.back().length_m);
    }
    cable.needed_m = needed_length_m(cable.routed_m, plan_->layout.practice);
    return cable;
  }

  /// The first cable of the catalogue that joins the cages over that length; false when none does.
  bool choose_cable(PulledCable& cable, int arity, bool flat_top) {
    const CageType& first = plan_->cages[static_cast<std::size_t>(cable.ends[0].device)];
    const CageType& other = plan_->cages[static_cast<std::size_t>(cable.ends[1].device)];
    for (const CableOption& option : media_.cables) {
      const bool joins =
          option.arity == arity && same_rate(option.gbit_per_s, first.gbit_per_s) &&
          lanes_agree(option.lane_gbit_per_s, lane_rate(cable.links[0])) &&
          ((option.first_form == first.form && option.other_form == other.form) ||
           (arity == 1 && option.first_form == other.form && option.other_form == first.form));
      if (!joins) continue;
      const double reach = flat_top ? option.flat_top_reach_m : option.reach_m;
      const auto sku = next_length_m(option.lengths_m, cable.needed_m);
      const double ordered = sku.value_or(cable.needed_m);
      if (ordered > reach || (!sku && !option.lengths_m.empty())) continue;
      cable.part = option.part;
      cable.medium = option.medium;
      cable.sku_m = sku;
      cable.reach_m = reach;
      if (!sku) cable.problem = "lengths on offer are not published";
      return true;
    }
    return false;
  }

  /// Two cages whose links all join each other and fill both.
  void lay_twin_copper() {
    for (int c = 0; c < static_cast<int>(cages_.size()); ++c) {
      const std::vector<int> links = cage(c).links;
      if (static_cast<int>(links.size()) != cage_type(cage(c)).links || done(links[0])) continue;
      if (upper_cage(links[0]) == c) continue;  // each pair once, from its lower cage
      const int other = other_cage(links[0], c);
      const bool together =
          cage(other).links.size() == links.size() &&
          std::all_of(links.begin(), links.end(), [&](int k) { return other_cage(k, c) == other; });
      if (!together) continue;
      PulledCable cable = routed(links, {end_at(c, links), end_at(other, links)});
      const bool flat = cage_type(cage(c)).flat_top || cage_type(cage(other)).flat_top;
      if (choose_cable(cable, 1, flat)) keep(std::move(cable));
    }
  }

  /// A cage of two links to two cages of one link each.
  void lay_breakouts() {
    for (int c = 0; c < static_cast<int>(cages_.size()); ++c) {
      const std::vector<int> links = cage(c).links;
      if (links.size() != 2 || cage_type(cage(c)).links != 2 || done(links[0])) continue;
      const int a = other_cage(links[0], c), b = other_cage(links[1], c);
      if (a == b || cage_type(cage(a)).links != 1 || cage_type(cage(b)).links != 1) continue;
      PulledCable cable =
          routed(links, {end_at(c, links), end_at(a, {links[0]}), end_at(b, {links[1]})});
      const bool flat = cage_type(cage(a)).flat_top || cage_type(cage(b)).flat_top;
      if (choose_cable(cable, 2, flat)) keep(std::move(cable));
    }
  }

  bool done(int link) const { return done_[static_cast<std::size_t>(link)]; }
  void keep(PulledCable cable) {
    for (const int k : cable.links) done_[static_cast<std::size_t>(k)] = true;
    plan_->cables.push_back(std::move(cable));
  }

  int root(int c) {
    while (group_[static_cast<std::size_t>(c)] != c) {
      auto& up = group_[static_cast<std::size_t>(c)];
      up = group_[static_cast<std::size_t>(up)];
      c = up;
    }
    return c;
  }

  void lay_fibre() {
    group_.resize(cages_.size());
    std::iota(group_.begin(), group_.end(), 0);
    for (int k = 0; k < static_cast<int>(plan_->links.size()); ++k) {
      if (!done(k)) group_[static_cast<std::size_t>(root(lower_cage(k)))] = root(upper_cage(k));
    }
    std::vector<std::vector<int>> links_of(cages_.size());  // of the group of each root
    for (int k = 0; k < static_cast<int>(plan_->links.size()); ++k) {
      if (!done(k)) links_of[static_cast<std::size_t>(root(lower_cage(k)))].push_back(k);
    }
    std::vector<PulledCable> cables;
    for (const std::vector<int>& group : links_of) {
      cables.clear();
      for (const int k : group) {
        cables.push_back(routed({k}, {end_at(lower_cage(k), {k}), end_at(upper_cage(k), {k})}));
      }
      if (!cables.empty()) lay_group(cables);
    }
  }

  /// The module of a cage; "" with `fits_any` where the form of the cage is blank.
  struct Choice {
    std::string part;
    std::string connector;
    bool found = false;
  };
  Choice choose_module(int c, Medium medium, double longest, double lanes,
                       const std::string& connector) {
    const CageType& type = cage_type(cage(c));
    if (type.form.empty() || type.form == "CPO") return {"", connector, true};
    for (const TransceiverOption& option : media_.transceivers) {
      if (option.medium == medium && fits(option, type) && option.reach_m >= longest &&
          option.connector == connector && lanes_agree(option.lane_gbit_per_s, lanes)) {
        return {option.part, connector, true};
      }
    }
    return {};
  }

  bool try_fibre(std::vector<PulledCable>& cables, const FibreOption& fibre) {
    double longest = 0;
    for (const PulledCable& cable : cables) {
      const auto sku = next_length_m(fibre.lengths_m, cable.needed_m);
      if (!sku && !fibre.lengths_m.empty()) return false;
      longest = std::max(longest, sku.value_or(cable.needed_m));
    }
    if (longest > fibre.reach_m) return false;
    std::map<int, Choice> modules;
    for (const PulledCable& cable : cables) {
      const int k = cable.links[0];
      for (const int c : {lower_cage(k), upper_cage(k)}) {
        const Choice choice =
            choose_module(c, fibre.medium, longest, lane_rate(k), fibre.connector);
        if (!choice.found) return false;
        modules[c] = choice;
      }
    }
    for (const auto& [c, choice] : modules) {
      const CageType& type = cage_type(cage(c));
      if (type.form == "CPO") continue;
      plan_->transceivers.push_back(
          {cage(c).device, cage(c).cage, choice.part, fibre.medium, type.flat_top});
    }
    for (PulledCable& cable : cables) finish_cord(cable, fibre);
    return true;
  }

  void finish_cord(PulledCable& cable, const FibreOption& fibre) {
    cable.part = fibre.part;
    cable.medium = fibre.medium;
    cable.sku_m = next_length_m(fibre.lengths_m, cable.needed_m);
    cable.reach_m =
        fibre.lengths_m.empty() ? fibre.reach_m : std::min(fibre.reach_m, fibre.lengths_m.back());
    if (!cable.sku_m) cable.problem = "lengths on offer are not published";
    if (fibre.attenuation_db_per_km && fibre.connector_loss_db) {
      cable.loss_db = channel_loss_db(cable.length_m(), *fibre.attenuation_db_per_km, 2,
                                      *fibre.connector_loss_db);
    }
    cable.loss_budget_db = fibre.budget_db;
    cable.polarity = fibre.polarity;
    const int k = cable.links[0];
    const double lanes = lane_rate(k);
    const double rate = plan_->links[static_cast<std::size_t>(k)].gbit_per_s;
    const int cords =
        lanes > 0 ? std::max(1, static_cast<int>(std::ceil(rate / lanes / kLanesPerCord - 1e-9)))
                  : 1;
    for (int cord = 0; cord < cords; ++cord) {
      cable.cord = cord;
      plan_->cables.push_back(cable);
    }
  }

  /// An active optical cable between two single-link cages, where one reaches all of the group.
  bool try_active_optical(std::vector<PulledCable>& cables) {
    for (PulledCable& cable : cables) {
      if (cage_type(cage(lower_cage(cable.links[0]))).links != 1 ||
          cage_type(cage(upper_cage(cable.links[0]))).links != 1 ||
          !choose_cable(cable, 1, false)) {
        return false;
      }
    }
    for (PulledCable& cable : cables) plan_->cables.push_back(std::move(cable));
    return true;
  }

  void lay_group(std::vector<PulledCable>& cables) {
    for (const FibreOption& fibre : media_.fibres) {
      if (try_fibre(cables, fibre)) return;
    }
    if (try_active_optical(cables)) return;
    for (PulledCable& cable : cables) {
      cable.medium = Medium::unknown;
      cable.part.clear();
      cable.sku_m.reset();
      cable.reach_m = 0;
      cable.problem = "nothing in the catalogue joins these cages over this length";
      plan_->cables.push_back(std::move(cable));
    }
  }

  CablePlan* plan_;
  const Catalog* catalog_;
  CableMedia media_;
  TrayGraph trays_;
  std::vector<double> lanes_;  ///< Gbit/s of a lane, of each device; 0 where blank
  std::vector<UsedCage> cages_;
  std::vector<int> cage_of_;  ///< of the lower and upper end of each link
  std::vector<bool> done_;
  std::vector<int> group_;
};

void note_blank_cages(CablePlan& plan) {
  std::set<std::string> parts;
  for (std::size_t i = 0; i < plan.cages.size(); ++i) {
    if (plan.cages[i].form.empty()) {
      const PlacedDevice& device = plan.floor.devices[i];
      parts.insert(device.part.empty() ? device.name : device.part);
    }
  }
  for (const std::string& part : parts) {
    plan.notes.push_back(
        fmt::format("The cages of {} are blank: its modules are counted, not named.", part));
  }
}

}  // namespace

CablePlan plan_cabling(const FabricDesign& design, std::vector<FabricLink> links,
                       const RowLayout& layout, const RackDesign& rack, const Catalog& catalog) {
  CablePlan plan;
  plan.layout = layout;
  plan.backplane.cartridges_per_rack = rack.backplane_cartridges;
  plan.backplane.pairs_per_rack = rack.backplane_pairs;
  if (design.backplane_pairs_per_link > 0) {
    const auto first = std::remove_if(links.begin(), links.end(), [](const FabricLink& link) {
      return link.lower.tier == FabricTier::node;
    });
    plan.notes.push_back(fmt::format(
        "{} links of nodes run in factory cartridges: fitted with the rack, not pulled.",
        links.end() - first));
    links.erase(first, links.end());
  }
  plan.links = std::move(links);
  plan.floor = place_on_floor(design, plan.links, layout, rack, catalog);
  CablePlanner(plan, catalog).run();
  plan.notes.insert(plan.notes.end(), plan.floor.notes.begin(), plan.floor.notes.end());
  note_blank_cages(plan);
  for (const PlacedRack& placed : plan.floor.racks) plan.backplane.racks += placed.network ? 0 : 1;
  return plan;
}

}  // namespace rackwright::topology
