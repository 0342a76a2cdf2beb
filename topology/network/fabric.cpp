#include "topology/network/fabric.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "common/json_document.hpp"
#include "topology/fact_reader.hpp"

namespace rackwright::topology {

namespace {

constexpr int kFormatVersion = 1;
constexpr int kMostPorts = 4096;

int ceil_divide(int a, int b) {
  return (a + b - 1) / b;
}

int whole(ObjectReader& reader, const char* key, int fallback, double min) {
  return static_cast<int>(reader.integer_or(key, fallback, {.min = min, .max = 1e6}));
}

void read_spine_ports(ObjectReader& reader, FabricDesign& design) {
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

void check_ports(ObjectReader& reader, const FabricDesign& design) {
  if (design.leaf_down_ports + design.leaf_up_ports <= design.leaf_ports) return;
  reader.problem(
      "leaf_up_ports",
      fmt::format("at most the {} ports left of {}",
                  std::max(0, design.leaf_ports - design.leaf_down_ports), design.leaf_ports),
      std::to_string(design.leaf_up_ports));
}

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

void count_leaves(const FabricDesign& design, FabricCounts& counts) {
  // A displaced node still has its ports: the unit is built for it.
  const int places = counts.nodes + (design.management_displaces_node ? 1 : 0);
  counts.scalable_units = ceil_divide(places, design.nodes_per_su);
  const int full_units = places / design.nodes_per_su;
  const int rest = places % design.nodes_per_su;
  const int per_rail = full_units * ceil_divide(design.nodes_per_su, design.leaf_down_ports) +
                       ceil_divide(rest, design.leaf_down_ports);
  counts.leaf = design.endpoints_per_node * per_rail;
  counts.node_leaf_cables = counts.nodes * design.endpoints_per_node + design.management_cables;
  counts.leaf_spine_cables = counts.leaf * design.leaf_up_ports;
  if (design.management_displaces_node) {
    counts.notes.push_back(fmt::format(
        "The fabric manager takes the ports of one node of the last scalable unit: {} "
        "nodes where {} would fit, {} links to the manager counted with the node links.",
        counts.nodes, counts.nodes + 1, design.management_cables));
  }
  if (rest != 0 && counts.scalable_units > 1) {
    counts.notes.push_back(
        fmt::format("The last scalable unit holds {} of {} nodes; its rails keep a leaf each.",
                    rest, design.nodes_per_su));
  }
}

/// Spines by the divisor rule, of the smallest switch that carries it. False when none does.
bool count_spines_two_tier(const FabricDesign& design, FabricCounts& counts) {
  if (design.spines_per_rail_per_su) {
    counts.spine_ports = design.spine_ports;
    counts.spine =
        *design.spines_per_rail_per_su * design.endpoints_per_node * counts.scalable_units;
    return true;
  }
  for (const int ports : design.spine_port_options) {
    const int needed = ceil_divide(counts.leaf_spine_cables, ports);
    const auto spines = smallest_divisor(design.leaf_up_ports, needed);
    if (!spines) continue;
    counts.spine = *spines;
    counts.spine_ports = ports;
    if (*spines > needed) {
      counts.notes.push_back(fmt::format(
          "{} spines carry the {} uplinks, but a leaf's {} uplinks do not spread evenly over {}: "
          "{} is the next divisor of {}, and {} ports of each spine stay free.",
          needed, counts.leaf_spine_cables, design.leaf_up_ports, needed, *spines,
          design.leaf_up_ports, ports - counts.leaf_spine_cables / *spines));
    }
    return true;
  }
  return false;
}

void count_three_tier(const FabricDesign& design, FabricCounts& counts) {
  counts.spine_ports = design.spine_port_options.back();
  const int half = counts.spine_ports / 2;
  // A core switch has one port per pod, and the spines of a pod reach `half` leaves.
  const long long most_leaves = static_cast<long long>(design.core_ports) * half;
  if (counts.leaf > most_leaves) {
    refuse(design,
           fmt::format("at most {} nodes: three tiers carry no more",
                       most_leaves * design.leaf_down_ports / design.endpoints_per_node),
           counts.nodes);
  }
  counts.spine = ceil_divide(counts.leaf_spine_cables, half);
  counts.spine_core_cables = counts.leaf_spine_cables;
  counts.core = ceil_divide(counts.spine_core_cables, design.core_ports);
  counts.notes.push_back(fmt::format(
      "{} uplinks are more than two tiers carry; each spine splits its ports in half and {} core "
      "switches join them.",
      counts.leaf_spine_cables, counts.core));
  const bool even = counts.core > half ? counts.core % half == 0 : half % counts.core == 0;
  if (!even) {
    counts.notes.push_back(
        "The core does not divide evenly over the spines' uplinks: the count is the least that "
        "carries the links, a real plan may take more.");
  }
}

void count_ports(const FabricDesign& design, FabricCounts& counts) {
  counts.spare_leaf_ports =
      counts.leaf * design.leaf_ports - counts.node_leaf_cables - counts.leaf_spine_cables;
  counts.spare_spine_ports =
      counts.spine * counts.spine_ports - counts.leaf_spine_cables - counts.spine_core_cables;
  counts.spare_core_ports = counts.core * design.core_ports - counts.spine_core_cables;
  counts.link_cables = counts.nodes * design.endpoints_per_node + counts.leaf_spine_cables +
                       counts.spine_core_cables;
  counts.management_cables = design.management_cable_items;
}

/// Leaves are bought with every used half populated, those of a displaced node too; spines and core
/// with the cages that carry links.
void count_transceivers(const FabricDesign& design, FabricCounts& counts) {
  const int per = design.ports_per_switch_transceiver;
  const int leaf_cages = ceil_divide(design.leaf_down_ports + design.leaf_up_ports, per);
  counts.switch_transceivers =
      counts.leaf * leaf_cages +
      ceil_divide(counts.leaf_spine_cables + counts.spine_core_cables, per) +
      ceil_divide(counts.spine_core_cables, per);
  counts.node_transceivers =
      counts.nodes * ceil_divide(design.endpoints_per_node, design.ports_per_node_transceiver);
  counts.management_transceivers = design.management_transceivers;
}

void add_power(const FabricDesign& design, const Catalog& catalog, FabricCounts& counts) {
  const std::pair<std::string, int> tiers[] = {{design.leaf_part, counts.leaf},
                                               {design.spine_part, counts.spine},
                                               {design.core_part, counts.core}};
  bool typical = true, most = true;
  for (const auto& [id, count] : tiers) {
    if (count == 0) continue;
    const Part& part = catalog.require(id, design.file);
    const auto typical_w = part.number("typical_power_w");
    const auto max_w = part.number("max_power_w");
    typical = typical && typical_w.has_value();
    most = most && max_w.has_value();
    counts.switch_power_typical_w += count * typical_w.value_or(0);
    counts.switch_power_max_w += count * max_w.value_or(0);
  }
  if (!typical) counts.switch_power_typical_w = 0;
  if (!most) counts.switch_power_max_w = 0;
  if (!typical || !most) {
    counts.notes.push_back(fmt::format("{} power of {} is not published: left out.",
                                       !typical && !most ? "The"
                                       : typical         ? "The highest"
                                                         : "The typical",
                                       design.leaf_part));
  }
}

/// Halves of the nodes exchange over the uplinks, or over the node links where those are fewer.
void add_bandwidth(const FabricDesign& design, FabricCounts& counts) {
  constexpr double kBitsPerByte = 8, kGiga = 1e9;
  const double nodes = counts.nodes * design.endpoints_per_node * design.link_gbit_per_s;
  const double uplinks = counts.leaf_spine_cables * design.uplink_gbit_per_s;
  counts.bisection_bytes_per_s = std::min(nodes, uplinks) / 2 * kGiga / kBitsPerByte;
  const double down = design.leaf_down_ports * design.link_gbit_per_s;
  const double up = design.leaf_up_ports * design.uplink_gbit_per_s;
  counts.oversubscription = std::max(1.0, down / up);
}

}  // namespace

FabricDesign read_fabric_design(const std::filesystem::path& path) {
  const JsonDocument document = JsonDocument::parse_file(path);
  ProblemList problems;
  ObjectReader reader(document, problems);
  reader.check_format_version(kFormatVersion);
  FabricDesign design;
  design.file = document.name();
  design.id = reader.text("id");
  design.name = reader.text("name");
  design.leaf_part = reader.text("leaf_part");
  design.spine_part = reader.text("spine_part");
  design.core_part = reader.text_or("core_part", "");
  design.endpoints_per_node = static_cast<int>(reader.integer("endpoints_per_node", {.min = 1}));
  design.gpus_per_node = static_cast<int>(reader.integer("gpus_per_node", {.min = 1}));
  design.nodes_per_su = static_cast<int>(reader.integer("nodes_per_su", {.min = 1}));
  design.leaf_ports = static_cast<int>(reader.integer("leaf_ports", {.min = 2, .max = kMostPorts}));
  design.leaf_down_ports = whole(reader, "leaf_down_ports", design.leaf_ports / 2, 1);
  design.leaf_up_ports =
      whole(reader, "leaf_up_ports", std::max(1, design.leaf_ports - design.leaf_down_ports), 1);
  read_spine_ports(reader, design);
  if (reader.has("spines_per_rail_per_su")) {
    design.spines_per_rail_per_su = whole(reader, "spines_per_rail_per_su", 1, 1);
  }
  design.core_ports = whole(reader, "core_ports", design.spine_ports, 2);
  design.link_gbit_per_s = reader.number("link_gbit_per_s", {.min = 1});
  design.uplink_gbit_per_s =
      reader.number_or("uplink_gbit_per_s", design.link_gbit_per_s, {.min = 1});
  if (reader.has("management")) read_management(reader.object("management"), design);
  design.ports_per_switch_transceiver = whole(reader, "ports_per_switch_transceiver", 1, 1);
  design.ports_per_node_transceiver = whole(reader, "ports_per_node_transceiver", 1, 1);
  if (reader.has("max_nodes")) design.max_nodes = whole(reader, "max_nodes", 1, 1);
  const FactOrigin origin = read_origin(reader);
  design.source = origin.source;
  design.status = origin.status;
  design.confidence = origin.confidence;
  if (reader.has("notes")) design.notes = reader.texts("notes");
  reader.ignore({"notes", "management", "max_nodes", "spines_per_rail_per_su"});
  reader.finish();
  check_ports(reader, design);
  problems.throw_if_any();
  return design;
}

FabricCounts count_fabric(const FabricDesign& design, int nodes, const Catalog& catalog) {
  if (nodes < 1) refuse(design, "at least one node", nodes);
  if (design.max_nodes && nodes > *design.max_nodes) {
    refuse(design, fmt::format("at most {}: the rule is published up to there", *design.max_nodes),
           nodes);
  }
  constexpr int kMostNodes = 100000;  // far above any built fabric; keeps products inside int
  if (nodes > kMostNodes) refuse(design, fmt::format("at most {} nodes", kMostNodes), nodes);
  FabricCounts counts;
  counts.nodes = nodes;
  counts.gpus = nodes * design.gpus_per_node;
  counts.notes = design.notes;
  count_leaves(design, counts);
  if (!count_spines_two_tier(design, counts)) {
    if (design.core_part.empty()) {
      const long long most = static_cast<long long>(design.spine_port_options.back()) *
                             design.leaf_down_ports / design.endpoints_per_node;
      refuse(design,
             fmt::format("at most {} nodes: two tiers of {}-port spines carry no more", most,
                         design.spine_port_options.back()),
             nodes);
    }
    count_three_tier(design, counts);
  }
  count_ports(design, counts);
  count_transceivers(design, counts);
  add_power(design, catalog, counts);
  add_bandwidth(design, counts);
  return counts;
}

}  // namespace rackwright::topology
