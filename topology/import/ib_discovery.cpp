#include "topology/import/ib_discovery.hpp"

#include <algorithm>
#include <regex>
#include <set>
#include <sstream>

#include <fmt/format.h>

#include "common/csv_reader.hpp"
#include "common/input_error.hpp"

namespace rackwright::topology {

namespace {

/// Gb/s of a lane by generation (InfiniBand Architecture Specification; EDR on: 25, 50, 100, 200).
double lane_gbit_per_s(const std::string& generation) {
  constexpr std::pair<const char*, double> kLanes[] = {{"SDR", 2},   {"DDR", 4},  {"QDR", 8},
                                                       {"FDR", 14},  {"EDR", 25}, {"HDR", 50},
                                                       {"NDR", 100}, {"XDR", 200}};
  for (const auto& [name, rate] : kLanes) {
    if (generation.starts_with(name)) return rate;
  }
  return 0;
}

/// "4xHDR" in a line: 200 Gb/s.
double rate_of(const std::string& line) {
  static const std::regex pattern(R"((\d+)x([A-Z]DR\w*))");
  std::smatch match;
  if (!std::regex_search(line, match, pattern)) return 0;
  return std::stod(match[1]) * lane_gbit_per_s(match[2]);
}

bool is_aggregation(const std::string& name) {
  return name.find("Aggregation Node") != std::string::npos;
}

class DiscoveryReader {
 public:
  explicit DiscoveryReader(const std::filesystem::path& path) : file_(path.string()) {}

  IbDiscovery read(const std::string& text) {
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
      ++number_;
      // Regular expressions recurse: a line that no dump has must not reach them.
      constexpr std::size_t kLongest = 4096;
      if (line.size() > kLongest) fail(fmt::format("at most {} characters", kLongest), line);
      if (line.starts_with("Switch") || line.starts_with("Ca") || line.starts_with("Rt")) {
        device(line);
      } else if (line.starts_with("[")) {
        port(line);
      }
    }
    if (found_.devices.empty()) {
      throw InputError(
          InputProblem{file_, 0, "", "Switch and Ca records of ibnetdiscover", "none"});
    }
    return std::move(found_);
  }

 private:
  [[noreturn]] void fail(const std::string& expected, const std::string& line) const {
    throw InputError(
        InputProblem{file_, number_, "", expected, fmt::format("\"{}\"", line.substr(0, 60))});
  }
  void device(const std::string& line) {
    static const std::regex pattern(
        R"re(^(\w+)\s+(\d+)\s+"([SHR]-[0-9a-fA-F]+)"\s*#\s*"([^"]*)")re");
    std::smatch match;
    if (!std::regex_search(line, match, pattern)) {
      fail("a device: kind, ports, \"id\", # \"name\"", line);
    }
    DiscoveredDevice device;
    device.is_switch = match[1] == "Switch";
    device.ports = std::stoi(match[2]);
    device.id = match[3];
    device.name = match[4];
    if (!found_.index.emplace(device.id, found_.devices.size()).second) {
      fail("each device once", line);
    }
    found_.devices.push_back(std::move(device));
  }
  void port(const std::string& line) {
    static const std::regex pattern(
        R"re(^\[(\d+)\](?:\([^)]*\))?\s*"([SHR]-[0-9a-fA-F]+)"\[(\d+)\])re");
    std::smatch match;
    if (!std::regex_search(line, match, pattern) || found_.devices.empty()) {
      fail("a port below a device: [port] \"peer\"[port]", line);
    }
    // SHARP's aggregation nodes hang on a switch's own extra port: no cable.
    if (is_aggregation(line)) return;
    found_.devices.back().links.push_back(
        {std::stoi(match[1]), match[2], std::stoi(match[3]), rate_of(line), number_});
  }

  std::string file_;
  std::size_t number_ = 0;
  IbDiscovery found_;
};

/// Switches with hosts are tier 1; a switch next to tier t only is tier t + 1.
void set_tiers(IbDiscovery& found) {
  std::vector<std::size_t> frontier;
  for (std::size_t d = 0; d < found.devices.size(); ++d) {
    DiscoveredDevice& device = found.devices[d];
    if (!device.is_switch) {
      device.tier = 0;
      continue;
    }
    for (const auto& link : device.links) {
      if (link.peer.starts_with("H-")) device.tier = 1;
    }
    if (device.tier == 1) frontier.push_back(d);
  }
  for (int tier = 2; !frontier.empty(); ++tier) {
    std::vector<std::size_t> next;
    for (const std::size_t d : frontier) {
      for (const auto& link : found.devices[d].links) {
        const auto peer = found.index.find(link.peer);
        if (peer == found.index.end() || found.devices[peer->second].tier >= 0) continue;
        found.devices[peer->second].tier = tier;
        next.push_back(peer->second);
      }
    }
    frontier = std::move(next);
  }
}

void check_both_ends(IbDiscovery& found) {
  int one_sided = 0;
  for (const auto& device : found.devices) {
    for (const auto& link : device.links) {
      const auto peer = found.index.find(link.peer);
      bool back = false;
      if (peer != found.index.end()) {
        for (const auto& other : found.devices[peer->second].links) {
          back = back || (other.peer == device.id && other.port == link.peer_port);
        }
      }
      one_sided += back ? 0 : 1;
    }
  }
  if (one_sided > 0) {
    found.notes.push_back(fmt::format(
        "{} link ends are reported from one side only: a cut or masked dump.", one_sided));
  }
}

/// The host in front of the adapter's name: "RMD701 ibp11s0f0", "node-1 mlx5_0", "node-1 HCA-1".
std::string host_of(const std::string& name) {
  return name.substr(0, name.find(' '));
}

struct Shape {
  std::set<std::string> hosts;
  int nics = 0, leaves = 0, spines = 0, cores = 0;
  int radix = 2, spine_radix = 2, core_radix = 2, most_down = 0, most_up = 0, least_up = 1 << 20;
  double nic_rate = 0, up_rate = 0;
};

Shape shape_of(const IbDiscovery& found) {
  Shape shape;
  for (const auto& device : found.devices) {
    // The last port of a managed switch is its own (41 of 40, 65 of 64).
    const int ports = device.ports % 2 == 1 && device.ports > 2 ? device.ports - 1 : device.ports;
    if (!device.is_switch && !is_aggregation(device.name)) {
      shape.hosts.insert(host_of(device.name));
      ++shape.nics;
      for (const auto& link : device.links)
        shape.nic_rate = std::max(shape.nic_rate, link.gbit_per_s);
    } else if (device.tier == 1) {
      int down = 0, up = 0;
      for (const auto& link : device.links) {
        const bool host = link.peer.starts_with("H-");
        down += host ? 1 : 0;
        up += host ? 0 : 1;
        if (!host) shape.up_rate = std::max(shape.up_rate, link.gbit_per_s);
      }
      ++shape.leaves;
      shape.radix = std::max(shape.radix, ports);
      shape.most_down = std::max(shape.most_down, down);
      shape.most_up = std::max(shape.most_up, up);
      shape.least_up = std::min(shape.least_up, up);
    } else if (device.tier == 2) {
      ++shape.spines;
      shape.spine_radix = std::max(shape.spine_radix, ports);
    } else if (device.tier >= 3) {
      ++shape.cores;
      shape.core_radix = std::max(shape.core_radix, ports);
    }
  }
  return shape;
}

/// A catalogue switch of that many ports and that rate would be a guess at its make.
std::string switch_part(int ports, double rate) {
  if (ports == 40 && rate == 200) return "qm8790";
  if (ports == 64 && rate == 400) return "qm9700";
  if (ports == 144 && rate == 800) return "q3400-ra";
  return fmt::format("switch-{}x{:.0f}g", ports, rate);
}

}  // namespace

IbDiscovery read_ib_discovery(const std::filesystem::path& path) {
  IbDiscovery found = DiscoveryReader(path).read(read_file(path));
  set_tiers(found);
  check_both_ends(found);
  return found;
}

nlohmann::ordered_json design_of(const IbDiscovery& discovery, const std::string& id,
                                 const std::string& source) {
  const Shape shape = shape_of(discovery);
  const int hosts = std::max<int>(1, static_cast<int>(shape.hosts.size()));
  const int per_host = std::max(1, (shape.nics + hosts - 1) / hosts);
  nlohmann::ordered_json json;
  json["format_version"] = 1;
  json["id"] = id;
  json["name"] = fmt::format("Discovered fabric of {} hosts", hosts);
  json["attachment"] = "rack";
  const double rate = std::max(1.0, shape.nic_rate);
  const double up_rate = shape.up_rate > 0 ? shape.up_rate : rate;
  json["leaf_part"] = switch_part(shape.radix, rate);
  if (shape.spines > 0) json["spine_part"] = switch_part(shape.spine_radix, up_rate);
  if (shape.cores > 0) json["core_part"] = switch_part(shape.core_radix, up_rate);
  json["endpoints_per_node"] = per_host;
  json["gpus_per_node"] = per_host;
  const int down = std::max(1, shape.most_down);
  json["nodes_per_su"] = std::max(1, down / per_host);
  json["leaf_ports"] = std::max(2, shape.radix);
  json["leaf_down_ports"] = down;
  json["leaf_up_ports"] = shape.spines > 0 ? shape.most_up : 0;
  if (shape.spines > 0) json["spine_ports"] = shape.spine_radix;
  if (shape.cores > 0) json["core_ports"] = shape.core_radix;
  json["link_gbit_per_s"] = rate;
  json["uplink_gbit_per_s"] = up_rate;
  json["source"] = source;
  json["status"] = "derived";
  json["confidence"] = "medium";
  json["notes"] = nlohmann::ordered_json::array(
      {fmt::format("Found: {} hosts with {} adapters, {} leaves, {} spines, {} switches above.",
                   hosts, shape.nics, shape.leaves, shape.spines, shape.cores),
       "One GPU per adapter is assumed: InfiniBand does not know GPUs."});
  if (shape.most_up != shape.least_up && shape.leaves > 0) {
    json["notes"].push_back(
        fmt::format("Leaves have {} to {} uplinks.", shape.least_up, shape.most_up));
  }
  for (const auto& note : discovery.notes) json["notes"].push_back(note);
  return json;
}

}  // namespace rackwright::topology
