#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace rackwright::topology {

/// An element of a small XML file: no namespaces, text or entities, as NCCL writes.
struct XmlElement {
  std::string name;
  std::map<std::string, std::string> attributes;
  std::vector<XmlElement> children;
  std::size_t line = 0;
  /// "" when absent.
  [[nodiscard]] std::string attribute(const std::string& key) const;
};
/// The root element. Comments and declarations are skipped. Throws InputError with the line.
[[nodiscard]] XmlElement parse_xml(const std::string& text, const std::string& file);

/// GPUs and adapters of one node and how near they are to each other.
struct NodeTopology {
  int numa_nodes = 0, gpus = 0, nics = 0;
  std::vector<int> nics_near_gpu;        ///< adapters under the same PCIe switch, of each GPU
  int nvlinks_per_gpu = 0;               ///< least of all GPUs; 0: not stated
  std::optional<double> pcie_gb_per_s;   ///< of one GPU, one direction, the slowest
  std::optional<double> nic_gbit_per_s;  ///< the slowest adapter that states its speed
  std::vector<std::string> notes;        ///< what the file leaves out or is irregular
};
/// NCCL_TOPO_FILE / NCCL_TOPO_DUMP_FILE. GPUs are PCI class 0x0302 and 0x0300, adapters 0x0200 and
/// 0x0207. Throws InputError for another root than <system>.
[[nodiscard]] NodeTopology read_nccl_topology(const std::filesystem::path& path);
/// The matrix that `nvidia-smi topo -m` prints. Throws InputError for a file without one.
[[nodiscard]] NodeTopology read_gpu_matrix(const std::filesystem::path& path);
/// A parts file (`topology/catalog/*.json`) with the node, for `rackwright check` and own racks.
[[nodiscard]] nlohmann::ordered_json node_part(const NodeTopology& node, const std::string& id,
                                               const std::string& source);

/// PCIe payload rate of a link, one direction: "16.0 GT/s PCIe" x 16 = 31.5 GB/s with 128b/130b
/// coding from 8 GT/s up, 8b/10b below (PCI Express Base Specification 5.0, 4.2).
[[nodiscard]] std::optional<double> pcie_gb_per_s(const std::string& speed,
                                                  const std::string& width);

}  // namespace rackwright::topology
