#include "topology/import/node_topology.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <functional>
#include <sstream>

#include <fmt/format.h>

#include "common/csv_reader.hpp"
#include "common/input_error.hpp"

namespace rackwright::topology {

namespace {

bool is_gpu(const XmlElement& pci) {
  const std::string kind = pci.attribute("class").substr(0, 6);
  return pci.name == "pci" && (kind == "0x0302" || kind == "0x0300");
}
bool is_nic(const XmlElement& pci) {
  const std::string kind = pci.attribute("class").substr(0, 6);
  return pci.name == "pci" && (kind == "0x0200" || kind == "0x0207");
}

void least(std::optional<double>& value, const std::optional<double>& other) {
  if (other) value = value ? std::min(*value, *other) : *other;
}

class NcclReader {
 public:
  explicit NcclReader(NodeTopology& node) : node_(node) {}

  /// `switch_of` is the PCI bridge above: what it holds directly is near to each other.
  void walk(const XmlElement& element, bool below_bridge) {
    int nics_here = 0;
    for (const XmlElement& child : element.children) nics_here += is_nic(child) ? 1 : 0;
    for (const XmlElement& child : element.children) {
      if (is_gpu(child)) {
        gpu(child, below_bridge ? nics_here : 0);
      } else if (is_nic(child)) {
        ++node_.nics;
        speeds(child);
      } else if (child.name == "cpu") {
        ++node_.numa_nodes;
        walk(child, false);
      } else if (child.name == "pci") {
        walk(child, true);
      } else if (child.name == "nic") {
        node_.nics += static_cast<int>(child.children.size());
        speeds(child);
      }
    }
  }

  int links = -1;  ///< fewest NVLinks of a GPU

 private:
  void gpu(const XmlElement& pci, int nics) {
    ++node_.gpus;
    node_.nics_near_gpu.push_back(nics);
    least(node_.pcie_gb_per_s,
          pcie_gb_per_s(pci.attribute("link_speed"), pci.attribute("link_width")));
    int count = 0;
    const std::function<void(const XmlElement&)> add = [&](const XmlElement& element) {
      if (element.name == "nvlink") count += std::atoi(element.attribute("count").c_str());
      for (const XmlElement& child : element.children) add(child);
    };
    add(pci);
    links = links < 0 ? count : std::min(links, count);
  }
  void speeds(const XmlElement& element) {
    if (element.name == "net") {
      const double mbit = std::atof(element.attribute("speed").c_str());
      if (mbit > 0) least(node_.nic_gbit_per_s, mbit / 1000);
    }
    for (const XmlElement& child : element.children) speeds(child);
  }

  NodeTopology& node_;
};

}  // namespace

std::optional<double> pcie_gb_per_s(const std::string& speed, const std::string& width) {
  const double gigatransfers = std::atof(speed.c_str());
  const double lanes = std::atof(width.c_str());
  if (!(gigatransfers > 0) || !(lanes > 0)) return std::nullopt;
  const double coding = gigatransfers >= 8 ? 128.0 / 130 : 0.8;
  return gigatransfers * lanes * coding / 8;
}

NodeTopology read_nccl_topology(const std::filesystem::path& path) {
  const XmlElement root = parse_xml(read_file(path), path.string());
  if (root.name != "system") {
    const std::string graphs = root.name == "graphs" ? ", a file for \"import nccl-graph\"" : "";
    throw InputError(InputProblem{path.string(), root.line, "", "<system> of an NCCL topology file",
                                  fmt::format("<{}>{}", root.name, graphs)});
  }
  NodeTopology node;
  NcclReader reader(node);
  reader.walk(root, false);
  if (node.gpus == 0) {
    throw InputError(InputProblem{path.string(), root.line, "", "at least one GPU", "none"});
  }
  node.nvlinks_per_gpu = std::max(0, reader.links);
  if (node.nvlinks_per_gpu == 0) {
    node.notes.push_back("The file names no NVLink: NCCL detects those itself.");
  }
  const auto [fewest, most] =
      std::minmax_element(node.nics_near_gpu.begin(), node.nics_near_gpu.end());
  if (*fewest != *most) {
    node.notes.push_back(
        fmt::format("GPUs have {} to {} adapters under their PCIe switch.", *fewest, *most));
  }
  if (!node.nic_gbit_per_s && node.nics > 0) {
    node.notes.push_back("The file states no speed of the adapters.");
  }
  return node;
}

NodeTopology read_gpu_matrix(const std::filesystem::path& path) {
  std::istringstream lines(read_file(path));
  std::vector<std::string> columns;
  std::map<std::string, std::vector<std::string>> rows;
  NodeTopology node;
  std::size_t number = 0, header = 0;
  for (std::string line; std::getline(lines, line);) {
    ++number;
    std::istringstream words(line);
    std::vector<std::string> cells;
    for (std::string word; words >> word;) {
      // The head is underlined on terminals: escape sequences stick to its words.
      while (!word.empty() && word.front() == '\x1b') {
        const std::size_t end = word.find('m');
        word.erase(0, end == std::string::npos ? end : end + 1);
      }
      if (const auto escape = word.find('\x1b'); escape != std::string::npos) word.erase(escape);
      if (!word.empty()) cells.push_back(word);
    }
    if (cells.empty()) continue;
    if (columns.empty()) {
      if (cells.front() != "GPU0") continue;
      header = number;
      for (const auto& cell : cells) {
        if (!cell.starts_with("GPU") && !cell.starts_with("NIC") && !cell.starts_with("mlx")) break;
        if (cell == "GPU") break;  // "GPU NUMA ID"
        columns.push_back(cell);
      }
      continue;
    }
    if (std::find(columns.begin(), columns.end(), cells.front()) == columns.end()) continue;
    if (cells.size() < columns.size() + 1) {
      throw InputError(InputProblem{path.string(), number, cells.front(),
                                    fmt::format("{} cells", columns.size() + 1),
                                    std::to_string(cells.size())});
    }
    rows[cells.front()].assign(cells.begin() + 1,
                               cells.begin() + 1 + static_cast<std::ptrdiff_t>(columns.size()));
  }
  if (header == 0) {
    throw InputError(InputProblem{path.string(), 0, "", "the matrix of nvidia-smi topo -m",
                                  "no head with GPU0"});
  }
  int fewest_links = -1;
  for (const std::string& column : columns) {
    const bool gpu = column.starts_with("GPU");
    node.gpus += gpu ? 1 : 0;
    node.nics += gpu ? 0 : 1;
    if (!gpu) continue;
    const auto row = rows.find(column);
    if (row == rows.end()) {
      throw InputError(InputProblem{path.string(), header, column, "a row of this GPU", "none"});
    }
    int near = 0, links = 0;
    for (std::size_t c = 0; c < columns.size(); ++c) {
      const std::string& cell = row->second[c];
      const bool other_gpu = columns[c].starts_with("GPU");
      if (!other_gpu && (cell == "PIX" || cell == "PXB")) ++near;
      if (other_gpu && cell.starts_with("NV")) links = std::max(links, std::atoi(cell.c_str() + 2));
    }
    node.nics_near_gpu.push_back(near);
    fewest_links = fewest_links < 0 ? links : std::min(fewest_links, links);
  }
  node.nvlinks_per_gpu = std::max(0, fewest_links);
  node.notes.push_back("nvidia-smi topo -m states no speed of adapters or PCIe links.");
  return node;
}

nlohmann::ordered_json node_part(const NodeTopology& node, const std::string& id,
                                 const std::string& source) {
  nlohmann::ordered_json facts;
  facts["gpu_count"] = node.gpus;
  facts["nic_count"] = node.nics;
  if (node.numa_nodes > 0) facts["numa_count"] = node.numa_nodes;
  if (node.nvlinks_per_gpu > 0) facts["nvlinks_per_gpu_count"] = node.nvlinks_per_gpu;
  if (!node.nics_near_gpu.empty()) {
    const auto [fewest, most] =
        std::minmax_element(node.nics_near_gpu.begin(), node.nics_near_gpu.end());
    facts["nics_near_gpu_count"] = {{"value", *fewest},
                                    {"low", *fewest},
                                    {"high", *most},
                                    {"note", "adapters under the PCIe switch of a GPU"}};
  }
  if (node.pcie_gb_per_s) facts["pcie_gb_per_s"] = std::round(*node.pcie_gb_per_s * 100) / 100;
  facts["nic_rate_gbit_per_s"] = nullptr;
  if (node.nic_gbit_per_s) facts["nic_rate_gbit_per_s"] = *node.nic_gbit_per_s;
  std::string notes;
  for (const auto& note : node.notes) notes += (notes.empty() ? "" : " ") + note;
  nlohmann::ordered_json part = {
      {"id", id},         {"kind", "node"},      {"name", id},          {"facts", facts},
      {"source", source}, {"status", "derived"}, {"confidence", "high"}};
  if (!notes.empty()) part["notes"] = notes;
  return {{"format_version", 1}, {"parts", nlohmann::ordered_json::array({part})}};
}

}  // namespace rackwright::topology
