#include <cmath>
#include <numbers>
#include <regex>
#include <vector>

#include <fmt/format.h>

#include "kernels/device_info.hpp"
#include "results/validation/point_case.hpp"
#include "results/validation/point_formats.hpp"
#include "topology/network/fabric.hpp"
#include "topology/power/redundancy.hpp"

namespace rackwright::results {

namespace {

struct PowerCase {
  std::string system;
  std::string text;  ///< the column "case"
  std::string verdict;
  std::string unit;
  std::set<std::string> words;  ///< of the system
};

struct PowerFacts {
  const topology::Catalog& catalog;
  const DataLocator& data;
};

/// Spread of idle power between boards of one kind.
constexpr double kIdleError = 0.07;
/// Where the device file names one rate and no range.
constexpr double kSustainedError = 0.1;

/// `shelves` equal shelves of PSUs on one bus.
topology::PowerBus bus_of(int shelves, int psus, double psu_w) {
  topology::PowerBus bus;
  for (int shelf = 0; shelf < shelves; ++shelf) {
    const std::string id = fmt::format("shelf {}", shelf + 1);
    bus.sources.push_back({id, id, "A", psus, psu_w});
  }
  return bus;
}

/// "ORv3 HPR 33 kW x3": what the bus delivers after one PSU, or with one PSU lost in every shelf.
PointAnswer shelf_rating(const PowerFacts& facts, const PowerCase& asked, int shelves) {
  const auto* part = part_in(facts.catalog, {"orv3", "hpr", "33kw", "shelf"}, "rating_w");
  if (part == nullptr) return PointAnswer::none("no shelf of this name in the catalogue");
  const double psu_w = *value_of(*part, "psu_w");
  const int psus = static_cast<int>(*value_of(*part, "psu_count"));
  const auto bus = bus_of(shelves, psus, psu_w);
  double watts = topology::bus_rating_w(bus);
  if (asked.verdict.find("N+1") != std::string::npos) {
    watts -= shelves * psu_w;
  } else {
    topology::Feed feed;
    feed.id = "A";
    for (const auto& failure : topology::bus_failures(bus, {feed})) {
      if (failure.unit == "PSU") watts = failure.remaining_w;
    }
  }
  return PointAnswer::about(watts / 1e3, 0);
}

PointAnswer shelf_current(const PowerFacts& facts, double volts) {
  const auto* part = part_in(facts.catalog, {"orv3", "hpr", "33kw", "shelf"}, "rating_w");
  if (part == nullptr) return PointAnswer::none("no shelf of this name in the catalogue");
  return PointAnswer::about(*value_of(*part, "rating_w") / volts, 0.005);
}

/// Three-phase feeds: P = n sqrt(3) U I x derating x power factor, less the racks' peak.
PointAnswer feed_headroom(const PowerFacts& facts, const PowerCase& asked,
                          const std::smatch& match) {
  const auto* node = part_in(facts.catalog, asked.words, "max_power_w");
  const auto systems = number_after(asked.system, "rack of");
  if (node == nullptr || !systems)
    return PointAnswer::none("no node of this name in the catalogue");
  double circuits = std::stod(match[1]);
  const std::string redundancy = match[5];
  if (redundancy == "N+1") circuits -= 1;
  if (redundancy == "2N" || redundancy == "N+N") circuits /= 2;
  const auto* feed = part_in(facts.catalog, {"dgx", "b200", "rack", "feed"}, "power_factor_factor");
  if (feed == nullptr) return PointAnswer::none("no power factor in the catalogue");
  const double factor = *value_of(*feed, "power_factor_factor");
  const double watts = circuits * std::numbers::sqrt3 * std::stod(match[2]) * std::stod(match[3]) *
                       std::stod(match[4]) / 100 * factor;
  const double load = *systems * *value_of(*node, "max_power_w");
  PointAnswer answer;
  answer.value = (watts - load) / 1e3;
  // A power factor of 0.93 to 0.97.
  answer.low = (watts * 0.98 - load) / 1e3;
  answer.high = (watts * 1.02 - load) / 1e3;
  return answer;
}

/// Racks and the compute fabric between them.
PointAnswer racks_with_fabric(const PowerFacts& facts, const PowerCase& asked, int racks) {
  const auto* part = facts.catalog.find("gb200-nvl72-hpe");
  if (part == nullptr || !asked.words.contains("gb200")) {
    return PointAnswer::none("no rack of this name in the catalogue");
  }
  const double compute = racks * *value_of(*part, "max_power_w");
  const auto design = topology::find_published_design(facts.data, "DGX GB200 SuperPOD");
  double network = 0;
  if (design) {
    const int nodes = racks * 72 / design->gpus_per_node;
    network = topology::count_fabric(*design, nodes, facts.catalog).switch_power_max_w;
  }
  PointAnswer answer = PointAnswer::about((compute + network) / 1e3, 0);
  answer.low = compute / 1e3;
  answer.high = answer.value * 1.15;  // storage, management and in-band network are not counted
  return answer;
}

/// The device whose id opens with a word of the system: "H100" → h100-sxm.
std::optional<kernels::DeviceInfo> device_of(const PowerFacts& facts,
                                             const std::set<std::string>& words) {
  for (const auto& id : facts.data.ids("kernels/devices")) {
    const std::string family = id.substr(0, id.find('-'));
    const bool is_board = id == family || id.find("-sxm") != std::string::npos;
    if (is_board && words.contains(family)) return kernels::find_device(id, facts.data);
  }
  return std::nullopt;
}

PointAnswer idle_power(const PowerFacts& facts, const PowerCase& asked) {
  const auto device = device_of(facts, asked.words);
  if (!device || !device->idle_w.value) return PointAnswer::none("idle power is blank");
  return PointAnswer::about(*device->idle_w.value, kIdleError);
}

PointAnswer sustained_rate(const PowerFacts& facts, const PowerCase& asked) {
  const auto device = device_of(facts, asked.words);
  if (!device || !device->sustained_bf16_flops.value) {
    return PointAnswer::none("sustained rate at the cap is blank");
  }
  const kernels::DeviceFact& rate = device->sustained_bf16_flops;
  PointAnswer answer = PointAnswer::about(*rate.value / 1e12, kSustainedError);
  if (rate.low) answer.low = *rate.low / 1e12;
  if (rate.high) answer.high = *rate.high / 1e12;
  return answer;
}

PointAnswer answer_to(const PowerFacts& facts, const PowerCase& asked) {
  std::smatch match;
  static const std::regex shelves(R"(ORv3 HPR 33 kW x(\d+))");
  static const std::regex feeds(R"((\d+) x (\d+) V 3-phase (\d+) A, (\d+)\s*% derating, (\S+))");
  static const std::regex nodes(R"((\d+) x ([\d.]+))");
  static const std::regex racks(R"((\d+) racks)");
  if (std::regex_match(asked.system, match, shelves)) {
    return shelf_rating(facts, asked, std::stoi(match[1]));
  }
  if (const auto volts = number_after(asked.text, "current at"); volts && asked.unit == "A") {
    return shelf_current(facts, *volts);
  }
  if (std::regex_search(asked.text, match, feeds)) return feed_headroom(facts, asked, match);
  if (asked.text.find("idle") != std::string::npos && asked.unit == "W") {
    return idle_power(facts, asked);
  }
  if (asked.unit == "TFLOP/s") return sustained_rate(facts, asked);
  if (std::regex_match(asked.text, match, nodes)) {
    const auto* node = part_in(facts.catalog, asked.words, "max_power_w");
    if (node == nullptr) return PointAnswer::none("no node of this name in the catalogue");
    return PointAnswer::about(std::stod(match[1]) * *value_of(*node, "max_power_w") / 1e3, 0);
  }
  if (std::regex_search(asked.text, match, racks)) {
    return racks_with_fabric(facts, asked, std::stoi(match[1]));
  }
  return PointAnswer::none("no model of this system");
}

std::vector<ValidationRow> power_rows(const ValidationRequest& request, const DataLocator& data,
                                      const ProgressCallback&) {
  const auto catalog = topology::Catalog::load(data);
  const auto answer = [&](const CsvReader& csv) {
    const PowerCase asked{csv.cell("system"), csv.cell("case"),
                          csv.column("verdict") ? csv.cell("verdict") : "", csv.cell("unit"),
                          words_of(csv.cell("system"))};
    return answer_to({catalog, data}, asked);
  };
  return answer_points(request, {{"system", "case"}, "expected_value", "unit", answer});
}

}  // namespace

ValidationFormat power_points_format() {
  ValidationFormat format;
  format.name = "power-points";
  format.summary = "Published ratings, headrooms, loads and idle powers";
  format.baseline = "none";
  format.file_suffix = "power.csv";
  format.quantities = {"value"};
  format.run = &power_rows;
  return format;
}

}  // namespace rackwright::results
