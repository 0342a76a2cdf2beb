#include "topology/network/fabric_plan.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "common/input_error.hpp"

namespace rackwright::topology {

namespace {

constexpr int kMostNodes = 100000;  // far above any built fabric; keeps products inside int

[[noreturn]] void refuse(const FabricDesign& design, std::string expected, int nodes) {
  throw InputError(
      InputProblem{design.file, 0, "nodes", std::move(expected), std::to_string(nodes)});
}

/// Smallest divisor of `number` that is at least `least`; nothing when there is none.
std::optional<int> smallest_divisor(int number, int least) {
  for (int d = std::max(least, 1); d <= number; ++d) {
    if (number % d == 0) return d;
  }
  return std::nullopt;
}

void plan_leaves(const FabricDesign& design, FabricPlan& plan) {
  // A displaced node still has its ports: the unit is built for it.
  const int places = plan.nodes + (design.management_displaces_node ? 1 : 0);
  plan.scalable_units = ceil_divide(places, design.nodes_per_su);
  const bool by_rail = design.attachment == Attachment::rail;
  const int groups = by_rail ? design.endpoints_per_node : 1;
  for (int unit = 0; unit < plan.scalable_units; ++unit) {
    const int first = unit * design.nodes_per_su;
    const int built = std::min(places - first, design.nodes_per_su);
    const int nodes = std::min(plan.nodes - first, design.nodes_per_su);
    const int links = by_rail ? built : built * design.endpoints_per_node;
    const int needed = ceil_divide(links, design.leaf_down_ports);
    const int leaves = std::max(needed, design.leaves_per_unit.value_or(0));
    for (int group = 0; group < groups; ++group) {
      plan.leaf_groups.push_back({unit, by_rail ? group : -1, first, nodes, plan.leaf, leaves});
      plan.leaf += leaves;
    }
  }
  plan.leaf_up_ports =
      plan.leaf > 1 && plan.leaf != design.leaves_per_unit ? design.leaf_up_ports : 0;
  if (plan.leaf_up_ports == 0 && plan.scalable_units > 1) {
    refuse(design,
           fmt::format("at most {}: the switches have no ports to join units", design.nodes_per_su),
           plan.nodes);
  }
  if (design.management_displaces_node) {
    plan.notes.push_back(
        fmt::format("The fabric manager takes the ports of one node of the last scalable unit: {} "
                    "nodes where {} would fit, {} links to the manager counted with the node "
                    "links.",
                    plan.nodes, plan.nodes + 1, design.management_cables));
  }
  if (const int rest = places % design.nodes_per_su; rest != 0 && plan.scalable_units > 1) {
    plan.notes.push_back(
        fmt::format("The last scalable unit holds {} of {} nodes; its {} keep a "
                    "leaf each.",
                    rest, design.nodes_per_su, by_rail ? "rails" : "racks"));
  }
}

/// One pod of all leaves, by the divisor rule, of the smallest spine that carries it.
bool plan_two_tiers(const FabricDesign& design, FabricPlan& plan) {
  for (const int ports : design.spine_port_options) {
    const int uplinks = plan.leaf * plan.leaf_up_ports;
    const int needed = ceil_divide(uplinks, ports);
    if (design.uneven_uplinks && needed <= plan.leaf_up_ports) {
      plan.spine = needed;
      plan.spine_ports = ports;
      plan.pods.push_back({-1, -1, 0, plan.leaf, 0, needed, 0});
      return true;
    }
    const auto spines = smallest_divisor(plan.leaf_up_ports, needed);
    if (!spines) continue;
    plan.spine = *spines;
    plan.spine_ports = ports;
    plan.pods.push_back({-1, -1, 0, plan.leaf, 0, *spines, plan.leaf_up_ports / *spines});
    if (*spines > needed) {
      plan.notes.push_back(fmt::format(
          "{} spines carry the {} uplinks, but a leaf's {} uplinks do not spread evenly over {}: "
          "{} is the next divisor of {}, and {} ports of each spine stay free.",
          needed, uplinks, plan.leaf_up_ports, needed, *spines, plan.leaf_up_ports,
          ports - uplinks / *spines));
    }
    return true;
  }
  return false;
}

void add_pod(const FabricDesign& design, FabricPlan& plan, FabricPod pod, int spine_down) {
  const int needed = ceil_divide(pod.leaves * plan.leaf_up_ports, spine_down);
  const auto spines = design.spines_per_rail_per_su ? design.spines_per_rail_per_su
                                                    : smallest_divisor(plan.leaf_up_ports, needed);
  if (!spines || *spines < needed || plan.leaf_up_ports % *spines != 0) {
    refuse(design,
           fmt::format("fewer: {} leaves need {} spines of {} ports down, which {} uplinks of a "
                       "leaf do not reach evenly",
                       pod.leaves, needed, spine_down, plan.leaf_up_ports),
           plan.nodes);
  }
  pod.first_spine = plan.spine;
  pod.spines = *spines;
  pod.links_per_pair = plan.leaf_up_ports / *spines;
  plan.spine += *spines;
  plan.pods.push_back(pod);
}

/// A pod for each rail of each unit, where the design prints how many spines those have.
void plan_printed_pods(const FabricDesign& design, FabricPlan& plan) {
  plan.spine_ports = design.spine_ports;
  plan.spine_up_ports = plan.scalable_units > 1 ? design.spine_up_ports.value_or(0) : 0;
  for (const LeafGroup& group : plan.leaf_groups) {
    add_pod(design, plan, {group.unit, group.rail, group.first_leaf, group.leaves, 0, 0, 0},
            plan.spine_ports - plan.spine_up_ports);
  }
}

/// Pods of the size that is printed, or of as many leaves as a spine has ports down.
void plan_pods(const FabricDesign& design, FabricPlan& plan) {
  plan.spine_ports = design.spine_port_options.back();
  plan.spine_up_ports = design.spine_up_ports.value_or(plan.spine_ports / 2);
  const int spine_down = plan.spine_ports - plan.spine_up_ports;
  if (!design.nodes_per_pod) {
    for (int leaf = 0; leaf < plan.leaf; leaf += spine_down) {
      add_pod(design, plan, {-1, -1, leaf, std::min(spine_down, plan.leaf - leaf), 0, 0, 0},
              spine_down);
    }
    return;
  }
  const int units_per_pod = std::max(1, *design.nodes_per_pod / design.nodes_per_su);
  FabricPod pod;
  for (const LeafGroup& group : plan.leaf_groups) {
    if (pod.leaves > 0 && group.unit % units_per_pod == 0 && group.rail <= 0) {
      add_pod(design, plan, pod, spine_down);
      pod = {-1, -1, group.first_leaf, 0, 0, 0, 0};
    }
    pod.leaves += group.leaves;
  }
  add_pod(design, plan, pod, spine_down);
}

/// Spine j of every pod meets core group j.
void plan_core(const FabricDesign& design, FabricPlan& plan) {
  if (plan.pods.size() < 2 || plan.spine_up_ports == 0) {
    plan.spine_up_ports = 0;
    return;
  }
  int most_spines = 0;
  for (const FabricPod& pod : plan.pods) most_spines = std::max(most_spines, pod.spines);
  int least = 0;
  for (int j = 0; j < most_spines; ++j) {
    int pods = 0;
    for (const FabricPod& pod : plan.pods) pods += pod.spines > j ? 1 : 0;
    const int links = pods * plan.spine_up_ports;
    const auto cores = smallest_divisor(plan.spine_up_ports, ceil_divide(links, design.core_ports));
    if (!cores) {
      const auto per_pod = static_cast<long long>(plan.pods.front().leaves) *
                           design.leaf_down_ports / design.endpoints_per_node;
      refuse(
          design,
          fmt::format("at most {} nodes: three tiers carry no more", design.core_ports * per_pod),
          plan.nodes);
    }
    least += links;
    plan.core_groups.push_back({plan.core, *cores, pods, plan.spine_up_ports / *cores});
    plan.core += *cores;
  }
  least = ceil_divide(least, design.core_ports);
  plan.notes.push_back(fmt::format(
      "{} pods of leaves and spines are joined by {} core switches; each spine gives {} "
      "of its {} ports to them.",
      plan.pods.size(), plan.core, plan.spine_up_ports, plan.spine_ports));
  if (plan.core > least) {
    plan.notes.push_back(fmt::format(
        "{} core switches have the ports; {} let every spine spread its {} uplinks evenly: each of "
        "the {} core groups takes the next divisor of {}.",
        least, plan.core, plan.spine_up_ports, plan.core_groups.size(), plan.spine_up_ports));
  }
}

/// NICs alternate between the two switches, or each unit has its own; the two are joined by as many
/// links as either has nodes'.
void plan_switch_pair(const FabricDesign& design, FabricPlan& plan) {
  const bool by_unit = design.attachment == Attachment::rack;
  const int first = std::min(plan.nodes, design.nodes_per_su);
  const int links = by_unit ? first * design.endpoints_per_node
                            : ceil_divide(plan.nodes * design.endpoints_per_node, 2);
  if (2 * links > design.leaf_ports) {
    refuse(design,
           fmt::format("at most {}: each switch takes half of the nodes' links and as many to the "
                       "other",
                       design.leaf_ports / design.endpoints_per_node),
           plan.nodes);
  }
  plan.scalable_units = 1;
  plan.leaf = 2;
  plan.joining_links = links;
  if (!by_unit) {
    plan.leaf_groups.push_back({0, -1, 0, plan.nodes, 0, 2});
    return;
  }
  const int second = plan.nodes - first;
  if (second < 1 || second > first) {
    refuse(design,
           fmt::format("{} to {}: two units of nodes, a switch for each", first + 1, 2 * first),
           plan.nodes);
  }
  plan.scalable_units = 2;
  plan.leaf_groups.push_back({0, -1, 0, first, 0, 1});
  plan.leaf_groups.push_back({1, -1, first, second, 1, 1});
}

}  // namespace

FabricPlan plan_fabric(const FabricDesign& design, int nodes) {
  if (nodes < 1) refuse(design, "at least one node", nodes);
  if (design.max_nodes && nodes > *design.max_nodes) {
    refuse(design, fmt::format("at most {}: the rule is published up to there", *design.max_nodes),
           nodes);
  }
  if (nodes > kMostNodes) refuse(design, fmt::format("at most {} nodes", kMostNodes), nodes);
  FabricPlan plan;
  plan.nodes = nodes;
  if (design.shape == FabricShape::switch_pair) {
    plan_switch_pair(design, plan);
    return plan;
  }
  plan_leaves(design, plan);
  if (plan.leaf_up_ports == 0) return plan;
  if (design.spines_per_rail_per_su) {
    plan_printed_pods(design, plan);
  } else if (design.nodes_per_pod ? false : plan_two_tiers(design, plan)) {
    return plan;
  } else if (design.core_part.empty() && !design.nodes_per_pod) {
    const long long most = static_cast<long long>(design.spine_port_options.back()) *
                           design.leaf_down_ports / design.endpoints_per_node;
    refuse(design,
           fmt::format("at most {} nodes: two tiers of {}-port spines carry no more", most,
                       design.spine_port_options.back()),
           nodes);
  } else {
    plan_pods(design, plan);
  }
  plan_core(design, plan);
  return plan;
}

}  // namespace rackwright::topology
