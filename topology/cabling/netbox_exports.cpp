#include <fmt/format.h>

#include "topology/cabling/cable_exports.hpp"

// Columns and choices: NetBox bulk import forms of dcim (InterfaceImportForm, CableImportForm) and
// InterfaceTypeChoices, CableTypeChoices.

namespace rackwright::topology {

namespace {

std::string interface_type(const CageType& cage, double gbit_per_s) {
  const auto rate = static_cast<int>(gbit_per_s);
  if (cage.form == "OSFP" && (rate == 400 || rate == 800)) {
    return fmt::format("{}gbase-x-osfp", rate);
  }
  if (cage.form == "QSFP112" && rate == 400) return "400gbase-x-qsfp112";
  if (cage.form == "QSFP-DD" && (rate == 200 || rate == 400)) {
    return fmt::format("{}gbase-x-qsfpdd", rate);
  }
  if (cage.form == "QSFP56" && rate == 200) return "200gbase-x-qsfp56";
  if (cage.form == "QSFP28" && rate == 100) return "100gbase-x-qsfp28";
  return "other";
}

std::string cable_type(const PulledCable& cable) {
  switch (cable.medium) {
    case Medium::passive_copper:
      return "dac-passive";
    case Medium::active_copper:
    case Medium::active_electrical:
      return "dac-active";
    case Medium::active_optical:
      return "aoc";
    case Medium::multimode:
      return "mmf-om4";
    case Medium::single_mode:
      return "smf-os2";
    case Medium::unknown:
      break;
  }
  return "";
}

}  // namespace

std::string netbox_interfaces_csv(const CablePlan& plan) {
  std::vector<double> rate(plan.floor.devices.size(), 0);
  for (const FabricLink& link : plan.links) {
    for (const FabricLinkEnd* end : {&link.lower, &link.upper}) {
      double& r = rate[static_cast<std::size_t>(plan.floor.device_of(*end))];
      r = r > link.gbit_per_s ? r : link.gbit_per_s;
    }
  }
  std::string csv = "device,name,type,enabled\n";
  for (std::size_t d = 0; d < plan.floor.devices.size(); ++d) {
    const PlacedDevice& device = plan.floor.devices[d];
    const std::string type = interface_type(plan.cages[d], rate[d]);
    for (int port = 0; port < device.ports; ++port) {
      csv += fmt::format("{},{},{},true\n", device.name, port_name(device, port), type);
    }
  }
  return csv;
}

/// One line a link: an interface takes one cable there, so the two links of a twin-port cable are
/// two lines with the label of the one cable and a suffix.
std::string netbox_cables_csv(const CablePlan& plan) {
  std::string csv =
      "side_a_device,side_a_type,side_a_name,side_b_device,side_b_type,side_b_name,type,status,"
      "label,length,length_unit\n";
  for (std::size_t i = 0; i < plan.cables.size(); ++i) {
    const PulledCable& cable = plan.cables[i];
    if (cable.cord > 0) continue;
    for (std::size_t k = 0; k < cable.links.size(); ++k) {
      const FabricLink& link = plan.links[static_cast<std::size_t>(cable.links[k])];
      const PlacedDevice& a =
          plan.floor.devices[static_cast<std::size_t>(plan.floor.device_of(link.lower))];
      const PlacedDevice& b =
          plan.floor.devices[static_cast<std::size_t>(plan.floor.device_of(link.upper))];
      std::string label = cable_label(i);
      if (cable.links.size() > 1) label += fmt::format(".{}", k + 1);
      csv += fmt::format("{},dcim.interface,{},{},dcim.interface,{},{},planned,{},{:.2f},m\n",
                         a.name, port_name(a, link.lower.port), b.name,
                         port_name(b, link.upper.port), cable_type(cable), label, cable.length_m());
    }
  }
  return csv;
}

}  // namespace rackwright::topology
