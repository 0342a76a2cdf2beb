#include <algorithm>
#include <cctype>
#include <cmath>
#include <set>

#include <fmt/format.h>

#include "common/csv_reader.hpp"
#include "topology/cabling/cable_exports.hpp"

// Columns and choices: NetBox bulk import forms of dcim (SiteImportForm, DeviceRoleImportForm,
// ManufacturerImportForm, DeviceTypeImportForm, RackImportForm, DeviceImportForm,
// InterfaceImportForm, CableImportForm) and InterfaceTypeChoices, CableTypeChoices.

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

/// Lower-case letters, digits and single dashes.
std::string slug(const std::string& name) {
  std::string text;
  for (const char c : name) {
    if (std::isalnum(static_cast<unsigned char>(c)) != 0) {
      text += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    } else if (!text.empty() && text.back() != '-') {
      text += '-';
    }
  }
  while (!text.empty() && text.back() == '-') text.pop_back();
  return text;
}

std::string role(const PlacedDevice& device) {
  return std::string(name_of(device.tier));
}
std::string manufacturer(const PlacedDevice& device, const Catalog& catalog) {
  const Part* part = catalog.find(device.part);
  return part != nullptr && !part->vendor.empty() ? part->vendor : "unknown";
}
std::string model(const PlacedDevice& device, const Catalog& catalog) {
  const Part* part = catalog.find(device.part);
  if (part != nullptr) return part->name;
  return device.part.empty() ? role(device) : device.part;
}
const std::string& rack_of(const CablePlan& plan, const PlacedDevice& device) {
  return plan.floor.racks[static_cast<std::size_t>(device.rack)].name;
}
const char* colour(FabricTier tier) {
  switch (tier) {
    case FabricTier::node:
      return "2196f3";
    case FabricTier::leaf:
      return "4caf50";
    case FabricTier::spine:
      return "ff9800";
    case FabricTier::core:
    case FabricTier::manager:
      break;
  }
  return "9c27b0";
}

}  // namespace

std::string netbox_sites_csv(const CablePlan& plan) {
  return fmt::format("name,slug,status\n{},{},planned\n", csv_cell(plan.layout.id),
                     slug(plan.layout.id));
}

std::string netbox_roles_csv(const CablePlan& plan) {
  std::set<std::string> lines;
  for (const PlacedDevice& device : plan.floor.devices) {
    lines.insert(fmt::format("{},{},{}\n", role(device), slug(role(device)), colour(device.tier)));
  }
  std::string csv = "name,slug,color\n";
  for (const std::string& line : lines) csv += line;
  return csv;
}

std::string netbox_manufacturers_csv(const CablePlan& plan, const Catalog& catalog) {
  std::set<std::string> names;
  for (const PlacedDevice& device : plan.floor.devices) names.insert(manufacturer(device, catalog));
  std::string csv = "name,slug\n";
  for (const std::string& name : names) csv += fmt::format("{},{}\n", csv_cell(name), slug(name));
  return csv;
}

/// Heights in steps of half a unit, as NetBox keeps them.
std::string netbox_device_types_csv(const CablePlan& plan, const Catalog& catalog) {
  std::set<std::string> lines;
  for (const PlacedDevice& device : plan.floor.devices) {
    const std::string name = model(device, catalog);
    lines.insert(fmt::format("{},{},{},{:g}\n", csv_cell(manufacturer(device, catalog)),
                             csv_cell(name), slug(name), std::ceil(device.height * 2) / 2));
  }
  std::string csv = "manufacturer,model,slug,u_height\n";
  for (const std::string& line : lines) csv += line;
  return csv;
}

std::string netbox_racks_csv(const CablePlan& plan) {
  constexpr double kNineteenInchM = 0.5;  // openings of 19 inch are narrower, of 21 inch wider
  std::string csv = "site,name,status,width,u_height,outer_width,outer_depth,outer_unit,comments\n";
  for (const PlacedRack& rack : plan.floor.racks) {
    csv += fmt::format("{},{},planned,{},{},{:.0f},{:.0f},mm,row {}\n", csv_cell(plan.layout.id),
                       rack.name, rack.opening_m > kNineteenInchM ? 21 : 19, rack.units,
                       rack.width_m * kMillimetresPerMetre, rack.depth_m * kMillimetresPerMetre,
                       rack.row + 1);
  }
  return csv;
}

std::string netbox_devices_csv(const CablePlan& plan, const Catalog& catalog) {
  std::string csv = "name,role,manufacturer,device_type,status,site,rack,position,face\n";
  for (const PlacedDevice& device : plan.floor.devices) {
    csv += fmt::format("{},{},{},{},planned,{},{},{:g},{}\n", device.name, role(device),
                       csv_cell(manufacturer(device, catalog)), csv_cell(model(device, catalog)),
                       csv_cell(plan.layout.id), rack_of(plan, device), device.unit,
                       device.rear ? "rear" : "front");
  }
  return csv;
}

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
