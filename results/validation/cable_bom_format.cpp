#include "results/validation/cable_bom_format.hpp"

#include <algorithm>
#include <cctype>
#include <map>
#include <optional>

#include <fmt/format.h>

#include "common/csv_reader.hpp"
#include "topology/cabling/pod_items.hpp"
#include "topology/network/fabric.hpp"

namespace rackwright::results {

namespace {

using topology::FabricCounts;

std::string lower(std::string text) {
  for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}
bool has(const std::string& text, std::initializer_list<const char*> words) {
  return std::any_of(words.begin(), words.end(),
                     [&](const char* word) { return text.find(word) != std::string::npos; });
}
/// The number before the last whole `word`: 4 of "dgx h100 superpod 4 su".
std::optional<int> number_before(const std::string& text, const std::string& word) {
  std::size_t at = text.rfind(word);
  while (at != std::string::npos && at + word.size() < text.size() &&
         std::isalpha(static_cast<unsigned char>(text[at + word.size()]))) {
    at = at == 0 ? std::string::npos : text.rfind(word, at - 1);
  }
  if (at == std::string::npos) return std::nullopt;
  std::size_t end = at;
  while (end > 0 && text[end - 1] == ' ') --end;
  std::size_t begin = end;
  while (begin > 0 && std::isdigit(static_cast<unsigned char>(text[begin - 1]))) --begin;
  if (begin == end || end - begin > 6) return std::nullopt;
  return std::stoi(text.substr(begin, end - begin));
}

/// A system of the tables as a fabric and a number of nodes.
struct System {
  std::string fabric;
  int nodes = 0;
};

/// "DGX H100 SuperPOD 4 SU" is 4 units of 32 nodes less the one the fabric manager displaces.
std::optional<System> superpod(const std::string& name, const DataLocator& data) {
  const auto units = number_before(name, " su");
  if (!units || !has(name, {"superpod"})) return std::nullopt;
  const std::string ideal = has(name, {"ideal"}) ? "-ideal" : "";
  std::string id;
  if (has(name, {"h100"})) id = "dgx-h100-superpod" + ideal;
  if (has(name, {"b200"}) && !has(name, {"gb200"})) id = "dgx-b200-superpod-ideal";
  if (has(name, {"b300"})) {
    id = has(name, {"x800", "infiniband", "ib"}) ? "dgx-b300-superpod-ib" : "dgx-b300-superpod-eth";
  }
  if (has(name, {"gb200"})) id = "gb200-superpod";
  if (id.empty()) return std::nullopt;
  const auto design = topology::read_fabric_design(data.find(id, "topology/fabrics"));
  return System{id, *units * design.nodes_per_su - (design.management_displaces_node ? 1 : 0)};
}

std::optional<System> system_of(const std::string& printed, const DataLocator& data) {
  const std::string name = lower(printed);
  if (auto system = superpod(name, data)) return system;
  if (has(name, {"basepod"})) {
    const auto nodes = number_before(name, " nodes");
    return nodes ? std::optional(System{"dgx-basepod-h100", *nodes}) : std::nullopt;
  }
  if (has(name, {"nvl36x2"})) return System{"nvl36x2", 18};
  if (has(name, {"nvl576"})) return System{"nvl576", 144};
  if (has(name, {"nvl72"})) return System{has(name, {"optic"}) ? "nvl72-optical" : "nvl72", 18};
  return std::nullopt;
}

/// One line of a table, in small letters.
struct Line {
  std::string item, connection;
};

std::optional<long long> transceivers(const Line& line, const FabricCounts& counts) {
  const std::string both = line.item + " " + line.connection;
  if (has(both, {"ufm"})) return counts.management_transceivers;
  const bool node = has(both, {"system", "dgx", "flat", "nic", "gpu side", "compute tray"});
  const bool at_switch = has(both, {"switch", "leaf", "spine", "finned"});
  if (node && !at_switch) return counts.node_transceivers;
  // "OSFP twin-port system transceiver, DGX" names the node twice; "switch transceiver" the switch.
  if (at_switch && !node) return counts.switch_transceivers;
  if (has(line.item, {"system", "flat"})) return counts.node_transceivers;
  if (has(line.item, {"switch", "finned"})) return counts.switch_transceivers;
  return counts.node_transceivers + counts.switch_transceivers;
}

/// Copper or fibre that is pulled.
std::optional<long long> cables(const Line& line, const FabricCounts& counts) {
  const std::string both = line.item + " " + line.connection;
  if (has(both, {"pair"})) return counts.backplane_pairs;
  if (has(both, {"cartridge"})) return counts.backplane_cartridges;
  if (has(both, {"ufm"})) return counts.management_cables;
  if (has(both, {"isl", "inter-switch", "between racks", "rack to rack", "across"})) {
    return counts.joining_cables > 0 ? std::optional<long long>(counts.joining_cables)
                                     : std::nullopt;
  }
  return counts.link_cables;
}

std::optional<long long> fabric_line(const Line& line, const topology::FabricDesign& design,
                                     const FabricCounts& counts) {
  const std::string both = line.item + " " + line.connection;
  // What does not belong to the compute fabric is looked up among the pod's items.
  if (has(both, {"storage", "oob", "out-of-band", "in-band", "1 gbe", "cat6", "100g", "pdu",
                 "rack pdu", "management server", "sn2201", "sn4600"})) {
    return std::nullopt;
  }
  if (has(line.item, {"ports per gpu", "links per gpu"})) return design.planes;
  if (has(line.item, {"transceiver"}) ||
      (has(line.item, {"osfp"}) && has(line.item, {"flat", "finned", "twin", "module"}))) {
    return transceivers(line, counts);
  }
  if (has(line.item, {"dac", "cable", "fibre", "fiber", "cartridge", "acc", "copper", "pair"})) {
    return cables(line, counts);
  }
  if (has(line.item, {"asic", "qm9700", "switch", "sn5600", "q3400", "nvswitch"})) {
    if (has(line.item, {"leaf"})) return counts.leaf;
    if (has(line.item, {"spine"})) return counts.spine;
    if (has(line.item, {"core"})) return counts.core;
    return counts.leaf + counts.spine + counts.core;
  }
  return std::nullopt;
}

class Bills {
 public:
  explicit Bills(const DataLocator& data) : data_(&data), catalog_(topology::Catalog::load(data)) {
    for (const std::string& id : data.ids(topology::kPodFolder)) {
      pods_.push_back(topology::read_pod_items(data.find(id, topology::kPodFolder)));
    }
  }

  struct Answer {
    std::optional<long long> count;
    std::string why_not;
  };
  Answer answer(const std::string& system_name, const std::string& item,
                const std::string& connection) {
    const Line line{lower(item), lower(connection)};
    auto system = system_of(system_name, *data_);
    if (!system) return {std::nullopt, "no model of this system"};
    // The scale-out leaves of an NVL72 belong to another fabric than its NVLink domain.
    if (system->fabric == "nvl72" && has(line.item, {"qm9700", "leaf"})) {
      system = System{"gb200-nvl72-by-rack", 4 * 18};
      if (const auto racks = number_before(line.connection, " racks")) system->nodes = *racks * 18;
    }
    for (const auto& pod : pods_) {
      if (pod.fabric != system->fabric) continue;
      for (const auto& entry : pod.items) {
        if (lower(entry.item) != line.item || lower(entry.use) != line.connection) continue;
        const auto count = topology::count_pod_item(pod, entry, system->nodes);
        if (count) return {*count, ""};
        return {std::nullopt, fmt::format("printed for {} nodes only: no rule for {}",
                                          *entry.only_nodes, system->nodes)};
      }
    }
    return fabric_answer(line, *system);
  }

 private:
  Answer fabric_answer(const Line& line, const System& system) {
    try {
      const auto design =
          topology::read_fabric_design(data_->find(system.fabric, "topology/fabrics"));
      const auto counts = topology::count_fabric(design, system.nodes, catalog_);
      const auto count = fabric_line(line, design, counts);
      if (count) return {*count, ""};
      return {std::nullopt, "not part of the compute fabric, and no rule for it"};
    } catch (const InputError& error) {
      return {std::nullopt, fmt::format("the design refuses: {}", error.what())};
    }
  }

  const DataLocator* data_;
  topology::Catalog catalog_;
  std::vector<topology::PodItems> pods_;
};

std::vector<ValidationRow> cable_bom_rows(const ValidationRequest& request, const DataLocator& data,
                                          const ProgressCallback&) {
  Bills bills(data);
  std::vector<ValidationRow> rows;
  for (const auto& path : request.paths) {
    CsvReader csv(path, {.required = {"system", "item", "connection", "count"}});
    while (csv.next()) {
      const auto printed = csv.optional_number("count");
      if (!printed) continue;
      ValidationRow row;
      row.row = csv.column("case_id") ? csv.cell("case_id")
                                      : fmt::format("{}:{}", path.filename().string(), csv.line());
      row.group = csv.cell("system");
      row.measured = *printed;
      row.unit = "1";
      const auto answer =
          bills.answer(csv.cell("system"), csv.cell("item"), csv.cell("connection"));
      row.predicted = static_cast<double>(answer.count.value_or(0));
      row.low = row.high = row.predicted;
      row.excluded = answer.why_not;
      const std::string erratum = csv.column("erratum") ? csv.cell("erratum") : "";
      if (answer.count && !erratum.empty() && row.predicted != row.measured) {
        row.excluded = fmt::format("the table errs: {} counted, {}", row.predicted, erratum);
      }
      rows.push_back(std::move(row));
    }
  }
  return rows;
}

}  // namespace

ValidationFormat cable_bom_format() {
  ValidationFormat format;
  format.name = "cable-bom";
  format.summary = "Published bills of material: cables, modules, switches; integers to be met";
  format.baseline = "none";
  format.file_suffix = ".csv";
  format.quantities = {"count"};
  format.run = &cable_bom_rows;
  return format;
}

}  // namespace rackwright::results
