#include "results/requirements_export.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>
#include <map>
#include <regex>

#include <fmt/format.h>

#include "common/input_error.hpp"
#include "common/units.hpp"

namespace rackwright::results {

namespace {

using nlohmann::ordered_json;

/// Figures that a manufacturer designs to: facts and the design envelope. Everything else of an
/// evaluation rests on the traffic and stays here.
constexpr std::array kDomains{"power.", "air.", "liquid.", "mechanical."};
constexpr std::array kOfTheTraffic{
    "slo_capacity", "as_recorded", "as_measured",   "stranded",  "utilisation", "oversubscription",
    "power.band",   "power.store", "power.step",    "lockstep",  "headroom",    "service",
    "tokens",       "idle",        "power.breaker", "power.cap", "cold_start"};

/// Blank inputs whose wanted value is worked out from the traffic.
constexpr std::array kBlanksOfTheTraffic{"service.", "idle_w.", "ramp_limit", "cap_delay.",
                                         "inrush."};

bool says_private(const ordered_json& object) {
  if (object.value("private", false)) return true;
  for (const char* key : {"basis", "source", "cause", "note", "solved", "status"}) {
    if (!object.contains(key) || !object[key].is_string()) continue;
    std::string text = object[key].get<std::string>();
    std::transform(text.begin(), text.end(), text.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    if (text.find("private") != std::string::npos ||
        text.find("confidential") != std::string::npos) {
      return true;
    }
  }
  return false;
}

/// Words without what looks like a path of the user's machine.
std::string without_paths(const std::string& text) {
  static const std::regex path(R"((^|[\s("'])(~|\.{0,2}/|[A-Za-z]:\\)[^\s,;"')]+)");
  return std::regex_replace(text, path, "$1[path withheld]");
}

std::string words_of_key(const ordered_json& object, const char* key) {
  return object.contains(key) && object[key].is_string()
             ? without_paths(object[key].get<std::string>())
             : "";
}

bool is_public_figure(const std::string& key) {
  const auto starts = [&](const char* prefix) { return key.rfind(prefix, 0) == 0; };
  const auto has = [&](const char* part) { return key.find(part) != std::string::npos; };
  return std::any_of(kDomains.begin(), kDomains.end(), starts) &&
         std::none_of(kOfTheTraffic.begin(), kOfTheTraffic.end(), has);
}

double number_or(const ordered_json& object, const char* key, double other) {
  return object.contains(key) && object[key].is_number() ? object[key].get<double>() : other;
}

/// A load with its guard band: the high end of its interval, at least `guard` over the value.
ordered_json budget(const char* scope, const std::string& id, const std::string& name,
                    const ordered_json& estimate, double guard, double count = 1) {
  const double value = number_or(estimate, "value", 0) * count;
  const double high = number_or(estimate, "high", value) * count;
  const double with_guard = std::max(high, value + std::abs(value) * guard);
  ordered_json json;
  json["scope"] = scope;
  json["id"] = id;
  json["name"] = without_paths(name);
  json["unit"] = estimate.value("unit", "");
  json["boundary"] = estimate.value("boundary", "");
  json["value"] = value;
  json["guard_band"] = with_guard - value;
  json["budget"] = with_guard;
  json["origin"] = estimate.value("origin", "");
  return json;
}

class Requirements {
 public:
  Requirements(const ordered_json& evaluation, const RequirementsOptions& options)
      : evaluation_(evaluation), options_(options) {
    add_components();
    add_trays();
    add_figures();
    add_interfaces();
    add_blanks();
  }

  [[nodiscard]] const ordered_json& budgets() const { return budgets_; }
  [[nodiscard]] const ordered_json& interfaces() const { return interfaces_; }
  [[nodiscard]] const ordered_json& blanks() const { return blanks_; }

 private:
  const ordered_json* figure(const std::string& key) const {
    for (const ordered_json& f : evaluation_["figures"]) {
      if (f.value("key", "") == key && !says_private(f)) return &f;
    }
    return nullptr;
  }

  void add(ordered_json json, const std::string& basis, const std::string& window) {
    json["window"] = window;
    json["basis"] = basis;
    budgets_.push_back(std::move(json));
  }

  void add_components() {
    const double gpus =
        evaluation_.contains("power_chain") ? number_or(evaluation_["power_chain"], "gpus", 0) : 0;
    const ordered_json* all = figure("power.module.design_envelope");
    if (all == nullptr || !(gpus > 0)) return;
    add(budget("component", "power.module", "GPU module, continuous", *all, 0, 1 / gpus),
        "design envelope of all modules over their count: TDP or the cap, no guard band on a limit",
        "steady");
  }

  /// Trays of one name and one power are one budget.
  void add_trays() {
    std::map<std::pair<std::string, long>, int> counts;
    for (const ordered_json& tray : evaluation_["trays"]) {
      if (says_private(tray)) continue;
      std::string group = tray.value("slot", "");
      while (!group.empty() && std::isdigit(static_cast<unsigned char>(group.back())))
        group.pop_back();
      const long watts = std::lround(number_or(tray, "power_w", 0));
      if (watts <= 0) continue;
      const auto at = std::make_pair(group, watts);
      if (counts[at]++ > 0) continue;
      const bool shelf = number_or(tray, "rating_w", 0) > 0;
      const ordered_json estimate{{"value", static_cast<double>(watts)},
                                  {"unit", "W"},
                                  {"boundary", shelf ? "busbar DC" : "tray"},
                                  {"origin", "catalogue"}};
      add(budget("tray", "tray." + tray.value("slot", ""),
                 shelf ? "power shelf " + group + ", output in service"
                       : "slot " + tray.value("slot", ""),
                 estimate, options_.guard_band),
          "design envelope", "steady");
      add_tray_side(tray);
    }
  }

  void add_tray_side(const ordered_json& tray) {
    struct Side {
      const char* key;
      const char* id;
      const char* name;
      const char* unit;
      double scale;
    };
    constexpr std::array<Side, 3> kSides{
        {{"coolant_lpm", "flow", "coolant flow", "l/min", 1},
         {"air_m3_per_min", "air", "air flow", "CFM", 1 / (60 * cfm.si())},
         {"weight_kg", "weight", "weight", "kg", 1}}};
    const std::string slot = tray.value("slot", "");
    for (const Side& side : kSides) {
      const double value = number_or(tray, side.key, 0) * side.scale;
      if (!(value > 0)) continue;
      const ordered_json estimate{{"value", value}, {"unit", side.unit}, {"origin", "catalogue"}};
      add(budget("tray", fmt::format("tray.{}.{}", slot, side.id),
                 fmt::format("slot {}, {}", slot, side.name), estimate, options_.guard_band),
          "design envelope", "steady");
    }
  }

  void add_figures() {
    for (const ordered_json& f : evaluation_["figures"]) {
      const std::string key = f.value("key", "");
      if (!is_public_figure(key) || says_private(f)) continue;
      if (!f.contains("value") || !f["value"].is_number() || key == "power.module.design_envelope")
        continue;
      add(budget("rack", key, f.value("label", key), f, options_.guard_band),
          words_of_key(f, "basis"), f.value("window", ""));
      const bool adds_up = f.value("unit", "") == "W" || f.value("unit", "") == "kVA" ||
                           f.value("unit", "") == "kg" || f.value("unit", "") == "l/min";
      const std::string boundary = f.value("boundary", "");
      if (adds_up && (boundary == "rack AC input" || boundary == "facility" || boundary.empty() ||
                      boundary == "TCS")) {
        add(budget("row", "row." + key, f.value("label", key), f, options_.guard_band,
                   options_.racks),
            fmt::format("{} racks", options_.racks), f.value("window", ""));
      }
    }
  }

  /// What an interface must carry, and after which failure.
  void add_interfaces() {
    for (const ordered_json& limit : evaluation_["limits"]) {
      const std::string domain = limit.value("domain", "");
      const bool known =
          domain == "power" || domain == "air" || domain == "liquid" || domain == "mechanical";
      if (!known || says_private(limit) || !limit.contains("load")) continue;
      ordered_json json = budget("interface", limit.value("id", ""), limit.value("name", ""),
                                 limit["load"], options_.guard_band);
      json["failure_unit"] = limit.value("failure_unit", "");
      json["failure"] = limit.value("failure", "");
      json["survival_promised"] = limit.value("promised", true);
      const bool has_limit = limit.contains("limit") && limit["limit"].is_object();
      json["today"] = has_limit ? limit["limit"]["value"] : ordered_json(nullptr);
      json["state"] = limit.value("state", "");
      interfaces_.push_back(std::move(json));
    }
  }

  void add_blanks() {
    for (const ordered_json& need : evaluation_["requirements"]) {
      const std::string id = need.value("id", "");
      const bool traffic =
          std::any_of(kBlanksOfTheTraffic.begin(), kBlanksOfTheTraffic.end(),
                      [&](const char* prefix) { return id.rfind(prefix, 0) == 0; });
      if (says_private(need) || traffic) continue;
      blanks_.push_back({{"id", id},
                         {"input", words_of_key(need, "input")},
                         {"needed", words_of_key(need, "solved")},
                         {"supplier", words_of_key(need, "supplier")},
                         {"decides_the_verdict", need.value("decides", false)}});
    }
  }

  const ordered_json& evaluation_;
  const RequirementsOptions& options_;
  ordered_json budgets_ = ordered_json::array(), interfaces_ = ordered_json::array(),
               blanks_ = ordered_json::array();
};

void check_evaluation(const ordered_json& json, const std::string& file) {
  for (const char* key : {"rack", "figures", "limits", "requirements", "trays"}) {
    if (json.is_object() && json.contains(key)) continue;
    throw InputError(InputProblem{file, 0, std::string("/") + key,
                                  "an evaluation, as rackwright evaluate --json writes",
                                  "no such key"});
  }
}

std::map<std::string, ordered_json> by_id(const ordered_json& list) {
  std::map<std::string, ordered_json> result;
  for (const ordered_json& entry : list) result[entry.value("id", "")] = entry;
  return result;
}

/// Budgets that the previous rack already met, and by how much the others grow; parts kept.
ordered_json carried_over(const Requirements& now, const ordered_json& evaluation,
                          const ordered_json& previous, const RequirementsOptions& options) {
  const Requirements before(previous, options);
  const auto old = by_id(before.budgets());
  ordered_json json{{"from", previous.value("rack", "")},
                    {"budgets", ordered_json::array()},
                    {"parts_kept", ordered_json::array()},
                    {"parts_new", ordered_json::array()}};
  for (const ordered_json& entry : now.budgets()) {
    const auto found = old.find(entry.value("id", ""));
    if (found == old.end() || found->second.value("unit", "") != entry.value("unit", "")) continue;
    const double was = number_or(found->second, "budget", 0), is = number_or(entry, "budget", 0);
    if (!(std::abs(was) > 0)) continue;
    json["budgets"].push_back({{"id", entry["id"]},
                               {"previous", was},
                               {"now", is},
                               {"unit", entry["unit"]},
                               {"ratio", is / was},
                               {"carries_over", is <= was}});
  }
  std::map<std::string, bool> parts;
  if (previous.contains("bill_of_material")) {
    for (const ordered_json& line : previous["bill_of_material"])
      parts[line.value("part", "")] = true;
  }
  if (evaluation.contains("bill_of_material")) {
    for (const ordered_json& line : evaluation["bill_of_material"]) {
      if (says_private(line)) continue;
      const std::string part = line.value("part", "");
      json[parts.count(part) ? "parts_kept" : "parts_new"].push_back(part);
    }
  }
  return json;
}

}  // namespace

ordered_json to_requirements(const ordered_json& evaluation,
                             const std::optional<ordered_json>& previous,
                             const RequirementsOptions& options) {
  check_evaluation(evaluation, options.file);
  if (previous) check_evaluation(*previous, options.previous_file);
  const Requirements requirements(evaluation, options);
  ordered_json json;
  json["format_version"] = 1;
  json["rack"] = evaluation.value("rack", "");
  json["device"] = evaluation.value("device", "");
  json["rule"] = fmt::format(
      "budget = the high end of the 90 % interval, at least {:.0f} % over the value; loads are "
      "those of "
      "the design envelope; a row is {} racks",
      options.guard_band * 100, options.racks);
  json["budgets"] = requirements.budgets();
  json["interfaces"] = requirements.interfaces();
  json["blank_inputs"] = requirements.blanks();
  json["carries_over"] =
      previous ? carried_over(requirements, evaluation, *previous, options) : ordered_json(nullptr);
  // No count: it would say something about the traffic.
  json["withheld"] = {{"kinds",
                       "traffic, load cases of a trace, service and network figures, "
                       "timelines, placement, prices, and what is marked private"}};
  return json;
}

}  // namespace rackwright::results
