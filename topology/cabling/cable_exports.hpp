#pragma once

#include <string>

#include "topology/cabling/cable_load.hpp"
#include "topology/cabling/cable_totals.hpp"

namespace rackwright::topology {

/// Tables for the people who pull, label and book cables. RFC 4180 with one head line.

/// One line a cable: label, both ends with rack, unit and port, part, lengths, route.
[[nodiscard]] std::string pull_sheet_csv(const CablePlan& plan);
/// Two lines a cable, a breakout three: the text of each end's label.
[[nodiscard]] std::string labels_csv(const CablePlan& plan);
[[nodiscard]] std::string cable_bom_csv(const CableTotals& totals);
/// Every port of every device, used or idle, with its peer.
[[nodiscard]] std::string port_map_csv(const CablePlan& plan);
/// NetBox bulk import (dcim), in the order to import: site, roles, manufacturers, device types,
/// racks, devices, interfaces, cables. Nothing else has to exist before.
[[nodiscard]] std::string netbox_sites_csv(const CablePlan& plan);
[[nodiscard]] std::string netbox_roles_csv(const CablePlan& plan);
[[nodiscard]] std::string netbox_manufacturers_csv(const CablePlan& plan, const Catalog& catalog);
[[nodiscard]] std::string netbox_device_types_csv(const CablePlan& plan, const Catalog& catalog);
[[nodiscard]] std::string netbox_racks_csv(const CablePlan& plan);
[[nodiscard]] std::string netbox_devices_csv(const CablePlan& plan, const Catalog& catalog);
[[nodiscard]] std::string netbox_interfaces_csv(const CablePlan& plan);
[[nodiscard]] std::string netbox_cables_csv(const CablePlan& plan);
[[nodiscard]] std::string channels_csv(const CablePlan& plan, const CableLoads& loads);

/// "C00017" for cable 16.
[[nodiscard]] std::string cable_label(std::size_t index);

}  // namespace rackwright::topology
