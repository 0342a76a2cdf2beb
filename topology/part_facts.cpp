#include "topology/part_facts.hpp"

#include <cstdlib>

namespace rackwright::topology {

namespace {

const Fact& blank_fact() {
  static const Fact blank;
  return blank;
}

}  // namespace

const Fact& first_fact(const Part& part, const std::vector<std::string>& keys) {
  for (const std::string& key : keys) {
    const auto found = part.facts.find(key);
    if (found != part.facts.end() && !found->second.blank()) return found->second;
  }
  return blank_fact();
}

std::optional<Estimate> fact_estimate(const Fact& fact, std::string unit, std::string boundary) {
  if (fact.blank()) return std::nullopt;
  Estimate estimate;
  estimate.value = *fact.value;
  estimate.low = fact.low.value_or(*fact.value);
  estimate.high = fact.high.value_or(*fact.value);
  estimate.unit = std::move(unit);
  estimate.boundary = std::move(boundary);
  estimate.origin = fact.status == "estimated" ? Origin::assumed : Origin::catalogue;
  return estimate;
}

std::optional<Estimate> first_estimate(const Part& part, const std::vector<std::string>& keys,
                                       std::string unit, std::string boundary) {
  return fact_estimate(first_fact(part, keys), std::move(unit), std::move(boundary));
}

std::optional<double> max_power_of(const Part& part) {
  return first_fact(part, {"max_power_w", "tdp_w"}).value;
}

std::optional<double> idle_power_of(const Part& part) {
  return first_fact(part, {"idle_power_w", "idle_w"}).value;
}

std::optional<double> airflow_cfm_of(const Part& part) {
  return first_fact(part, {"airflow_cfm"}).value;
}

bool is_direct_load(const Part& part) {
  return part.kind == "node" || part.kind == "switch" || part.kind == "switch_tray" ||
         part.kind == "management";
}

std::vector<CoolantPoint> coolant_table(const Part& part) {
  const std::string density = "density_kg_per_m3_at_";
  const std::string heat = "specific_heat_j_per_kg_k_at_";
  std::vector<CoolantPoint> table;
  for (const auto& [key, fact] : part.facts) {
    if (key.rfind(density, 0) != 0 || fact.blank()) continue;
    const std::string at = key.substr(density.size());
    const auto other = part.facts.find(heat + at);
    if (other == part.facts.end() || other->second.blank()) continue;
    table.push_back({std::strtod(at.c_str(), nullptr), *fact.value, *other->second.value});
  }
  return table;
}

}  // namespace rackwright::topology
