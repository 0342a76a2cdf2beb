#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace rackwright::topology {

/// Something that a pod has beside its compute fabric: management switches, their cables, PDUs.
struct PodItem {
  std::string item, use;
  int per_node = 0, per_rack = 0, fixed = 0;
  std::optional<int> only_nodes;  ///< printed for that size alone, no rule for others
};

/// Items of `topology/layouts/pods/*.json`.
struct PodItems {
  std::string id, name, fabric, file;
  int nodes_per_rack = 1;
  std::vector<PodItem> items;
  std::string source, status, confidence;
};
/// Throws InputError with all problems.
[[nodiscard]] PodItems read_pod_items(const std::filesystem::path& path);

/// per_node n + per_rack ceil(n / nodes per rack) + fixed. Nothing for a size that the item is not
/// printed for.
[[nodiscard]] std::optional<int> count_pod_item(const PodItems& pod, const PodItem& item,
                                                int nodes);

inline constexpr const char* kPodFolder = "topology/layouts/pods";

}  // namespace rackwright::topology
