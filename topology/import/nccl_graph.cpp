#include "topology/import/nccl_graph.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <set>

#include <fmt/format.h>

#include "common/csv_reader.hpp"
#include "common/input_error.hpp"
#include "topology/import/node_topology.hpp"

namespace rackwright::topology {

namespace {

/// NCCL_TOPO_PATTERN_* of src/include/graph.h, from 1; 3 is a chain of trees, as CollNet takes it.
constexpr std::array<std::string_view, 6> kPatterns{"tree", "tree", "collnet_chain",
                                                    "ring", "nvls", "collnet_direct"};

class GraphReader {
 public:
  explicit GraphReader(const std::filesystem::path& path) : file_(path.string()) {}

  std::vector<NcclGraph> read(const XmlElement& root) const {
    if (root.name != "graphs") {
      fail(root, "", "<graphs> of an NCCL graph file",
           fmt::format("<{}>{}", root.name,
                       root.name == "system" ? ", a file for \"import nccl-topo\"" : ""));
    }
    std::vector<NcclGraph> graphs;
    for (const XmlElement& child : root.children) {
      if (child.name == "graph") graphs.push_back(graph(child));
    }
    if (graphs.empty()) fail(root, "graph", "at least one", "none");
    return graphs;
  }

 private:
  [[noreturn]] void fail(const XmlElement& at, const std::string& field,
                         const std::string& expected, const std::string& found) const {
    throw InputError(InputProblem{file_, at.line, field, expected, found});
  }

  double number(const XmlElement& element, const char* key) const {
    const std::string text = element.attribute(key);
    double value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size() || value < 0) {
      fail(element, key, "a number >= 0", text.empty() ? "nothing" : fmt::format("\"{}\"", text));
    }
    return value;
  }

  NcclGraph graph(const XmlElement& element) const {
    const double pattern = number(element, "pattern");
    if (pattern < 1 || pattern > kPatterns.size() || pattern != std::floor(pattern)) {
      fail(element, "pattern", "1 to 6", element.attribute("pattern"));
    }
    NcclGraph graph;
    graph.algorithm = kPatterns[static_cast<std::size_t>(pattern) - 1];
    graph.intra_gb_per_s = number(element, "speedintra");
    graph.inter_gb_per_s = number(element, "speedinter");
    graph.intra_path = element.attribute("typeintra");
    graph.inter_path = element.attribute("typeinter");
    graph.line = element.line;
    std::set<std::string> nics;
    for (const XmlElement& child : element.children) {
      if (child.name == "channel") graph.channels.push_back(channel(child, nics));
    }
    graph.nics = static_cast<int>(nics.size());
    if (number(element, "nchannels") != static_cast<double>(graph.channels.size())) {
      fail(element, "nchannels", fmt::format("{}, as channels follow", graph.channels.size()),
           element.attribute("nchannels"));
    }
    if (graph.algorithm == "ring") check_rings(element, graph);
    return graph;
  }

  std::vector<std::string> channel(const XmlElement& element, std::set<std::string>& nics) const {
    std::vector<std::string> gpus;
    for (const XmlElement& child : element.children) {
      if (child.name == "net") nics.insert(child.attribute("dev"));
      if (child.name != "gpu") continue;
      gpus.push_back(child.attribute("dev"));
      if (gpus.back().empty()) fail(child, "dev", "the number of a GPU", "nothing");
    }
    return gpus;
  }

  void check_rings(const XmlElement& element, const NcclGraph& graph) const {
    std::set<std::string> all;
    for (const auto& ring : graph.channels) all.insert(ring.begin(), ring.end());
    for (const auto& ring : graph.channels) {
      if (ring.size() == all.size() && std::set(ring.begin(), ring.end()) == all) continue;
      fail(element, "channel", fmt::format("a ring that passes each of {} GPUs once", all.size()),
           fmt::format("{}", fmt::join(ring, " ")));
    }
  }

  std::string file_;
};

double rounded(double gb_per_s) {
  return std::round(gb_per_s * 100) / 100;
}

void add_facts(const NcclGraph& graph, nlohmann::ordered_json& facts) {
  const auto key = [&](const char* rest) { return fmt::format("{}_{}", graph.algorithm, rest); };
  facts[key("channel_count")] = graph.channels.size();
  if (graph.channels.empty()) return;
  facts[key("gb_per_s")] = rounded(graph.bandwidth_gb_per_s());
  if (!graph.intra_path.empty()) facts[key("path")] = graph.intra_path;
  if (graph.nics == 0) return;
  facts[key("nic_count")] = graph.nics;
  facts[key("to_network_gb_per_s")] =
      rounded(static_cast<double>(graph.channels.size()) * graph.inter_gb_per_s);
}

/// "rings: 0 1 2 3; 0 3 2 1".
std::string ring_text(const NcclGraph& graph) {
  std::string text;
  for (const auto& ring : graph.channels) {
    text += fmt::format("{} {}", text.empty() ? "Rings:" : ";", fmt::join(ring, " "));
  }
  return text;
}

}  // namespace

std::vector<NcclGraph> read_nccl_graphs(const std::filesystem::path& path) {
  return GraphReader(path).read(parse_xml(read_file(path), path.string()));
}

nlohmann::ordered_json graph_part(const std::vector<NcclGraph>& graphs, const std::string& id,
                                  const std::string& source) {
  nlohmann::ordered_json facts;
  std::set<std::string> gpus;
  std::string notes =
      "Rates are channels x speed of a channel, as NCCL estimates them: one direction of a GPU.";
  for (const NcclGraph& graph : graphs) {
    for (const auto& channel : graph.channels) gpus.insert(channel.begin(), channel.end());
  }
  facts["gpu_count"] = gpus.size();
  for (const NcclGraph& graph : graphs) {
    add_facts(graph, facts);
    if (graph.algorithm == "ring" && !graph.channels.empty()) notes += " " + ring_text(graph) + ".";
  }
  nlohmann::ordered_json part = {
      {"id", id},         {"kind", "node"},      {"name", id},           {"facts", facts},
      {"source", source}, {"status", "derived"}, {"confidence", "high"}, {"notes", notes}};
  return {{"format_version", 1}, {"parts", nlohmann::ordered_json::array({part})}};
}

}  // namespace rackwright::topology
