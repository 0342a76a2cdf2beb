#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "topology/cabling/cable_plan.hpp"

namespace rackwright::topology {

/// A port as a list names it.
struct FoundPort {
  std::string device, port;
};
/// One link that was found on the floor.
struct FoundLink {
  FoundPort a, b;
  std::string where;  ///< "as_built.csv:17"
};
/// What was found, and the names that stand for the design's.
struct AsBuilt {
  std::vector<FoundLink> links;
  std::string file;
};

/// Names on the floor by names of the design: "dgx-17" for "node-017". A CSV with the columns
/// found and design.
using DeviceNames = std::map<std::string, std::string>;
[[nodiscard]] DeviceNames read_device_names(const std::filesystem::path& path);

/// Reads a cable list or a discovery dump, told apart by content:
/// - CSV with a_device, a_port or a_ports, b_device, b_port or b_ports (a pull sheet; several ports
///   in a cell are taken in pairs), or NetBox's side_a_device, side_a_name, side_b_device,
///   side_b_name;
/// - `ibnetdiscover` output: devices by the first word of their description, a node's NIC by the
///   last number of its second word (mlx5_3 is the fourth: NIC names count from 0).
/// Throws InputError for a file of neither kind.
[[nodiscard]] AsBuilt read_as_built(const std::filesystem::path& path);

enum class CableFault {
  missing,       ///< both ends are dark
  swapped,       ///< two links of one rail have exchanged an end
  wrong_rail,    ///< a NIC is on a leaf of another rail
  wrong_port,    ///< the right device, another port
  wrong_device,  ///< another device
  unexpected,    ///< a link between ports that the design leaves idle
  unknown_name   ///< a device or port that the design does not have
};
[[nodiscard]] const char* name_of(CableFault fault);

/// One fault with its place and what belongs there.
struct CableFinding {
  CableFault fault = CableFault::missing;
  std::string rack, unit, device, port;  ///< the end nearer to the nodes
  std::string expected, found;
  std::vector<std::string> cables;  ///< labels of the designed cables it concerns
  std::string where;                ///< line of the list
};

struct AsBuiltCheck {
  int designed_links = 0, right_links = 0, found_links = 0;
  std::vector<CableFinding> findings;  ///< by rack, unit and port
};
/// Compares what was found with the design. A link that sits right is never part of a finding.
[[nodiscard]] AsBuiltCheck check_as_built(const CablePlan& plan, const AsBuilt& as_built,
                                          const DeviceNames& names = {});
[[nodiscard]] std::string findings_csv(const AsBuiltCheck& check);

}  // namespace rackwright::topology
