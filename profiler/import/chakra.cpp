#include <algorithm>
#include <array>
#include <map>
#include <unordered_map>

#include <fmt/format.h>

#include "common/json_document.hpp"
#include "profiler/import/import.hpp"
#include "profiler/import/text_lines.hpp"
#include "profiler/import/wire_format.hpp"

namespace rackwright::profiler {

namespace fs = std::filesystem;
using nlohmann::ordered_json;

namespace {

constexpr double kChakraMicro = 1e-6;

/// NodeType of mlcommons/chakra schema/protobuf/et_def.proto.
constexpr std::array<std::string_view, 8> kNodeTypes{"invalid",      "metadata",  "memory load",
                                                     "memory store", "compute",   "send",
                                                     "receive",      "collective"};
enum NodeType : std::uint64_t { kCompute = 4, kSend = 5, kReceive = 6, kCollective = 7 };

struct Node {
  std::uint64_t id = 0, type = 0;
  std::string name;
  double start_us = 0, duration_us = 0;
  bool on_cpu = true;
  double bytes = -1;
  std::vector<std::uint64_t> after;  ///< data and control dependencies
};

/// A node's `attr`: 1 name, 9 int64, 13 uint64, 27 bool of the `value` oneof.
void read_attribute(std::string_view bytes, Node& node) {
  WireReader reader(bytes);
  std::string_view name;
  std::uint64_t value = 0;
  bool has_value = false;
  while (const auto field = reader.next()) {
    if (field->number == 1) name = field->bytes;
    if (field->number >= 7 && field->number <= 27 && field->bytes.empty()) {
      value = field->value;
      has_value = true;
    }
  }
  if (name == "is_cpu_op" && has_value) node.on_cpu = value != 0;
  if (name == "comm_size" && has_value) node.bytes = static_cast<double>(value);
}

void read_ids(const WireReader::Field& field, std::vector<std::uint64_t>& ids) {
  if (field.bytes.empty()) {
    ids.push_back(field.value);  // written one by one
    return;
  }
  WireReader packed(field.bytes);
  while (!packed.done()) {
    const auto id = packed.varint();
    if (!id) return;
    ids.push_back(*id);
  }
}

/// Node: 1 id, 2 name, 3 type, 4 control and 5 data dependencies, 6 start and 7 duration in us,
/// 10 attributes.
bool read_node(std::string_view bytes, Node& node) {
  WireReader reader(bytes);
  while (const auto field = reader.next()) {
    switch (field->number) {
      case 1:
        node.id = field->value;
        break;
      case 2:
        node.name = std::string(field->bytes);
        break;
      case 3:
        node.type = field->value;
        break;
      case 4:
      case 5:
        read_ids(*field, node.after);
        break;
      case 6:
        node.start_us = static_cast<double>(field->value);
        break;
      case 7:
        node.duration_us = static_cast<double>(field->value);
        break;
      case 10:
        read_attribute(field->bytes, node);
        break;
      default:
        break;
    }
  }
  return !reader.damaged();
}

/// A metadata message, then the nodes, each behind its length.
std::vector<Node> read_protobuf(const fs::path& path, const std::string& bytes) {
  std::vector<Node> nodes;
  WireReader reader(bytes);
  bool metadata = true;
  while (!reader.done()) {
    const std::size_t at = reader.offset();
    const auto size = reader.varint();
    const auto message = size ? reader.take(*size) : std::nullopt;
    Node node;
    if (!message || (!metadata && !read_node(*message, node))) {
      throw bad_input(path, 0, fmt::format("byte {}", at),
                      "a Chakra message behind its length (protobuf .et)", "other bytes");
    }
    if (!metadata) nodes.push_back(std::move(node));
    metadata = false;
  }
  return nodes;
}

std::vector<Node> read_graph(const fs::path& path) {
  const auto document = JsonDocument::parse_file(path);
  const auto& root = document.root();
  if (!root.is_object() || !root.contains("workload_graph")) {
    throw bad_input(path, 0, "/workload_graph", "the nodes of a Chakra trace", "nothing");
  }
  std::vector<Node> nodes;
  for (const auto& row : root.at("workload_graph")) {
    const std::string where = fmt::format("/workload_graph/{}", nodes.size());
    if (!row.is_object() || !row.contains("Id") || !row.at("Id").is_number_unsigned()) {
      throw bad_input(path, document.line_of(where), where, "a node with Id", "another value");
    }
    Node node;
    node.id = row.at("Id").get<std::uint64_t>();
    node.name = row.value("Name", "");
    node.type = row.value("NodeType", std::uint64_t{0});
    node.duration_us = row.value("runtime", 0.0);
    node.on_cpu = row.value("is_cpu_op", true);
    node.bytes = row.value("comm_size", -1.0);
    for (const char* key : {"ctrlDeps", "ctrl_deps", "data_deps", "dataDeps"}) {
      if (!row.contains(key)) continue;
      for (const auto& id : row.at(key)) node.after.push_back(id.get<std::uint64_t>());
    }
    nodes.push_back(std::move(node));
  }
  return nodes;
}

EventKind kind_of(const Node& node) {
  if (node.type == kSend || node.type == kReceive || node.type == kCollective) {
    return node.on_cpu ? EventKind::op : EventKind::collective;
  }
  if (node.type != kCompute) return EventKind::other;
  return node.on_cpu ? EventKind::op : EventKind::kernel;
}

/// A node starts when the nodes before it have ended and its lane (host, GPU compute, GPU
/// collectives) is free; nodes are in the order of the file, which is one that can run.
void lay_out(std::vector<Node>& nodes) {
  std::unordered_map<std::uint64_t, double> end_of;
  std::array<double, 3> free_at{};
  for (Node& node : nodes) {
    const EventKind kind = kind_of(node);
    const std::size_t lane = kind == EventKind::kernel ? 1 : kind == EventKind::collective ? 2 : 0;
    double start = free_at[lane];
    for (const std::uint64_t id : node.after) {
      const auto before = end_of.find(id);
      if (before != end_of.end()) start = std::max(start, before->second);
    }
    node.start_us = start;
    free_at[lane] = end_of[node.id] = start + node.duration_us;
  }
}

void count_types(const std::vector<Node>& nodes, Recording& recording) {
  std::map<std::string, std::uint64_t> counts;
  for (const Node& node : nodes) {
    const std::string_view type =
        node.type < kNodeTypes.size() ? kNodeTypes[node.type] : std::string_view("unknown");
    ++counts[fmt::format("{} on {}", type, node.on_cpu ? "CPU" : "GPU")];
  }
  for (const auto& [what, count] : counts) recording.counts.push_back({what, count, count, ""});
}

}  // namespace

Recording read_chakra(const fs::path& path, const ImportProgress&) {
  const std::string bytes = read_file(path);
  const std::size_t first = bytes.find_first_not_of(" \t\r\n");
  if (first == std::string::npos) throw bad_input(path, 0, "", "a Chakra trace", "an empty file");
  std::vector<Node> nodes = bytes[first] == '{' ? read_graph(path) : read_protobuf(path, bytes);
  if (nodes.empty()) throw bad_input(path, 0, "", "nodes", "none");
  Recording recording;
  recording.format = "chakra";
  const bool timed =
      std::any_of(nodes.begin(), nodes.end(), [](const Node& n) { return n.start_us > 0; });
  if (!timed) {
    lay_out(nodes);
    recording.notes.push_back(
        "the trace has no start times: nodes are laid out as their dependencies allow, one lane "
        "each "
        "for host, GPU compute and GPU collectives");
  }
  count_types(nodes, recording);
  NameTable name(recording.names);
  recording.tracks = {{-1, "host"}, {0, "compute"}, {0, "collectives"}};
  for (const Node& node : nodes) {
    const EventKind kind = kind_of(node);
    const std::uint32_t track = kind == EventKind::kernel       ? 1
                                : kind == EventKind::collective ? 2
                                                                : 0;
    recording.events.push_back({node.start_us * kChakraMicro, node.duration_us * kChakraMicro,
                                track, name(node.name), kind, node.bytes});
  }
  settle(recording);
  return recording;
}

}  // namespace rackwright::profiler
