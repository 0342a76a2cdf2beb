#include "cli/fabric_command.hpp"

#include <limits>
#include <ostream>

#include <fmt/format.h>

#include "cli/option_values.hpp"
#include "cli/text_table.hpp"
#include "common/input_error.hpp"
#include "topology/network/fabric.hpp"

namespace rackwright::cli {

namespace {

nlohmann::ordered_json to_json(const topology::FabricDesign& design,
                               const topology::FabricCounts& counts) {
  nlohmann::ordered_json json;
  json["design"] = design.id;
  json["nodes"] = counts.nodes;
  json["gpus"] = counts.gpus;
  json["leaf"] = counts.leaf;
  json["spine"] = counts.spine;
  json["core"] = counts.core;
  json["node_leaf_cables"] = counts.node_leaf_cables;
  json["leaf_spine_cables"] = counts.leaf_spine_cables;
  json["spine_core_cables"] = counts.spine_core_cables;
  json["switch_transceivers"] = counts.switch_transceivers;
  json["node_transceivers"] = counts.node_transceivers;
  json["management_transceivers"] = counts.management_transceivers;
  json["spare_leaf_ports"] = counts.spare_leaf_ports;
  json["spare_spine_ports"] = counts.spare_spine_ports;
  json["switch_power_typical_w"] = counts.switch_power_typical_w;
  json["switch_power_max_w"] = counts.switch_power_max_w;
  json["bisection_bytes_per_s_one_direction"] = counts.bisection_bytes_per_s;
  json["notes"] = counts.notes;
  json["source"] = design.source;
  return json;
}

std::string table(const topology::FabricDesign& design, const topology::FabricCounts& counts) {
  TextTable rows({{"quantity"}, {"count", TextTable::Align::right}});
  const auto add = [&](const char* name, double value) {
    rows.add({name, fmt::format("{:.0f}", value)});
  };
  add("nodes", counts.nodes);
  add("GPUs", counts.gpus);
  add("leaf switches", counts.leaf);
  add("spine switches", counts.spine);
  add("core switches", counts.core);
  add("cables node to leaf", counts.node_leaf_cables);
  add("cables leaf to spine", counts.leaf_spine_cables);
  add("cables spine to core", counts.spine_core_cables);
  add("transceivers in switches", counts.switch_transceivers);
  add("transceivers in nodes", counts.node_transceivers);
  add("transceivers for management", counts.management_transceivers);
  add("spare leaf ports", counts.spare_leaf_ports);
  add("spare spine ports", counts.spare_spine_ports);
  add("switch power typical, W", counts.switch_power_typical_w);
  add("switch power maximum, W", counts.switch_power_max_w);
  add("bisection one direction, GB/s", counts.bisection_bytes_per_s / 1e9);
  std::string text = fmt::format("{}: {}\n\n{}", design.id, design.name, rows.text());
  for (const auto& note : counts.notes) text += "note: " + note + "\n";
  return text + "source: " + design.source + "\n";
}

}  // namespace

void FabricCommand::add_options(CLI::App& app) {
  app.add_option("--design", design_, "Fabric design: id or file")->required()->type_name("ID");
  app.add_option("--nodes", nodes_, "Nodes to connect")->required()->type_name("N");
  app.add_flag("--json", json_, "Print JSON");
}

int FabricCommand::run(CommandContext& context) {
  const auto nodes = parse_count(nodes_, "--nodes", 1);
  if (nodes > static_cast<std::uint64_t>(std::numeric_limits<int>::max())) {
    throw InputError(InputProblem{"", 0, "--nodes", "fewer nodes", nodes_});
  }
  const auto catalog = topology::Catalog::load(context.data);
  const auto design = topology::read_fabric_design(context.data.find(design_, "topology/fabrics"));
  const auto counts = topology::count_fabric(design, static_cast<int>(nodes), catalog);
  if (json_) {
    context.out << to_json(design, counts).dump(2) << '\n';
  } else {
    context.out << table(design, counts);
  }
  return kFine;
}

}  // namespace rackwright::cli
