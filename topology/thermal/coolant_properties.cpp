#include "topology/thermal/coolant_properties.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <map>

namespace rackwright::topology {

namespace {

struct Property {
  std::map<double, double> value, low;
  std::string source;
};

Property property(const Part& part, const std::string& name) {
  const std::string prefix = name + "_at_";
  Property result;
  for (const auto& [key, fact] : part.facts) {
    if (key.rfind(prefix, 0) != 0 || fact.blank()) continue;
    const double at = std::strtod(key.c_str() + prefix.size(), nullptr);
    result.value[at] = *fact.value;
    result.low[at] = fact.low.value_or(*fact.value);
    result.source = fact.source;
  }
  return result;
}

double between_points(const std::map<double, double>& points, double t, bool logarithmic) {
  const auto upper = points.lower_bound(t);
  if (upper == points.begin()) return upper->second;
  if (upper == points.end()) return points.rbegin()->second;
  const auto lower = std::prev(upper);
  const double share = (t - lower->first) / (upper->first - lower->first);
  if (!logarithmic) return std::lerp(lower->second, upper->second, share);
  return std::exp(std::lerp(std::log(lower->second), std::log(upper->second), share));
}

}  // namespace

double CoolantProperties::capacity_w_per_k(double lpm) const {
  if (!density_kg_per_m3 || !specific_heat_j_per_kg_k) return 0;
  return *density_kg_per_m3 * *specific_heat_j_per_kg_k * lpm / 60e3;
}

CoolantProperties coolant_properties(const Part& coolant, double temperature_c) {
  CoolantProperties result;
  const auto read = [&](const std::string& name, double scale, bool logarithmic,
                        bool low = false) -> std::optional<double> {
    const Property points = property(coolant, name);
    if (points.value.empty()) return std::nullopt;
    const double first = points.value.begin()->first, last = points.value.rbegin()->first;
    result.extrapolated |= temperature_c < first || temperature_c > last;
    result.edition = coolant.name + ", " + points.source;
    return scale * between_points(low ? points.low : points.value, temperature_c, logarithmic);
  };
  result.density_kg_per_m3 = read("density_kg_per_m3", 1, false);
  result.conductivity_w_per_m_k = read("conductivity_w_per_m_k", 1, false);
  result.specific_heat_j_per_kg_k = read("specific_heat_j_per_kg_k", 1, false);
  result.viscosity_low_pa_s = read("viscosity_mpa_s", 1e-3, true, true);
  result.viscosity_pa_s = read("viscosity_mpa_s", 1e-3, true);
  return result;
}

}  // namespace rackwright::topology
