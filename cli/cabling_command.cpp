#include "cli/cabling_command.hpp"

#include <algorithm>
#include <limits>
#include <optional>
#include <ostream>

#include <fmt/format.h>

#include "cli/cabling_text.hpp"
#include "cli/option_values.hpp"
#include "common/input_error.hpp"
#include "common/output_file.hpp"
#include "results/report/cabling_drawing.hpp"
#include "results/report/link_load_drawing.hpp"
#include "topology/cabling/as_built.hpp"
#include "topology/cabling/cable_exports.hpp"

namespace rackwright::cli {

namespace {

using topology::Catalog;
using topology::FabricDesign;
using topology::RackDesign;

/// The rack that names the fabric, else the first whose compute slots have the GPUs and NICs of the
/// fabric's nodes.
RackDesign rack_for(const FabricDesign& design, const CommandContext& context,
                    const Catalog& catalog) {
  std::optional<RackDesign> alike;
  for (const std::string& id : context.data.ids("topology/racks")) {
    RackDesign rack = topology::read_rack_design(context.data.find(id, "topology/racks"), catalog);
    if (rack.fabric == design.id && !rack.is_template) return rack;
    for (const auto& slot : rack.slots) {
      const auto* part = slot.gpus > 0 ? catalog.find(slot.part) : nullptr;
      const double nics = part ? part->number("nic_count").value_or(0) : 0;
      const double rate = part ? part->number("nic_rate_gbit_per_s").value_or(0) : 0;
      if (!alike && slot.gpus == design.gpus_per_node && nics == design.endpoints_per_node &&
          rate == design.link_gbit_per_s * design.planes) {
        alike = rack;
      }
    }
  }
  if (alike) return *alike;
  throw InputError(
      InputProblem{"", 0, "--rack",
                   fmt::format("a rack for the nodes of {}: none of the shipped ones "
                               "has {} GPUs and {} NICs of its rate to a node",
                               design.id, design.gpus_per_node, design.endpoints_per_node),
                   "none given"});
}

void write_tables(const CablingResult& result, const Catalog& catalog, OutputFolder& folder) {
  const auto& plan = result.plan;
  folder.add("pull_sheet.csv", topology::pull_sheet_csv(plan));
  folder.add("labels.csv", topology::labels_csv(plan));
  folder.add("bom.csv", topology::cable_bom_csv(result.totals));
  folder.add("port_map.csv", topology::port_map_csv(plan));
  folder.add("channels.csv", topology::channels_csv(plan, result.loads));
  folder.add("netbox_sites.csv", topology::netbox_sites_csv(plan));
  folder.add("netbox_roles.csv", topology::netbox_roles_csv(plan));
  folder.add("netbox_manufacturers.csv", topology::netbox_manufacturers_csv(plan, catalog));
  folder.add("netbox_device_types.csv", topology::netbox_device_types_csv(plan, catalog));
  folder.add("netbox_racks.csv", topology::netbox_racks_csv(plan));
  folder.add("netbox_devices.csv", topology::netbox_devices_csv(plan, catalog));
  folder.add("netbox_interfaces.csv", topology::netbox_interfaces_csv(plan));
  folder.add("netbox_cables.csv", topology::netbox_cables_csv(plan));
  folder.add("cabling.json", cabling_json(result).dump(2) + "\n");
  folder.add("floor_plan.svg", results::floor_plan_svg(plan, result.loads));
  for (int row = 0; row < plan.floor.rows; ++row) {
    folder.add(fmt::format("row_{:02d}.svg", row + 1),
               results::row_elevation_svg(plan, result.loads, row));
  }
}

int check_list(const topology::CablePlan& plan, const std::string& list, const std::string& names,
               bool json, CommandContext& context) {
  const auto check = topology::check_as_built(
      plan, topology::read_as_built(list),
      names.empty() ? topology::DeviceNames{} : topology::read_device_names(names));
  if (json) {
    context.out << as_built_json(check).dump(2) << '\n';
  } else {
    context.out << as_built_text(check, list);
  }
  return check.findings.empty() ? kFine : kFinding;
}

}  // namespace

void CablingCommand::add_options(CLI::App& app) {
  app.add_option("--design", design_, "Fabric design: id or file")->required()->type_name("ID");
  app.add_option("--nodes", nodes_, "Nodes to connect")->required()->type_name("N");
  app.add_option("--layout", layout_, "Row layout: id or file, or all to compare the shipped ones")
      ->capture_default_str()
      ->type_name("ID");
  app.add_option("--rack", rack_, "Compute rack: id or file; default: the one of the fabric")
      ->type_name("ID");
  app.add_option("-o,--out", folder_, "Folder for pull sheet, labels, tables and drawings")
      ->type_name("DIR");
  app.add_option("--collectives", collectives_,
                 "Small all-reduces over all nodes in a step, for the time that cables add")
      ->capture_default_str()
      ->type_name("N");
  app.add_option("--as-built", as_built_,
                 "Cable list (CSV) or ibnetdiscover dump to compare with the design")
      ->type_name("FILE");
  app.add_option("--names", names_, "CSV of found and design names of devices, for --as-built")
      ->type_name("FILE.csv");
  app.add_flag("--json", json_, "Print JSON");
}

int CablingCommand::run(CommandContext& context) {
  const auto nodes = parse_count(nodes_, "--nodes", 1);
  if (nodes > static_cast<std::uint64_t>(std::numeric_limits<int>::max())) {
    throw InputError(InputProblem{"", 0, "--nodes", "fewer nodes", nodes_});
  }
  const auto collectives = static_cast<int>(
      std::min<std::uint64_t>(parse_count(collectives_, "--collectives", 1), 1 << 30));
  const bool all = layout_ == "all";
  if (all && !as_built_.empty()) {
    throw InputError(InputProblem{"", 0, "--as-built", "one layout", "--layout all"});
  }
  if (all && !folder_.empty()) {
    throw InputError(InputProblem{"", 0, "-o", "one layout to write down", "--layout all"});
  }
  const Catalog catalog = Catalog::load(context.data);
  const auto design = topology::read_fabric_design(context.data.find(design_, "topology/fabrics"));
  const RackDesign rack = rack_.empty() ? rack_for(design, context, catalog)
                                        : topology::read_rack_design(
                                              context.data.find(rack_, "topology/racks"), catalog);
  std::optional<OutputFolder> folder;
  if (!folder_.empty()) folder.emplace(folder_);
  const auto fabric = topology::plan_fabric(design, static_cast<int>(nodes));
  const auto links = topology::list_links(design, fabric);
  std::vector<CablingResult> results;
  const auto ids = all ? context.data.ids(topology::kLayoutFolder) : std::vector{layout_};
  for (const std::string& id : ids) {
    const auto layout =
        topology::read_row_layout(context.data.find(id, topology::kLayoutFolder), context.data);
    CablingResult result;
    result.nodes = static_cast<int>(nodes);
    result.collectives = collectives;
    result.plan = topology::plan_cabling(design, links, layout, rack, catalog);
    result.loads = topology::load_channels(result.plan, catalog);
    result.totals = topology::total_cabling(result.plan, catalog);
    result.ports = topology::check_ports(result.plan, catalog);
    results.push_back(std::move(result));
  }
  const std::string title =
      fmt::format("{}: {}, {} nodes in racks {}", design.id, design.name, nodes, rack.id);
  if (folder) {
    if (fabric.leaf_up_ports > 0) {
      const auto load = topology::fabric_load(design, static_cast<int>(nodes));
      folder->add("link_load.svg", results::link_load_svg(load, results::LinkLoadMap::full));
    }
    write_tables(results.front(), catalog, *folder);
    folder->commit();
  }
  if (!as_built_.empty()) {
    return check_list(results.front().plan, as_built_, names_, json_, context);
  }
  if (all) {
    std::stable_sort(results.begin(), results.end(), [](const auto& a, const auto& b) {
      return a.totals.ordered_m < b.totals.ordered_m;
    });
  }
  if (json_) {
    nlohmann::ordered_json json = nlohmann::ordered_json::array();
    for (const auto& result : results) json.push_back(cabling_json(result));
    context.out << (all ? json : json.front()).dump(2) << '\n';
  } else {
    context.out << (all ? layouts_text(results, title) : cabling_text(results.front(), title));
  }
  const bool broken = std::any_of(results.begin(), results.end(), [](const CablingResult& r) {
    return !r.loads.violations.empty() || !r.ports.problems.empty();
  });
  return broken && !all ? kFinding : kFine;
}

}  // namespace rackwright::cli
