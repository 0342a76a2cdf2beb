#include <cctype>
#include <fstream>
#include <set>
#include <sstream>

#include <fmt/format.h>

#include "common/csv_reader.hpp"
#include "common/input_error.hpp"
#include "topology/cabling/as_built.hpp"

namespace rackwright::topology {

namespace {

std::vector<std::string> words(const std::string& text) {
  std::istringstream stream(text);
  std::vector<std::string> result;
  for (std::string word; stream >> word;) result.push_back(word);
  return result;
}

/// The text between the first pair of quotes at or after `at`; `at` moves behind it.
std::string quoted(const std::string& line, std::size_t& at) {
  const std::size_t open = line.find('"', at);
  if (open == std::string::npos) return "";
  const std::size_t close = line.find('"', open + 1);
  if (close == std::string::npos) return "";
  at = close + 1;
  return line.substr(open + 1, close - open - 1);
}

/// Last run of digits of a word; -1 when there is none.
int last_number(const std::string& word) {
  std::size_t end = word.size();
  while (end > 0 && !std::isdigit(static_cast<unsigned char>(word[end - 1]))) --end;
  std::size_t begin = end;
  while (begin > 0 && std::isdigit(static_cast<unsigned char>(word[begin - 1]))) --begin;
  return begin < end && end - begin < 6 ? std::stoi(word.substr(begin, end - begin)) : -1;
}

/// "MF0;leaf-3:MQM9700/U1" is leaf-3; "node-001 mlx5_2" is NIC 3 of node-001; HCA-3 too.
FoundPort port_of(const std::string& id, const std::string& description, int port) {
  std::string name = description;
  if (const std::size_t at = name.find(';'); at != std::string::npos) name = name.substr(at + 1);
  const auto parts = words(name);
  std::string device = parts.empty() ? id : parts[0];
  if (const std::size_t at = device.find(':'); at != std::string::npos)
    device = device.substr(0, at);
  if (id.rfind("S-", 0) == 0) return {device, "#" + std::to_string(port)};
  const int adapter = parts.size() > 1 ? last_number(parts[1]) : -1;
  if (adapter < 0) return {device, "nic" + std::to_string(port)};
  const bool from_one = parts[1].rfind("HCA-", 0) == 0;
  return {device, "nic" + std::to_string(from_one ? adapter : adapter + 1)};
}

/// `[1] "H-…"[1](…) # "node-001 mlx5_0" lid 3 4xNDR` below `Switch 65 "S-…" # "leaf-1" …`.
AsBuilt read_discovery(const std::filesystem::path& path) {
  AsBuilt found;
  found.file = path.string();
  std::ifstream in = open_input(path);
  std::string own_id, own_name;
  std::set<std::string> seen;
  std::size_t number = 0;
  for (std::string line; std::getline(in, line);) {
    ++number;
    std::size_t at = 0;
    if (line.rfind("Switch", 0) == 0 || line.rfind("Ca", 0) == 0) {
      own_id = quoted(line, at);
      own_name = quoted(line, at);
      continue;
    }
    if (line.empty() || line[0] != '[' || own_id.empty()) continue;
    const int own_port = std::atoi(line.c_str() + 1);
    const std::string peer_id = quoted(line, at);
    if (peer_id.empty() || at >= line.size() || line[at] != '[') continue;
    const int peer_port = std::atoi(line.c_str() + at + 1);
    const std::string peer_name = quoted(line, at);
    const std::string a = own_id + fmt::format("[{}]", own_port);
    const std::string b = peer_id + fmt::format("[{}]", peer_port);
    // A dump lists a link from both ends.
    if (!seen.insert(a < b ? a + b : b + a).second) continue;
    if (peer_name.find("Aggregation Node") != std::string::npos) continue;  // inside the switch
    found.links.push_back({port_of(own_id, own_name, own_port),
                           port_of(peer_id, peer_name, peer_port),
                           fmt::format("{}:{}", path.filename().string(), number)});
  }
  return found;
}

struct Columns {
  std::string a_device, a_port, b_device, b_port;
};
std::optional<Columns> columns_of(const CsvReader& csv) {
  const std::vector<Columns> known{
      {"a_device", "a_ports", "b_device", "b_ports"},
      {"a_device", "a_port", "b_device", "b_port"},
      {"side_a_device", "side_a_name", "side_b_device", "side_b_name"}};
  for (const Columns& c : known) {
    if (csv.column(c.a_device) && csv.column(c.a_port) && csv.column(c.b_device) &&
        csv.column(c.b_port)) {
      return c;
    }
  }
  return std::nullopt;
}

AsBuilt read_list(const std::filesystem::path& path) {
  CsvReader csv(path, {});
  const auto columns = columns_of(csv);
  if (!columns) {
    throw InputError(InputProblem{path.string(), 1, "header",
                                  "a_device, a_port(s), b_device, b_port(s), or NetBox's "
                                  "side_a_device, side_a_name, side_b_device, side_b_name",
                                  "other columns"});
  }
  AsBuilt found;
  found.file = path.string();
  std::map<std::string, int> used;  // ports of a breakout's shared end, taken leg by leg
  std::set<std::string> seen;
  const auto label = csv.column("label");
  while (csv.next()) {
    const auto a = words(csv.cell(columns->a_port)), b = words(csv.cell(columns->b_port));
    if (a.empty() || b.empty()) throw csv.error(columns->a_port, "at least one port");
    std::size_t first = 0;
    if (label && a.size() > b.size()) {
      first = static_cast<std::size_t>(used[csv.cell(*label)]);
      used[csv.cell(*label)] += static_cast<int>(b.size());
    }
    for (std::size_t i = 0; i < b.size() && first + i < a.size(); ++i) {
      FoundLink link{{csv.cell(columns->a_device), a[first + i]},
                     {csv.cell(columns->b_device), b[i]},
                     fmt::format("{}:{}", path.filename().string(), csv.line())};
      // Two cords of one link are one link.
      const std::string key =
          link.a.device + '\n' + link.a.port + '\n' + link.b.device + '\n' + link.b.port;
      if (seen.insert(key).second) found.links.push_back(std::move(link));
    }
  }
  return found;
}

}  // namespace

DeviceNames read_device_names(const std::filesystem::path& path) {
  CsvReader csv(path, {.required = {"found", "design"}});
  DeviceNames names;
  while (csv.next()) names[csv.cell("found")] = csv.cell("design");
  return names;
}

AsBuilt read_as_built(const std::filesystem::path& path) {
  std::ifstream in = open_input(path);
  for (std::string line; std::getline(in, line);) {
    if (line.rfind("Switch\t", 0) == 0 || line.rfind("Switch ", 0) == 0 ||
        line.rfind("vendid=", 0) == 0) {
      return read_discovery(path);
    }
  }
  return read_list(path);
}

}  // namespace rackwright::topology
