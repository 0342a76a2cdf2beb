#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/data_locator.hpp"

namespace rackwright::topology {

/// How a fabric is put together.
enum class FabricShape {
  tree,        ///< leaves, spines and, where two tiers do not carry it, a core
  switch_pair  ///< two switches share the nodes' links and are joined by as many links (BasePOD)
};

/// Which leaf a NIC of a node goes to.
enum class Attachment {
  rail,  ///< NIC r of every node of a scalable unit to the leaves of rail r
  rack   ///< all NICs of a node to the same leaf (top of rack, or a non-rail network rack)
};

/// Nodes of an older generation in a fabric, which take its ports at their own rate.
struct NodeGeneration {
  int nodes = 0;
  double link_gbit_per_s = 0;
  std::string device;
};

/// A rule of `topology/fabrics/*.json` with closed-form counts.
struct FabricDesign {
  std::string id, name, file;
  FabricShape shape = FabricShape::tree;
  Attachment attachment = Attachment::rail;
  std::string leaf_part, spine_part, core_part;  ///< catalogue ids; no core_part: two tiers only
  int endpoints_per_node = 8;                    ///< NICs = rails
  int gpus_per_node = 8;
  std::string device;                ///< id of its GPU; "" where any fits
  int scale_up_domain_gpus = 0;      ///< GPUs that share NVLink; 0: those of a node
  int nodes_per_su = 32;             ///< scalable unit, or a rack group
  std::optional<int> nodes_per_pod;  ///< a pod of leaves and spines where the design prints one
  int planes = 1;                    ///< equal fabrics side by side; a NIC has one link into each
  int leaf_ports = 64;               ///< ports of the link speed
  int leaf_down_ports = 32;          ///< to nodes
  int leaf_up_ports = 32;            ///< to spines
  int spine_ports = 64;              ///< of the smallest spine
  std::vector<int> spine_port_options;  ///< spines on offer, rising; one as a rule
  std::optional<int> leaves_per_unit;   ///< a printed count; each node spreads over them
  bool uneven_uplinks = false;          ///< fewest spines, pairs differ by one link (NVLink sprays)
  std::optional<int> spine_up_ports;    ///< to the core; half the ports unless printed
  std::optional<int> spines_per_rail_per_su;  ///< a printed constant instead of the divisor rule
  int core_ports = 64;
  double link_gbit_per_s = 400;  ///< of one link into one plane
  double uplink_gbit_per_s = 400;
  std::vector<NodeGeneration>
      generations;  ///< the first nodes, in order; the others are the design's
  bool management_displaces_node = false;  ///< UFM takes one node of the last SU
  int management_cables = 0;       ///< fabric links to the manager, as counted in the cable column
  int management_cable_items = 0;  ///< cables bought for them (one may carry two links)
  int management_transceivers = 0;
  int ports_per_switch_transceiver = 1;  ///< 2: twin-port OSFP
  int ports_per_node_transceiver = 1;
  int links_per_joining_cable = 1;   ///< of a switch pair: 2 when a twin-port cable joins it
  int links_per_cable = 1;           ///< of optical links: 2 where one MPO carries two
  int fibres_per_cable = 0;          ///< 0 where it is not stated
  int backplane_pairs_per_link = 0;  ///< node links run in factory cartridges: wire pairs of one
  int backplane_cartridges_per_unit = 0;
  /// Catalogue ids; "" where the design does not say.
  std::string switch_transceiver_part, node_transceiver_part, cable_part, joining_cable_part;
  std::vector<std::string> assumed_tiers;  ///< spine, core: counts that no source prints
  std::optional<int> max_nodes;            ///< the rule is published up to here
  std::vector<std::string> published_as;   ///< names in published tables; N is any number
  std::string source, status, confidence;
  std::vector<std::string> notes;
};
/// Its planes are the switches of one scale-up domain (NVL8, NVL72), not a scale-out fabric.
[[nodiscard]] bool is_scale_up(const FabricDesign& design);

/// Throws InputError with all problems, among them ports that do not add up.
[[nodiscard]] FabricDesign read_fabric_design(const std::filesystem::path& path);

/// The shipped or user's design that a published table calls `name`: "Apstra AI cluster 64
/// DGX-H100" is that of "Apstra AI cluster N DGX-H100". Nothing when no design stands for it.
[[nodiscard]] std::optional<FabricDesign> find_published_design(const DataLocator& data,
                                                                std::string_view name);

}  // namespace rackwright::topology
