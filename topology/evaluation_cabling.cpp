#include "topology/evaluation_cabling.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "common/input_error.hpp"

namespace rackwright::topology {

namespace {

constexpr const char* kLayout = "middle-of-row";
constexpr double kSquareCentimetres = 1e4, kNanoseconds = 1e9;

/// The compute racks with the most module power and with the most of their opening blocked.
struct FullestRacks {
  const RackCabling* hottest = nullptr;
  const RackCabling* blocked = nullptr;
};

FullestRacks fullest_racks(const UnitCabling& unit) {
  FullestRacks found;
  for (std::size_t i = 0; i < unit.loads.racks.size(); ++i) {
    if (unit.plan.floor.racks[i].network) continue;
    const RackCabling* rack = &unit.loads.racks[i];
    if (!found.hottest || rack->optics_max_w > found.hottest->optics_max_w) found.hottest = rack;
    if (!found.blocked || rack->blocked_known_m2 > found.blocked->blocked_known_m2) {
      found.blocked = rack;
    }
  }
  return found;
}

/// Adds figures under "cabling." with the window that says what was laid.
class Figures {
 public:
  Figures(FigureSet& figures, const UnitCabling& unit)
      : figures_(figures),
        window_(fmt::format("unit of {} nodes, {} compute racks", unit.nodes, unit.compute_racks)) {
  }
  void add(const char* key, const char* label, Estimate estimate, std::string basis) {
    figures_.add(
        {std::string("cabling.") + key, label, std::move(estimate), window_, std::move(basis)});
  }

 private:
  FigureSet& figures_;
  std::string window_;
};

std::string requirement_id(const CableRequirement& blank) {
  std::string id = fmt::format("cabling.{}.{}", blank.part, blank.input);
  std::replace(id.begin(), id.end(), ' ', '_');
  return id;
}

Estimate band(double low, double high, EstimateTag tag) {
  return between(low, high, high, std::move(tag));
}

void add_totals(Figures& figures, const UnitCabling& unit) {
  const CableTotals& t = unit.totals;
  const EstimateTag modelled{"cables", Origin::modelled, "scale-out cabling of the unit"};
  const auto count = [&](Medium m) { return t.media[static_cast<std::size_t>(m)].cables; };
  const std::string laid = fmt::format("every link laid on the layout {}", kLayout);
  figures.add("pulled_cables", "Cables to pull", exact(t.cables, modelled), laid);
  figures.add("copper", "of these copper (DAC, ACC, AEC)",
              exact(count(Medium::passive_copper) + count(Medium::active_copper) +
                        count(Medium::active_electrical),
                    modelled),
              "where copper reaches");
  figures.add("multimode", "of these multimode fibre", exact(count(Medium::multimode), modelled),
              "beyond copper");
  figures.add("single_mode", "of these single-mode fibre",
              exact(count(Medium::single_mode), modelled), "beyond multimode");
  figures.add("modules", "Optical modules",
              exact(t.modules, {"modules", Origin::modelled, modelled.boundary}),
              "one for each fibre cage");
  figures.add("fibres", "Fibres", exact(t.fibres, {"fibres", Origin::modelled, modelled.boundary}),
              "by the lanes of the modules");
  figures.add("ordered_length", "Cable to order",
              exact(t.ordered_m, {"m", Origin::modelled, modelled.boundary}),
              "route, slack and service loops, up to the next length sold");
  figures.add("longest", "Longest cable",
              exact(t.longest_m, {"m", Origin::modelled, modelled.boundary}), laid);
  figures.add(
      "delay", "Cable delay node to node, longest way",
      exact(t.latency.across_max_s() * kNanoseconds, {"ns", Origin::modelled, modelled.boundary}),
      "cables only, no switch or module");
  if (t.cost_usd.known > 0) {
    figures.add(
        "cost", "Cables and modules, list price",
        band(t.cost_usd.low, t.cost_usd.high, {"USD", Origin::catalogue, modelled.boundary}),
        fmt::format("{} priced items; {} without a published price are not in it", t.cost_usd.known,
                    t.cost_usd.blank));
  }
}

void add_fullest_rack(Figures& figures, const UnitCabling& unit) {
  const auto [hottest, blocked] = fullest_racks(unit);
  if (hottest == nullptr) return;
  const std::string boundary = "fullest compute rack";
  figures.add(
      "module_power", "Modules and active plugs in the rack",
      band(hottest->optics_typical_w, hottest->optics_max_w, {"W", Origin::catalogue, boundary}),
      fmt::format("typical to highest; {} plugs without a figure; part of the trays' power "
                  "where the maker counts them",
                  hottest->blank_power_plugs));
  figures.add("rack_cables", "Cables that leave the rack over the tray",
              exact(blocked->cables_out, {"cables", Origin::modelled, boundary}), "routes");
  figures.add(
      "blocked_area", "Opening of the rack behind cable bundles",
      exact(blocked->blocked_known_m2 * kSquareCentimetres, {"cm2", Origin::modelled, boundary}),
      blocked->blocked_blank_run_m > 0
          ? fmt::format("known diameters; {:.1f} m of cable without one come on top",
                        blocked->blocked_blank_run_m)
          : "length across the opening x bundle diameter");
  if (blocked->opening_m2 > 0) {
    figures.add("blocked_share", "Share of the rack's opening behind cable bundles",
                exact(100 * blocked->blocked_known_m2 / blocked->opening_m2,
                      {"%", Origin::modelled, boundary}),
                "narrows the way of the air, see air.flow");
  }
}

/// What hashing costs on the unit's fabric.
void add_load(RackEvaluation& evaluation, const UnitCabling& unit) {
  evaluation.fabric_load = unit.load;
  if (!unit.load) return;
  const auto add = [&](const char* key, const char* label, double share, const char* basis) {
    evaluation.figures.add({key, label,
                            exact(100 * share, {"%", Origin::modelled, "NIC, one direction"}),
                            fmt::format("unit of {} nodes", unit.nodes), basis});
  };
  add("network.permutation.ecmp", "Random permutation with hashed flows, mean of the NIC rate",
      unit.load->ecmp.mean_rate_share, "exact max-min rates, a path a flow");
  add("network.permutation.spray", "Random permutation with sprayed packets, mean of the NIC rate",
      unit.load->spray.mean_rate_share, "exact max-min rates, all shortest paths alike");
}

}  // namespace

std::optional<CablingDemand> UnitCabling::demand() const {
  const auto [hottest, blocked] = fullest_racks(*this);
  if (hottest == nullptr) return std::nullopt;
  return CablingDemand{hottest->optics_typical_w, hottest->optics_max_w, blocked->blocked_known_m2,
                       blocked->opening_m2};
}

std::optional<UnitCabling> lay_unit(const RackDesign& design, const Catalog& catalog,
                                    const DataLocator& data) {
  if (design.fabric.empty()) return std::nullopt;
  UnitCabling unit;
  try {
    const auto fabric = read_fabric_design(data.find(design.fabric, "topology/fabrics"));
    const auto layout = read_row_layout(data.find(kLayout, kLayoutFolder), data);
    unit.nodes = fabric.nodes_per_su;
    const auto plan = plan_fabric(fabric, unit.nodes);
    unit.plan = plan_cabling(fabric, list_links(fabric, plan), layout, design, catalog);
    unit.loads = load_channels(unit.plan, catalog);
    unit.totals = total_cabling(unit.plan, catalog);
    if (plan.leaf_up_ports > 0) unit.load = fabric_load(fabric, unit.nodes);
  } catch (const InputError& error) {
    UnitCabling empty;
    empty.problem = error.what();
    return empty;
  }
  unit.compute_racks =
      static_cast<int>(std::count_if(unit.plan.floor.racks.begin(), unit.plan.floor.racks.end(),
                                     [](const PlacedRack& rack) { return !rack.network; }));
  return unit;
}

void add_cabling_figures(RackEvaluation& evaluation, const UnitCabling& unit) {
  if (!unit.problem.empty()) {
    evaluation.notes.push_back(fmt::format("No cabling figures: {}", unit.problem));
    return;
  }
  Figures figures(evaluation.figures, unit);
  add_totals(figures, unit);
  add_fullest_rack(figures, unit);
  add_load(evaluation, unit);
  for (const CableRequirement& blank : unit.loads.requirements) {
    evaluation.requirements.push_back({requirement_id(blank),
                                       fmt::format("{} of {}", blank.input, blank.part),
                                       blank.solved, "cable maker", blank.effect, false});
  }
  for (const std::string& violation : unit.loads.violations) {
    evaluation.notes.push_back("Cabling: " + violation);
  }
}

}  // namespace rackwright::topology
