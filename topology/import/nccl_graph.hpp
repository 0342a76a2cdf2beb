#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace rackwright::topology {

/// What NCCL found for one family of algorithms on a node. Speeds are of one channel, one
/// direction.
struct NcclGraph {
  std::string algorithm;      ///< "ring", "tree", "collnet_chain", "collnet_direct", "nvls"
  double intra_gb_per_s = 0;  ///< between the GPUs of the node
  double inter_gb_per_s = 0;  ///< to the network
  std::string intra_path, inter_path;  ///< NCCL's word for the farthest hop: NVL, PIX, PHB, SYS, …
  std::vector<std::vector<std::string>> channels;  ///< GPUs in their order
  int nics = 0;                                    ///< different ones that the channels use
  std::size_t line = 0;

  /// NCCL's own estimate of what all channels carry, GB/s (src/graph/tuning.cc: channels x speed).
  [[nodiscard]] double bandwidth_gb_per_s() const {
    return static_cast<double>(channels.size()) * intra_gb_per_s;
  }
};

/// NCCL_GRAPH_DUMP_FILE, NCCL_GRAPH_FILE. Throws InputError with the line: another root than
/// <graphs>, an unknown pattern, another number of channels than stated, a ring that does not pass
/// each GPU once.
[[nodiscard]] std::vector<NcclGraph> read_nccl_graphs(const std::filesystem::path& path);

/// A parts file (`topology/catalog/*.json`) with the node: channels and rates by algorithm, the
/// order of the rings in its notes.
[[nodiscard]] nlohmann::ordered_json graph_part(const std::vector<NcclGraph>& graphs,
                                                const std::string& id, const std::string& source);

}  // namespace rackwright::topology
