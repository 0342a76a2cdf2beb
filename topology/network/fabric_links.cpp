#include "topology/network/fabric_links.hpp"

#include <fmt/format.h>

namespace rackwright::topology {

namespace {

/// Walks the links of one plane.
class PlaneWalk {
 public:
  PlaneWalk(const FabricDesign& design, const FabricPlan& plan, int plane,
            const std::function<void(const FabricLink&)>& visit)
      : design_(design), plan_(plan), plane_(plane), visit_(visit) {
    for (const LeafGroup& group : plan.leaf_groups) {
      group_of_.insert(group_of_.end(), static_cast<std::size_t>(group.leaves), &group);
    }
  }

  void nodes_to_leaves() const {
    for (const LeafGroup& group : plan_.leaf_groups) {
      for (int n = 0; n < group.nodes; ++n) {
        if (group.rail >= 0) {
          join_node(group, group.first_node + n, group.rail, n);
          continue;
        }
        for (int nic = 0; nic < design_.endpoints_per_node; ++nic) {
          join_node(group, group.first_node + n, nic, n * design_.endpoints_per_node + nic);
        }
      }
    }
  }

  /// The manager stands where the node it displaces would be: the same place on rails 0, 1, ...
  void manager_to_leaves() const {
    for (int link = 0; link < design_.management_cables; ++link) {
      const auto groups = static_cast<int>(plan_.leaf_groups.size());
      const int in_unit = design_.attachment == Attachment::rail ? design_.endpoints_per_node : 1;
      const LeafGroup& group =
          plan_.leaf_groups[static_cast<std::size_t>(groups - in_unit + link % in_unit)];
      FabricLinkEnd manager;
      manager.tier = FabricTier::manager;
      manager.port = manager.cage = link;
      const int place = group.nodes + (group.rail >= 0 ? link / in_unit : link);
      visit_({manager, leaf_place(group, place), design_.link_gbit_per_s});
    }
  }

  void leaves_to_spines() const {
    for (std::size_t p = 0; p < plan_.pods.size(); ++p) {
      const FabricPod& pod = plan_.pods[p];
      for (int leaf = 0; leaf < pod.leaves; ++leaf) {
        for (int up = 0; up < plan_.leaf_up_ports; ++up) {
          const bool even = pod.links_per_pair > 0;
          const int round = leaf * plan_.leaf_up_ports + up;
          const int spine = even ? up / pod.links_per_pair : round % pod.spines;
          FabricLinkEnd lower = leaf_end(pod.first_leaf + leaf, design_.leaf_down_ports + up);
          lower.pod = static_cast<int>(p);
          const int port =
              even ? leaf * pod.links_per_pair + up % pod.links_per_pair : round / pod.spines;
          visit_({lower, spine_end(p, spine, port), design_.uplink_gbit_per_s});
        }
      }
    }
  }

  void spines_to_core() const {
    for (std::size_t p = 0; p < plan_.pods.size(); ++p) {
      for (int spine = 0; spine < plan_.pods[p].spines; ++spine) {
        if (plan_.core_groups.empty()) continue;
        const CoreGroup& group = plan_.core_groups[static_cast<std::size_t>(spine)];
        for (int up = 0; up < plan_.spine_up_ports; ++up) {
          const int down = plan_.spine_ports - plan_.spine_up_ports;
          const int core = group.first_core + up / group.links_per_pair;
          FabricLinkEnd upper =
              switch_end(FabricTier::core, core + plane_ * plan_.core,
                         static_cast<int>(p) * group.links_per_pair + up % group.links_per_pair);
          upper.pod = spine;
          visit_({spine_end(p, spine, down + up), upper, design_.uplink_gbit_per_s});
        }
      }
    }
  }

  void joining_links() const {
    const int down = plan_.joining_links;  // as many as to nodes
    for (int link = 0; link < plan_.joining_links; ++link) {
      visit_({leaf_end(0, down + link), leaf_end(1, down + link), design_.uplink_gbit_per_s});
    }
  }

 private:
  void join_node(const LeafGroup& group, int node, int nic, int place) const {
    FabricLinkEnd lower;
    lower.device = node;
    lower.unit = group.unit;
    lower.rail = nic;
    lower.plane = plane_;
    lower.port = nic * design_.planes + plane_;
    lower.cage = lower.port / design_.ports_per_node_transceiver;
    lower.lane = lower.port % design_.ports_per_node_transceiver;
    FabricLinkEnd upper = leaf_place(group, place);
    if (design_.leaves_per_unit ||
        (design_.shape == FabricShape::switch_pair && group.leaves == 2)) {
      upper = leaf_end(group.first_leaf + place % group.leaves, place / group.leaves);
    }
    visit_({lower, upper, design_.link_gbit_per_s});
  }

  FabricLinkEnd switch_end(FabricTier tier, int device, int port) const {
    FabricLinkEnd end;
    end.tier = tier;
    end.device = device;
    end.plane = plane_;
    end.port = port;
    end.cage = port / design_.ports_per_switch_transceiver;
    end.lane = port % design_.ports_per_switch_transceiver;
    return end;
  }

  FabricLinkEnd leaf_end(int leaf, int port) const {
    FabricLinkEnd end = switch_end(FabricTier::leaf, leaf + plane_ * plan_.leaf, port);
    const LeafGroup& group = *group_of_[static_cast<std::size_t>(leaf)];
    end.unit = group.unit;
    end.rail = group.rail;
    end.place = leaf - group.first_leaf;
    return end;
  }

  FabricLinkEnd leaf_place(const LeafGroup& group, int place) const {
    return leaf_end(group.first_leaf + place / design_.leaf_down_ports,
                    place % design_.leaf_down_ports);
  }

  FabricLinkEnd spine_end(std::size_t p, int spine, int port) const {
    const FabricPod& pod = plan_.pods[p];
    FabricLinkEnd end =
        switch_end(FabricTier::spine, pod.first_spine + spine + plane_ * plan_.spine, port);
    end.unit = pod.unit;
    end.rail = pod.rail;
    end.pod = static_cast<int>(p);
    return end;
  }

  const FabricDesign& design_;
  const FabricPlan& plan_;
  int plane_;
  const std::function<void(const FabricLink&)>& visit_;
  std::vector<const LeafGroup*> group_of_;  ///< of each leaf
};

}  // namespace

const char* name_of(FabricTier tier) {
  constexpr const char* kNames[] = {"node", "leaf", "spine", "core", "manager"};
  return kNames[static_cast<int>(tier)];
}

void for_each_link(const FabricDesign& design, const FabricPlan& plan,
                   const std::function<void(const FabricLink&)>& visit) {
  for (int plane = 0; plane < design.planes; ++plane) {
    const PlaneWalk walk(design, plan, plane, visit);
    walk.nodes_to_leaves();
    if (plane == 0) walk.manager_to_leaves();
    walk.leaves_to_spines();
    walk.joining_links();
    walk.spines_to_core();
  }
}

std::vector<FabricLink> list_links(const FabricDesign& design, const FabricPlan& plan) {
  long long count = 0;
  for (const FabricLinkClass& alike : classify_links(design, plan)) count += alike.count;
  std::vector<FabricLink> links;
  links.reserve(static_cast<std::size_t>(count));
  for_each_link(design, plan, [&](const FabricLink& link) { links.push_back(link); });
  return links;
}

std::vector<FabricLinkClass> classify_links(const FabricDesign& design, const FabricPlan& plan) {
  const long long planes = design.planes;
  const long long uplinks = planes * plan.leaf * plan.leaf_up_ports;
  const FabricLinkClass all[] = {
      {FabricTier::node, FabricTier::leaf, design.link_gbit_per_s,
       planes * plan.nodes * design.endpoints_per_node},
      {FabricTier::manager, FabricTier::leaf, design.link_gbit_per_s, design.management_cables},
      {FabricTier::leaf, FabricTier::spine, design.uplink_gbit_per_s, uplinks},
      {FabricTier::leaf, FabricTier::leaf, design.uplink_gbit_per_s, planes * plan.joining_links},
      {FabricTier::spine, FabricTier::core, design.uplink_gbit_per_s,
       planes * plan.spine * plan.spine_up_ports}};
  std::vector<FabricLinkClass> classes;
  for (const FabricLinkClass& one : all) {
    if (one.count > 0) classes.push_back(one);
  }
  return classes;
}

std::string device_name(const FabricDesign& design, const FabricLinkEnd& end) {
  if (end.tier == FabricTier::manager) return "manager";
  if (end.tier == FabricTier::node) return fmt::format("node-{:03}", end.device + 1);
  std::string name = name_of(end.tier);
  if (design.planes > 1) name += fmt::format("-{}", static_cast<char>('a' + end.plane));
  if (end.tier != FabricTier::leaf) return name + fmt::format("-{:02}", end.device + 1);
  name += fmt::format("-su{}", end.unit + 1);
  if (end.rail >= 0) name += fmt::format("-rail{}", end.rail + 1);
  return name + fmt::format("-{}", end.place + 1);
}

}  // namespace rackwright::topology
