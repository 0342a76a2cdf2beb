#include "topology/cabling/switch_placing.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

#include <fmt/format.h>

namespace rackwright::topology {

namespace {

/// What a switch is joined with, one tier below.
struct Serves {
  std::map<int, int> links_by_rack;  ///< compute racks, of a leaf
  std::map<int, int> links_by_row;
  int row = 0;
  int home_rack = 0;  ///< the compute rack with most links, the first of equals
};

int heaviest(const std::map<int, int>& counts) {
  int best = -1, most = 0;
  for (const auto& [key, count] : counts) {
    if (count > most) best = key, most = count;
  }
  return best;
}

class SwitchPlacing {
 public:
  SwitchPlacing(const std::vector<FabricLink>& links, const RowLayout& layout,
                const RackDesign& rack, const Catalog& catalog, FloorPlan& plan)
      : layout_(&layout), rack_(&rack), plan_(&plan), serves_(plan.devices.size()) {
    set_heights(catalog);
    look_at_nodes(links);
    look_at_leaves(links);
    spread_rowless();
  }

  void run() {
    std::vector<int> rest;
    for (int i = 0; i < static_cast<int>(plan_->devices.size()); ++i) {
      const PlacedDevice& device = plan_->devices[static_cast<std::size_t>(i)];
      if (device.tier == FabricTier::node) continue;
      if (device.tier != FabricTier::leaf || layout_->leaf_place != LeafPlace::compute_rack) {
        rest.push_back(i);
      }
    }
    if (layout_->leaf_place == LeafPlace::compute_rack) place_in_compute_racks(rest);
    std::map<int, std::vector<int>> by_row;
    for (const int i : rest) {
      by_row[layout_->position == NetworkRackPosition::own_row ? -1 : serves(i).row].push_back(i);
    }
    for (auto& [row, switches] : by_row) fill_row(row, switches);
    order_racks();
  }

 private:
  PlacedDevice& device(int i) { return plan_->devices[static_cast<std::size_t>(i)]; }
  Serves& serves(int i) { return serves_[static_cast<std::size_t>(i)]; }

  void set_heights(const Catalog& catalog) {
    std::set<std::string> blank;
    for (PlacedDevice& d : plan_->devices) {
      if (d.tier == FabricTier::node) continue;
      const Part* part = d.part.empty() ? nullptr : catalog.find(d.part);
      const auto height = part ? part->number("height_ru") : std::nullopt;
      if (!height && !d.part.empty()) blank.insert(d.part);
      d.height = height.value_or(1);
    }
    for (const std::string& part : blank) {
      plan_->notes.push_back(
          fmt::format("The height of {} is blank: placed as one unit, lengths hold to within its "
                      "true height.",
                      part));
    }
  }

  void look_at_nodes(const std::vector<FabricLink>& links) {
    for (const FabricLink& link : links) {
      if (link.lower.tier != FabricTier::node) continue;
      const PlacedDevice& node = device(plan_->device_of(link.lower));
      Serves& s = serves(plan_->device_of(link.upper));
      ++s.links_by_rack[node.rack];
      ++s.links_by_row[plan_->racks[static_cast<std::size_t>(node.rack)].row];
    }
    for (Serves& s : serves_) {
      s.home_rack = std::max(0, heaviest(s.links_by_rack));
      s.row = heaviest(s.links_by_row);
    }
  }

  /// Spines take the row of their leaves, the manager that of its leaf, core that of its spines.
  void look_at_leaves(const std::vector<FabricLink>& links) {
    for (const FabricTier tier : {FabricTier::leaf, FabricTier::spine}) {
      for (const FabricLink& link : links) {
        if (link.lower.tier != tier && link.lower.tier != FabricTier::manager) continue;
        Serves& lower = serves(plan_->device_of(link.lower));
        Serves& upper = serves(plan_->device_of(link.upper));
        if (lower.row >= 0 && upper.links_by_rack.empty()) ++upper.links_by_row[lower.row];
        if (upper.row >= 0 && lower.links_by_rack.empty()) ++lower.links_by_row[upper.row];
      }
      for (Serves& s : serves_) {
        if (s.row < 0 && s.links_by_row.size() == 1) s.row = s.links_by_row.begin()->first;
      }
    }
  }

  void spread_rowless() {
    std::map<FabricTier, std::vector<int>> rowless;
    for (int i = 0; i < static_cast<int>(plan_->devices.size()); ++i) {
      if (serves(i).row < 0 && device(i).tier != FabricTier::node) {
        rowless[device(i).tier].push_back(i);
      }
    }
    for (const auto& [tier, switches] : rowless) {
      for (std::size_t k = 0; k < switches.size(); ++k) {
        serves(switches[k]).row =
            static_cast<int>(k * static_cast<std::size_t>(plan_->rows) / switches.size());
      }
    }
  }

  /// Each leaf to the rack with most of its links, equal racks in turn; free units from the top.
  void place_in_compute_racks(std::vector<int>& rest) {
    std::vector<int> taken(plan_->racks.size(), 0);
    std::vector<std::vector<bool>> free_units(plan_->racks.size(), free_units_of_rack());
    int left_over = 0;
    for (const int i : plan_->by_tier[static_cast<std::size_t>(FabricTier::leaf)]) {
      if (i < 0) continue;
      int best = -1, most = 0;
      for (const auto& [rack, count] : serves(i).links_by_rack) {
        const auto r = static_cast<std::size_t>(rack);
        const bool better = count > most || (count == most && best >= 0 &&
                                             taken[r] < taken[static_cast<std::size_t>(best)]);
        if (better) best = rack, most = count;
      }
      const auto r = static_cast<std::size_t>(std::max(best, 0));
      const int unit = best < 0 ? 0 : take_units(free_units[r], static_cast<int>(device(i).height));
      if (unit == 0) {
        rest.push_back(i);
        ++left_over;
        continue;
      }
      ++taken[r];
      device(i).rack = best;
      device(i).unit = unit;
    }
    if (left_over > 0) {
      plan_->notes.push_back(fmt::format(
          "{} leaves find no free unit in the compute racks they serve and stand in network racks.",
          left_over));
    }
  }

  [[nodiscard]] std::vector<bool> free_units_of_rack() const {
    std::vector<bool> free(static_cast<std::size_t>(rack_->envelope.height_units) + 1, true);
    free[0] = false;
    for (const Slot& slot : rack_->slots) {
      for (double u = slot.unit; u < slot.unit + slot.height; ++u) {
        const auto i = static_cast<std::size_t>(u);
        if (i < free.size()) free[i] = false;
      }
    }
    return free;
  }

  /// Lowest unit of the highest free run of `height` units, now taken; 0 when there is none.
  static int take_units(std::vector<bool>& free, int height) {
    for (int low = static_cast<int>(free.size()) - height; low >= 1; --low) {
      bool fits = true;
      for (int u = low; u < low + height; ++u) fits = fits && free[static_cast<std::size_t>(u)];
      if (!fits) continue;
      for (int u = low; u < low + height; ++u) free[static_cast<std::size_t>(u)] = false;
      return low;
    }
    return 0;
  }

  using Key = std::tuple<int, int, int, int, int>;
  Key key(int i) {
    const PlacedDevice& d = device(i);
    const int tier = static_cast<int>(d.tier);
    if (layout_->order == NetworkRackOrder::rail) {
      return {d.rail < 0 ? 1 << 20 : d.rail, d.plane, tier, d.index, 0};
    }
    const bool leaf = d.tier == FabricTier::leaf;
    return {tier, leaf ? serves(i).home_rack : 0, d.plane, d.index, 0};
  }

  int new_network_rack(int row) {
    const CablingPractice& practice = layout_->practice;
    PlacedRack rack;
    rack.network = true;
    rack.row = row;
    rack.width_m = practice.network_rack_width_m;
    rack.depth_m = practice.network_rack_depth_m;
    rack.height_m = practice.network_rack_height_m;
    rack.opening_m = practice.network_rack_opening_m;
    rack.unit_m = 0.04445;  // EIA-310
    rack.units = practice.network_rack_units;
    plan_->racks.push_back(rack);
    return static_cast<int>(plan_->racks.size()) - 1;
  }

  /// A run of switches that stays together: a rail, or one switch.
  struct Batch {
    std::vector<int> switches;
    int units = 0;
  };

  std::vector<Batch> batches(const std::vector<int>& switches) {
    std::vector<Batch> result;
    int rail = -2;
    const int usable = layout_->practice.network_rack_usable_units;
    for (const int i : switches) {
      const int height = static_cast<int>(device(i).height);
      const bool together = layout_->order == NetworkRackOrder::rail && device(i).rail == rail &&
                            rail >= 0 && result.back().units + height <= usable;
      if (!together) result.emplace_back();
      rail = device(i).rail;
      result.back().switches.push_back(i);
      result.back().units += height;
    }
    return result;
  }

  void fill_row(int row, std::vector<int>& switches) {
    std::sort(switches.begin(), switches.end(), [this](int a, int b) { return key(a) < key(b); });
    if (layout_->position == NetworkRackPosition::spread) {
      fill_spread(row, switches);
      return;
    }
    int total = 0;
    for (const int i : switches) total += static_cast<int>(device(i).height);
    const int usable = layout_->practice.network_rack_usable_units;
    const int racks = (total + usable - 1) / usable;
    const int target = (total + racks - 1) / racks;  // evenly, so that no rack is left nearly empty
    int rack = -1, used = 0;
    for (const Batch& batch : batches(switches)) {
      if (rack < 0 || used + batch.units > usable || used >= target) {
        rack = new_network_rack(row);
        used = 0;
      }
      for (const int i : batch.switches) used += put(i, rack, used);
    }
  }

  int put(int i, int rack, int used) {
    const int height = static_cast<int>(device(i).height);
    device(i).rack = rack;
    device(i).unit = layout_->practice.network_rack_usable_units - used - height + 1;
    return height;
  }

  /// Two racks at least, each with the leaves of its share of the compute racks; spines evenly.
  void fill_spread(int row, const std::vector<int>& switches) {
    int total = 0;
    for (const int i : switches) total += static_cast<int>(device(i).height);
    const int usable = layout_->practice.network_rack_usable_units;
    const int racks = std::max(2, (total + usable - 1) / usable);
    std::vector<int> ids, used(static_cast<std::size_t>(racks), 0);
    for (int k = 0; k < racks; ++k) ids.push_back(new_network_rack(row));
    const int first = row * layout_->compute_racks_per_row;
    const int last = std::min(first + layout_->compute_racks_per_row, compute_racks());
    int spine = 0;
    for (const int i : switches) {
      const int in_row = serves(i).home_rack - first;
      int k = device(i).tier == FabricTier::leaf ? in_row * racks / std::max(1, last - first)
                                                 : spine++ % racks;
      k = std::clamp(k, 0, racks - 1);
      for (int tries = 0; tries < racks; ++tries, k = (k + 1) % racks) {
        if (used[static_cast<std::size_t>(k)] + device(i).height <= usable) break;
      }
      const auto u = static_cast<std::size_t>(k);
      used[u] += put(i, ids[u], used[u]);
    }
  }

  [[nodiscard]] int compute_racks() const {
    int count = 0;
    for (const PlacedRack& rack : plan_->racks) count += rack.network ? 0 : 1;
    return count;
  }

  /// Rank of a rack within its row: compute racks at whole numbers, network racks between them.
  [[nodiscard]] std::vector<double> ranks() const {
    std::map<int, int> compute, network;
    for (const PlacedRack& rack : plan_->racks) ++(rack.network ? network : compute)[rack.row];
    std::map<int, int> seen_compute, seen_network;
    std::vector<double> rank;
    for (const PlacedRack& rack : plan_->racks) {
      if (!rack.network) {
        rank.push_back(seen_compute[rack.row]++);
        continue;
      }
      const int k = seen_network[rack.row]++;
      const int c = compute[rack.row], n = network[rack.row];
      double at = c;  // row end and rows of their own
      if (layout_->position == NetworkRackPosition::row_middle) at = (c + 1) / 2 - 0.5;
      if (layout_->position == NetworkRackPosition::spread) {
        at = static_cast<double>((2 * k + 1) * c / (2 * n)) - 0.5;
      }
      rank.push_back(at + 1e-3 * k);
    }
    return rank;
  }

  /// The network row stands between the halves of the compute rows.
  void insert_network_row() {
    if (layout_->position != NetworkRackPosition::own_row) return;
    const int at = (plan_->rows + 1) / 2;
    for (PlacedRack& rack : plan_->racks) {
      if (rack.row < 0) {
        rack.row = at;
      } else if (rack.row >= at) {
        ++rack.row;
      }
    }
    ++plan_->rows;
  }

  void order_racks() {
    insert_network_row();
    const std::vector<double> rank = ranks();
    std::vector<int> order(plan_->racks.size());
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = static_cast<int>(i);
    std::stable_sort(order.begin(), order.end(), [&](int a, int b) {
      const auto i = static_cast<std::size_t>(a), j = static_cast<std::size_t>(b);
      return std::tie(plan_->racks[i].row, rank[i]) < std::tie(plan_->racks[j].row, rank[j]);
    });
    std::vector<PlacedRack> racks;
    std::vector<int> place(order.size());
    int network = 0;
    for (const int i : order) {
      place[static_cast<std::size_t>(i)] = static_cast<int>(racks.size());
      racks.push_back(plan_->racks[static_cast<std::size_t>(i)]);
      if (racks.back().network) racks.back().name = fmt::format("N{:02d}", ++network);
    }
    plan_->racks = std::move(racks);
    for (PlacedDevice& d : plan_->devices) d.rack = place[static_cast<std::size_t>(d.rack)];
  }

  const RowLayout* layout_;
  const RackDesign* rack_;
  FloorPlan* plan_;
  std::vector<Serves> serves_;
};

}  // namespace

void place_switches(const std::vector<FabricLink>& links, const RowLayout& layout,
                    const RackDesign& rack, const Catalog& catalog, FloorPlan& plan) {
  SwitchPlacing(links, layout, rack, catalog, plan).run();
}

}  // namespace rackwright::topology
