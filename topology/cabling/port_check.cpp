#include "topology/cabling/port_check.hpp"

#include <map>
#include <set>

#include <fmt/format.h>

#include "topology/cabling/cable_exports.hpp"

namespace rackwright::topology {

namespace {

void check_end(const CablePlan& plan, const FabricLinkEnd& end, std::set<std::pair<int, int>>& seen,
               std::map<std::pair<int, int>, int>& links_in_cage, PortCheck& check) {
  const int d = plan.floor.device_of(end);
  const PlacedDevice& device = plan.floor.devices[static_cast<std::size_t>(d)];
  if (!seen.insert({d, end.port}).second) {
    check.problems.push_back(
        fmt::format("{} {} is used twice", device.name, port_name(device, end.port)));
  }
  if (end.port < 0 || end.port >= device.ports) {
    check.problems.push_back(
        fmt::format("{} has {} ports, none {}", device.name, device.ports, end.port + 1));
  }
  const int cage = end.port / device.ports_per_cage;
  if (++links_in_cage[{d, cage}] == device.ports_per_cage + 1) {
    check.problems.push_back(fmt::format("{} cage {} splits into {} links at most", device.name,
                                         cage + 1, device.ports_per_cage));
  }
}

void check_rail(const CablePlan& plan, const FabricLink& link, PortCheck& check) {
  const bool of_node = link.lower.tier == FabricTier::node && link.upper.tier == FabricTier::leaf;
  if (!of_node || link.lower.rail < 0 || link.upper.rail < 0) return;
  if (link.lower.rail == link.upper.rail) return;
  const auto& name = [&](const FabricLinkEnd& end) -> const std::string& {
    return plan.floor.devices[static_cast<std::size_t>(plan.floor.device_of(end))].name;
  };
  check.problems.push_back(fmt::format("{} rail {} is on {} of rail {}", name(link.lower),
                                       link.lower.rail + 1, name(link.upper), link.upper.rail + 1));
}

}  // namespace

PortCheck check_ports(const CablePlan& plan, const Catalog& catalog) {
  PortCheck check;
  std::set<std::pair<int, int>> seen;
  std::map<std::pair<int, int>, int> links_in_cage;
  for (const FabricLink& link : plan.links) {
    check_end(plan, link.lower, seen, links_in_cage, check);
    check_end(plan, link.upper, seen, links_in_cage, check);
    check_rail(plan, link, check);
  }
  std::map<std::string, std::size_t> plugs;
  for (const CableOption& option : read_cable_media(catalog).cables) {
    plugs[option.part] = static_cast<std::size_t>(option.arity) + 1;
  }
  for (std::size_t i = 0; i < plan.cables.size(); ++i) {
    const PulledCable& cable = plan.cables[i];
    const auto known = plugs.find(cable.part);
    const std::size_t expected = known == plugs.end() ? 2 : known->second;
    if (cable.ends.size() != expected) {
      check.problems.push_back(fmt::format("{} has {} plugs, {} has {}", cable_label(i),
                                           cable.ends.size(), cable.part, expected));
    }
  }
  check.used = static_cast<int>(seen.size());
  for (const PlacedDevice& device : plan.floor.devices) check.idle += device.ports;
  check.idle -= check.used;
  return check;
}

}  // namespace rackwright::topology
