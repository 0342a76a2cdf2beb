#include "topology/cabling/pod_items.hpp"

#include "common/json_document.hpp"
#include "topology/fact_reader.hpp"

namespace rackwright::topology {

PodItems read_pod_items(const std::filesystem::path& path) {
  constexpr int kPodItemsFormatVersion = 1;
  const JsonDocument document = JsonDocument::parse_file(path);
  ProblemList problems;
  ObjectReader reader(document, problems);
  reader.check_format_version(kPodItemsFormatVersion);
  PodItems pod;
  pod.file = document.name();
  pod.id = reader.text("id");
  pod.name = reader.text("name");
  pod.fabric = reader.text("fabric");
  pod.nodes_per_rack = static_cast<int>(reader.integer("nodes_per_rack", {.min = 1, .max = 1e4}));
  for (ObjectReader& entry : reader.objects("items")) {
    PodItem item;
    item.item = entry.text("item");
    item.use = entry.text_or("use", "");
    const ObjectReader::Range range{.min = 0, .max = 1e6};
    item.per_node = static_cast<int>(entry.integer_or("per_node", 0, range));
    item.per_rack = static_cast<int>(entry.integer_or("per_rack", 0, range));
    item.fixed = static_cast<int>(entry.integer_or("fixed", 0, range));
    if (entry.has("only_nodes")) {
      item.only_nodes = static_cast<int>(entry.integer("only_nodes", {.min = 1, .max = 1e6}));
    }
    entry.finish();
    pod.items.push_back(std::move(item));
  }
  const FactOrigin origin = read_origin(reader);
  pod.source = origin.source;
  pod.status = origin.status;
  pod.confidence = origin.confidence;
  reader.ignore({"$schema", "notes"});
  reader.finish();
  problems.throw_if_any();
  return pod;
}

std::optional<int> count_pod_item(const PodItems& pod, const PodItem& item, int nodes) {
  if (item.only_nodes && *item.only_nodes != nodes) return std::nullopt;
  const int racks = (nodes + pod.nodes_per_rack - 1) / pod.nodes_per_rack;
  return item.per_node * nodes + item.per_rack * racks + item.fixed;
}

}  // namespace rackwright::topology
