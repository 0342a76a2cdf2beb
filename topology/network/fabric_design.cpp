#include "topology/network/fabric_design.hpp"

#include <algorithm>
#include <sstream>
#include <utility>

#include <fmt/format.h>

#include "common/json_document.hpp"
#include "topology/fact_reader.hpp"

namespace rackwright::topology {

namespace {

constexpr int kFabricFormatVersion = 1;
constexpr int kMostPorts = 4096;

int whole(ObjectReader& reader, const char* key, int fallback, double min) {
  return static_cast<int>(reader.integer_or(key, fallback, {.min = min, .max = 1e6}));
}

void read_spine_ports(ObjectReader& reader, FabricDesign& design) {
  if (!reader.has("spine_ports") &&
      (design.shape == FabricShape::switch_pair || design.leaf_up_ports == 0)) {
    reader.ignore({"spine_ports"});
    design.spine_port_options.push_back(design.spine_ports);
    return;
  }
  const NumberRange range{.min = 2, .max = kMostPorts};
  if (reader.raw("spine_ports").is_array()) {
    for (const double ports : reader.numbers("spine_ports", range)) {
      design.spine_port_options.push_back(static_cast<int>(ports));
    }
    std::sort(design.spine_port_options.begin(), design.spine_port_options.end());
  } else {
    design.spine_port_options.push_back(static_cast<int>(reader.integer("spine_ports", range)));
  }
  if (design.spine_port_options.empty()) {
    reader.problem("spine_ports", "at least one port count", "an empty list");
    design.spine_port_options.push_back(2);
  }
  design.spine_ports = design.spine_port_options.front();
}

void read_management(ObjectReader reader, FabricDesign& design) {
  design.management_displaces_node = reader.boolean_or("displaces_node", false);
  design.management_cables = whole(reader, "links", 0, 0);
  design.management_cable_items = whole(reader, "cables", design.management_cables, 0);
  design.management_transceivers = whole(reader, "transceivers", design.management_cables, 0);
  reader.finish();
}

void read_generations(ObjectReader& reader, FabricDesign& design) {
  for (ObjectReader& row : reader.objects("generations")) {
    NodeGeneration generation;
    generation.nodes = whole(row, "nodes", 1, 1);
    generation.link_gbit_per_s =
        row.number("link_gbit_per_s", {.min = 1, .max = design.link_gbit_per_s});
    generation.device = row.text_or("device", "");
    row.finish();
    design.generations.push_back(std::move(generation));
  }
}

void read_cables(ObjectReader& reader, FabricDesign& design) {
  design.links_per_cable = whole(reader, "links_per_cable", 1, 1);
  design.fibres_per_cable = whole(reader, "fibres_per_cable", 0, 0);
  design.links_per_joining_cable = whole(reader, "links_per_joining_cable", 1, 1);
  design.switch_transceiver_part = reader.text_or("switch_transceiver_part", "");
  design.node_transceiver_part = reader.text_or("node_transceiver_part", "");
  design.cable_part = reader.text_or("cable_part", "");
  design.joining_cable_part = reader.text_or("joining_cable_part", "");
  if (!reader.has("backplane")) return;
  ObjectReader backplane = reader.object("backplane");
  design.backplane_pairs_per_link = whole(backplane, "pairs_per_link", 0, 1);
  design.backplane_cartridges_per_unit = whole(backplane, "cartridges_per_unit", 0, 0);
  backplane.finish();
}

void check_ports(ObjectReader& reader, const FabricDesign& design) {
  if (design.shape == FabricShape::tree && design.leaf_up_ports > 0 && design.spine_part.empty()) {
    reader.problem("spine_part", "the part of the spines of a tree", "nothing");
  }
  if (design.spine_up_ports && *design.spine_up_ports >= design.spine_ports) {
    reader.problem("spine_up_ports", fmt::format("fewer than the {} ports", design.spine_ports),
                   std::to_string(*design.spine_up_ports));
  }
  if (design.leaf_down_ports + design.leaf_up_ports <= design.leaf_ports) return;
  reader.problem(
      "leaf_up_ports",
      fmt::format("at most the {} ports left of {}",
                  std::max(0, design.leaf_ports - design.leaf_down_ports), design.leaf_ports),
      std::to_string(design.leaf_up_ports));
}

/// Word by word; "N" stands for any whole number.
bool is_called(const std::string& pattern, std::string_view name) {
  std::istringstream left(pattern), right{std::string(name)};
  std::string expected, found;
  while (left >> expected) {
    if (!(right >> found)) return false;
    const bool number = found.find_first_not_of("0123456789") == std::string::npos;
    if (expected != found && !(expected == "N" && number)) return false;
  }
  return !(right >> found);
}

}  // namespace

bool is_scale_up(const FabricDesign& design) {
  return design.max_nodes &&
         *design.max_nodes * design.gpus_per_node <= design.scale_up_domain_gpus;
}

FabricDesign read_fabric_design(const std::filesystem::path& path) {
  const JsonDocument document = JsonDocument::parse_file(path);
  ProblemList problems;
  ObjectReader reader(document, problems);
  reader.check_format_version(kFabricFormatVersion);
  FabricDesign design;
  design.file = document.name();
  design.id = reader.text("id");
  design.name = reader.text("name");
  design.shape = reader.choice_or("shape", "tree", {"tree", "switch_pair"}) == "tree"
                     ? FabricShape::tree
                     : FabricShape::switch_pair;
  design.attachment = reader.choice_or("attachment", "rail", {"rail", "rack"}) == "rail"
                          ? Attachment::rail
                          : Attachment::rack;
  design.leaf_part = reader.text("leaf_part");
  design.spine_part = reader.text_or("spine_part", "");
  design.core_part = reader.text_or("core_part", "");
  design.endpoints_per_node = static_cast<int>(reader.integer("endpoints_per_node", {.min = 1}));
  design.gpus_per_node = static_cast<int>(reader.integer("gpus_per_node", {.min = 1}));
  design.device = reader.text_or("device", "");
  design.scale_up_domain_gpus = whole(reader, "scale_up_domain_gpus", design.gpus_per_node, 1);
  design.nodes_per_su = static_cast<int>(reader.integer("nodes_per_su", {.min = 1}));
  design.leaf_ports = static_cast<int>(reader.integer("leaf_ports", {.min = 2, .max = kMostPorts}));
  design.leaf_down_ports = whole(reader, "leaf_down_ports", design.leaf_ports / 2, 1);
  design.leaf_up_ports =
      whole(reader, "leaf_up_ports", std::max(0, design.leaf_ports - design.leaf_down_ports), 0);
  read_spine_ports(reader, design);
  if (reader.has("nodes_per_pod")) design.nodes_per_pod = whole(reader, "nodes_per_pod", 1, 1);
  if (reader.has("spine_up_ports")) design.spine_up_ports = whole(reader, "spine_up_ports", 1, 1);
  design.planes = whole(reader, "planes", 1, 1);
  if (reader.has("leaves_per_unit")) {
    design.leaves_per_unit = whole(reader, "leaves_per_unit", 1, 1);
  }
  design.uneven_uplinks = reader.boolean_or("uneven_uplinks", false);
  read_cables(reader, design);
  if (reader.has("assumed_tiers")) design.assumed_tiers = reader.texts("assumed_tiers");
  if (reader.has("spines_per_rail_per_su")) {
    design.spines_per_rail_per_su = whole(reader, "spines_per_rail_per_su", 1, 1);
  }
  design.core_ports = whole(reader, "core_ports", design.spine_ports, 2);
  design.link_gbit_per_s = reader.number("link_gbit_per_s", {.min = 1});
  design.uplink_gbit_per_s =
      reader.number_or("uplink_gbit_per_s", design.link_gbit_per_s, {.min = 1});
  if (reader.has("generations")) read_generations(reader, design);
  if (reader.has("management")) read_management(reader.object("management"), design);
  design.ports_per_switch_transceiver = whole(reader, "ports_per_switch_transceiver", 1, 1);
  design.ports_per_node_transceiver = whole(reader, "ports_per_node_transceiver", 1, 1);
  if (reader.has("max_nodes")) design.max_nodes = whole(reader, "max_nodes", 1, 1);
  if (reader.has("published_as")) design.published_as = reader.texts("published_as");
  const FactOrigin origin = read_origin(reader);
  design.source = origin.source;
  design.status = origin.status;
  design.confidence = origin.confidence;
  if (reader.has("notes")) design.notes = reader.texts("notes");
  reader.ignore({"notes", "management", "generations", "max_nodes", "spines_per_rail_per_su",
                 "nodes_per_pod", "spine_up_ports", "assumed_tiers", "leaves_per_unit", "backplane",
                 "published_as"});
  reader.finish();
  check_ports(reader, design);
  problems.throw_if_any();
  return design;
}

std::optional<FabricDesign> find_published_design(const DataLocator& data, std::string_view name) {
  for (const std::string& id : data.ids("topology/fabrics")) {
    FabricDesign design = read_fabric_design(data.find(id, "topology/fabrics"));
    for (const std::string& known : design.published_as) {
      if (is_called(known, name)) return design;
    }
  }
  return std::nullopt;
}

}  // namespace rackwright::topology
