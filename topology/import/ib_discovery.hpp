#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace rackwright::topology {

/// One link end of a discovered device.
struct DiscoveredPort {
  int port = 0;
  std::string peer;  ///< its id
  int peer_port = 0;
  double gbit_per_s = 0;  ///< by width and generation; 0 when not stated
  std::size_t line = 0;
};
struct DiscoveredDevice {
  std::string id;    ///< "S-0ff08c43213b3f30", "H-…"
  std::string name;  ///< node description: "MF0;rmd70…", "RMD701 ibp11s0f0"
  bool is_switch = false;
  int ports = 0;
  int tier = -1;  ///< switches: 1 has hosts, 2 stands above tier 1, …; hosts: 0
  std::vector<DiscoveredPort> links;
};

/// The fabric that `ibnetdiscover` saw.
struct IbDiscovery {
  std::vector<DiscoveredDevice> devices;  ///< in the order of the file
  std::map<std::string, std::size_t> index;
  std::vector<std::string> notes;  ///< links that only one end reports, and the like
};
/// Throws InputError with the line of what cannot be read, or when no device is found. Aggregation
/// nodes (SHARP) of switches are no hosts.
[[nodiscard]] IbDiscovery read_ib_discovery(const std::filesystem::path& path);

/// The fabric design that comes nearest: ports, uplinks and rates as found, irregularities in its
/// notes. For `rackwright check` and `fabric`.
[[nodiscard]] nlohmann::ordered_json design_of(const IbDiscovery& discovery, const std::string& id,
                                               const std::string& source);

}  // namespace rackwright::topology
