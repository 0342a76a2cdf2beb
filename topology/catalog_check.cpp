#include "topology/catalog_check.hpp"

#include <algorithm>
#include <tuple>

#include <fmt/format.h>

#include "topology/fact_reader.hpp"

namespace rackwright::topology {

namespace {

/// The first must not exceed the second.
const std::vector<std::pair<std::string, std::string>>& ordered_pairs() {
  static const std::vector<std::pair<std::string, std::string>> pairs{
      {"idle_power_w", "max_power_w"},
      {"typical_power_w", "peak_power_w"},
      {"max_power_w", "peak_power_w"},
      {"idle_w", "tdp_w"},
      {"power_limit_min_w", "tdp_w"},
      {"inlet_min_c", "inlet_max_c"},
      {"recommended_min_c", "recommended_max_c"},
      {"allowable_min_c", "allowable_max_c"},
      {"secondary_supply_min_c", "secondary_supply_max_c"},
      {"weight_empty_kg", "weight_filled_kg"},
  };
  return pairs;
}

bool may_be_negative(const std::string& key) {
  const std::string unit = unit_of_key(key);
  return unit == "c" || unit == "factor";
}

void check_order(const Part& part, std::vector<CatalogFinding>& findings) {
  for (const auto& [less, more] : ordered_pairs()) {
    const auto low = part.number(less);
    const auto high = part.number(more);
    if (!low || !high || *low <= *high) continue;
    findings.push_back({part.id, less, fmt::format("{} is over {} {}", *low, more, *high), true});
  }
}

void check_fact(const Part& part, const std::string& key, const Fact& fact,
                std::vector<CatalogFinding>& findings) {
  if (!fact.text.empty() || fact.blank()) return;
  const double value = *fact.value;
  if (value < 0 && !may_be_negative(key)) {
    findings.push_back({part.id, key, fmt::format("{} is negative", value), true});
  }
  if (unit_of_key(key) == "pct" && value > 200) {
    findings.push_back({part.id, key, fmt::format("{} % is over 200 %", value), true});
  }
  if (fact.low && fact.high && *fact.low != *fact.high) {
    findings.push_back(
        {part.id, key,
         fmt::format("sources give {} to {}, {} is used", *fact.low, *fact.high, value), false});
  }
}

void check_expected(const Part& part, std::vector<CatalogFinding>& findings) {
  for (const std::string& key : expected_facts(part.kind)) {
    const Fact& fact = part.fact(key);
    if (!fact.blank() || !fact.text.empty()) continue;
    findings.push_back({part.id, key, "blank: a rack that uses it asks for the figure", false});
  }
}

}  // namespace

const std::vector<std::string>& expected_facts(const std::string& kind) {
  static const std::map<std::string, std::vector<std::string>> expected{
      {"node", {"airflow_cfm", "height_ru", "inlet_max_c", "max_power_w", "weight_kg"}},
      {"compute_tray", {"height_ru", "liquid_fraction_pct", "max_power_w", "weight_kg"}},
      {"switch_tray", {"height_ru", "max_power_w", "weight_kg"}},
      {"switch", {"max_power_w", "port_count", "port_rate_gbit_per_s", "typical_power_w"}},
      {"power_shelf", {"height_ru", "psu_count", "psu_peak_efficiency_pct", "psu_w"}},
      {"cdu", {"capacity_w", "external_head_kpa", "max_power_w", "secondary_flow_lpm"}},
      {"rear_door", {"capacity_w", "fan_power_w"}},
      {"busbar", {"section_current_a"}},
      {"transceiver", {"reach_m", "power_max_w"}},
      {"cable", {"reach_m", "outer_diameter_mm", "bend_radius_mm"}},
  };
  static const std::vector<std::string> none;
  const auto found = expected.find(kind);
  return found == expected.end() ? none : found->second;
}

CatalogSummary check_catalog(const Catalog& catalog) {
  CatalogSummary summary;
  for (const auto& [id, part] : catalog.parts()) {
    ++summary.parts;
    ++summary.parts_of_kind[part.kind];
    for (const auto& [key, fact] : part.facts) {
      ++summary.facts;
      if (fact.blank() && fact.text.empty()) ++summary.blank;
      if (fact.status == "estimated") ++summary.estimated;
      if (fact.status == "derived") ++summary.derived;
      if (fact.confidence == "low") ++summary.low_confidence;
      check_fact(part, key, fact, summary.findings);
    }
    check_order(part, summary.findings);
    check_expected(part, summary.findings);
  }
  std::stable_sort(summary.findings.begin(), summary.findings.end(),
                   [](const CatalogFinding& a, const CatalogFinding& b) {
                     if (a.is_error != b.is_error) return a.is_error;
                     return std::tie(a.part, a.key) < std::tie(b.part, b.key);
                   });
  return summary;
}

}  // namespace rackwright::topology
