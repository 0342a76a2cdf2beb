#include "topology/network/fabric.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "topology/network/fabric_items.hpp"
#include "topology/network/fabric_plan.hpp"

namespace rackwright::topology {

namespace {

/// Switches and cables of all planes.
void take_plan(const FabricDesign& design, const FabricPlan& plan, FabricCounts& counts) {
  counts.scalable_units = plan.scalable_units;
  counts.planes = design.planes;
  counts.leaf = plan.leaf * design.planes;
  counts.spine = plan.spine * design.planes;
  counts.core = plan.core * design.planes;
  counts.spine_ports = plan.spine_ports;
  counts.node_leaf_cables =
      plan.nodes * design.endpoints_per_node * design.planes + design.management_cables;
  counts.leaf_spine_cables = counts.leaf * plan.leaf_up_ports;
  counts.spine_core_cables = counts.spine * plan.spine_up_ports;
  counts.joining_links = plan.joining_links * design.planes;
  counts.joining_cables = ceil_divide(counts.joining_links, design.links_per_joining_cable);
  counts.notes.insert(counts.notes.end(), plan.notes.begin(), plan.notes.end());
}

void count_ports(const FabricDesign& design, FabricCounts& counts) {
  counts.spare_leaf_ports = counts.leaf * design.leaf_ports - counts.node_leaf_cables -
                            counts.leaf_spine_cables - 2 * counts.joining_links;
  counts.spare_spine_ports =
      counts.spine * counts.spine_ports - counts.leaf_spine_cables - counts.spine_core_cables;
  counts.spare_core_ports = counts.core * design.core_ports - counts.spine_core_cables;
  const int node_links = counts.node_leaf_cables - design.management_cables;
  const bool backplane = design.backplane_pairs_per_link > 0;
  const int pulled =
      (backplane ? 0 : node_links) + counts.leaf_spine_cables + counts.spine_core_cables;
  counts.link_cables = ceil_divide(pulled, design.links_per_cable);
  counts.fibres = static_cast<long long>(counts.link_cables) * design.fibres_per_cable;
  counts.backplane_pairs = static_cast<long long>(node_links) * design.backplane_pairs_per_link;
  counts.backplane_cartridges = design.backplane_cartridges_per_unit * counts.scalable_units;
  counts.management_cables = design.management_cable_items;
}

/// Leaves are bought with every used half populated, those of a displaced node too; spines and core
/// with the cages that carry links.
void count_transceivers(const FabricDesign& design, const FabricPlan& plan, FabricCounts& counts) {
  const int per = design.ports_per_switch_transceiver;
  const int populated = design.shape == FabricShape::switch_pair
                            ? ceil_divide(plan.nodes * design.endpoints_per_node, 2)
                            : design.leaf_down_ports + plan.leaf_up_ports;
  if (design.backplane_pairs_per_link > 0) {
    // Node links run in the backplane: optics only where leaves meet spines.
    counts.switch_transceivers = 2 * (ceil_divide(counts.leaf_spine_cables, per) +
                                      ceil_divide(counts.spine_core_cables, per));
    return;
  }
  const int leaf_cages = ceil_divide(populated, per);
  counts.switch_transceivers =
      counts.leaf * leaf_cages +
      ceil_divide(counts.leaf_spine_cables + counts.spine_core_cables, per) +
      ceil_divide(counts.spine_core_cables, per);
  counts.node_transceivers = counts.nodes * ceil_divide(design.endpoints_per_node * design.planes,
                                                        design.ports_per_node_transceiver);
  counts.management_transceivers = design.management_transceivers;
}

/// Halves of the nodes exchange over the uplinks, or over the node links where those are fewer.
void add_bandwidth(const FabricDesign& design, const FabricPlan& plan, FabricCounts& counts) {
  constexpr double kBitsPerByte = 8, kGiga = 1e9;
  double least = static_cast<double>(counts.nodes) * design.endpoints_per_node * design.planes *
                 design.link_gbit_per_s;
  const double up_rate = design.uplink_gbit_per_s;
  // The two switches of a pair exchange over all their joining links; other tiers cross halfway.
  if (counts.joining_links > 0) least = std::min(least, 2 * counts.joining_links * up_rate);
  if (counts.leaf_spine_cables > 0) least = std::min(least, counts.leaf_spine_cables * up_rate);
  if (counts.spine_core_cables > 0) least = std::min(least, counts.spine_core_cables * up_rate);
  counts.bisection_bytes_per_s = least / 2 * kGiga / kBitsPerByte;
  if (plan.leaf_up_ports > 0) {
    const double down = design.leaf_down_ports * design.link_gbit_per_s;
    counts.oversubscription = std::max(1.0, down / (plan.leaf_up_ports * up_rate));
  }
  if (plan.spine_up_ports > 0) {
    // What the leaves send into a spine, not its free ports.
    const double down = static_cast<double>(counts.leaf_spine_cables) / counts.spine;
    counts.core_oversubscription = std::max(1.0, down / plan.spine_up_ports);
  }
}

}  // namespace

FabricCounts count_fabric(const FabricDesign& design, int nodes, const Catalog& catalog) {
  const FabricPlan plan = plan_fabric(design, nodes);
  FabricCounts counts;
  counts.nodes = nodes;
  counts.gpus = nodes * design.gpus_per_node;
  counts.notes = design.notes;
  for (const NodeGeneration& generation : design.generations) {
    counts.notes.push_back(fmt::format(
        "{} older nodes{} have links of {:.0f} Gbit/s on ports of {:.0f}: their rates count in "
        "traffic and collectives, their cables and modules are listed as the design's.",
        generation.nodes, generation.device.empty() ? "" : " (" + generation.device + ")",
        generation.link_gbit_per_s, design.link_gbit_per_s));
  }
  take_plan(design, plan, counts);
  count_ports(design, counts);
  count_transceivers(design, plan, counts);
  add_items(design, catalog, counts);
  add_bandwidth(design, plan, counts);
  return counts;
}

}  // namespace rackwright::topology
