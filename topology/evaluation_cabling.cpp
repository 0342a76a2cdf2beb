#include "topology/evaluation_cabling.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "common/input_error.hpp"
#include "topology/cabling/cable_load.hpp"
#include "topology/cabling/cable_totals.hpp"

namespace rackwright::topology {

namespace {

constexpr const char* kLayout = "middle-of-row";
constexpr double kSquareCentimetres = 1e4, kNanoseconds = 1e9;

struct UnitCabling {
  CablePlan plan;
  CableLoads loads;
  CableTotals totals;
  int nodes = 0, compute_racks = 0;
};

UnitCabling lay_unit(const RackDesign& design, const Catalog& catalog, const DataLocator& data) {
  const auto fabric = read_fabric_design(data.find(design.fabric, "topology/fabrics"));
  const auto layout = read_row_layout(data.find(kLayout, kLayoutFolder), data);
  UnitCabling unit;
  unit.nodes = fabric.nodes_per_su;
  const auto plan = plan_fabric(fabric, unit.nodes);
  unit.plan = plan_cabling(fabric, list_links(fabric, plan), layout, design, catalog);
  unit.loads = load_channels(unit.plan, catalog);
  unit.totals = total_cabling(unit.plan, catalog);
  unit.compute_racks =
      static_cast<int>(std::count_if(unit.plan.floor.racks.begin(), unit.plan.floor.racks.end(),
                                     [](const PlacedRack& rack) { return !rack.network; }));
  return unit;
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
  const RackCabling* hottest = nullptr;
  const RackCabling* blocked = nullptr;
  for (std::size_t i = 0; i < unit.loads.racks.size(); ++i) {
    if (unit.plan.floor.racks[i].network) continue;
    const RackCabling& rack = unit.loads.racks[i];
    if (hottest == nullptr || rack.optics_max_w > hottest->optics_max_w) hottest = &rack;
    if (blocked == nullptr || rack.blocked_known_m2 > blocked->blocked_known_m2) blocked = &rack;
  }
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
                "for the impedance of the air path");
  }
}

}  // namespace

void add_cabling_figures(RackEvaluation& evaluation, const RackDesign& design,
                         const Catalog& catalog, const DataLocator& data) {
  if (design.fabric.empty()) return;
  try {
    const UnitCabling unit = lay_unit(design, catalog, data);
    Figures figures(evaluation.figures, unit);
    add_totals(figures, unit);
    add_fullest_rack(figures, unit);
    for (const CableRequirement& blank : unit.loads.requirements) {
      evaluation.requirements.push_back({requirement_id(blank),
                                         fmt::format("{} of {}", blank.input, blank.part),
                                         blank.solved, "cable maker", blank.effect, false});
    }
    for (const std::string& violation : unit.loads.violations) {
      evaluation.notes.push_back("Cabling: " + violation);
    }
  } catch (const InputError& error) {
    evaluation.notes.push_back(fmt::format("No cabling figures: {}", error.what()));
  }
}

}  // namespace rackwright::topology
