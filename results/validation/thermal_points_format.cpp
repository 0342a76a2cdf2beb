#include <charconv>
#include <cmath>
#include <map>
#include <vector>

#include <fmt/format.h>

#include "common/units.hpp"
#include "results/validation/point_case.hpp"
#include "results/validation/point_formats.hpp"
#include "topology/thermal/air.hpp"
#include "topology/thermal/liquid.hpp"
#include "topology/thermal/temperature_fit.hpp"

namespace rackwright::results {

namespace {

/// A row of the table: what is given, what is asked.
struct ThermalCase {
  std::set<std::string> words;  ///< of system and source
  std::map<std::string, std::string> inputs;
  std::string output;
  std::string notes;

  [[nodiscard]] std::optional<double> number(const std::string& name) const {
    const auto found = inputs.find(name);
    if (found == inputs.end()) return std::nullopt;
    double value = 0;
    const auto& text = found->second;
    const auto error = std::from_chars(text.data(), text.data() + text.size(), value).ec;
    return error == std::errc() ? std::optional(value) : std::nullopt;
  }
};

/// Published flows are printed in whole or tenth litres, drops in tenths: what that rounding and
/// the unknown coolant leave open.
constexpr double kPublishedTableError = 0.05;
/// Fans, ducts and the parts beside the GPUs leave the flow past a GPU that uncertain.
constexpr double kAirRiseError = 0.12;

/// Facts "required_flow_lpm_at_25c": supply temperature → value, in order.
std::map<double, double> at_temperatures(const topology::Part& part, const std::string& prefix) {
  std::map<double, double> points;
  for (const auto& [key, fact] : part.facts) {
    if (!key.starts_with(prefix) || !fact.value) continue;
    if (const auto celsius = number_after(key, "_at_")) points[*celsius] = *fact.value;
  }
  return points;
}

/// The law through the coldest and the warmest published row; rows between are predicted.
PointAnswer required_flow(const topology::Catalog& catalog, const ThermalCase& asked) {
  const auto supply = asked.number("supply_temp_c");
  const auto* part = part_in(catalog, asked.words, "required_flow_lpm_at_");
  if (part == nullptr || !supply)
    return PointAnswer::none("no published flow table of this system");
  const auto flows = at_temperatures(*part, "required_flow_lpm_at_");
  if (flows.size() < 2) {
    const bool same = flows.begin()->first == *supply;
    return same ? PointAnswer::about(flows.begin()->second, kPublishedTableError)
                : PointAnswer::none("one published flow gives no law over supply temperature");
  }
  const auto law = topology::fit_return_limit({{flows.begin()->first, flows.begin()->second},
                                               {flows.rbegin()->first, flows.rbegin()->second}});
  const double flow = law.flow_lpm(*supply);
  if (!std::isfinite(flow)) return PointAnswer::none("supply at or above the return limit");
  PointAnswer answer = PointAnswer::about(flow, kPublishedTableError);
  answer.extrapolated = *supply < flows.begin()->first || *supply > flows.rbegin()->first;
  return answer;
}

/// Drop over flow from the published pairs of the coldest and the warmest row [kPa].
PointAnswer pressure_drop(const topology::Catalog& catalog, const ThermalCase& asked,
                          const std::string& flow_input, const std::string& drop_prefix) {
  const auto flow = asked.number(flow_input);
  const auto* part = part_in(catalog, asked.words, drop_prefix);
  if (part == nullptr || !flow) return PointAnswer::none("no published drop of this system");
  const auto flows = at_temperatures(*part, "required_flow_lpm_at_");
  std::vector<topology::DropPoint> points;
  for (const auto& [celsius, drop] : at_temperatures(*part, drop_prefix)) {
    if (const auto at = flows.find(celsius); at != flows.end())
      points.push_back({at->second, drop});
  }
  if (points.empty()) return PointAnswer::none("no published pair of flow and drop");
  if (points.size() > 2) points = {points.front(), points.back()};
  PointAnswer answer =
      PointAnswer::about(topology::fit_drop(points).drop_kpa(*flow), kPublishedTableError);
  answer.extrapolated = *flow < points.front().flow_lpm || *flow > points.back().flow_lpm;
  return answer;
}

PointAnswer pump_head(const topology::Catalog& catalog, const ThermalCase& asked) {
  const auto flow = asked.number("flow_lpm");
  const auto* part = part_in(catalog, asked.words, "external_head_kpa");
  if (part == nullptr || !flow) return PointAnswer::none("no CDU of this name in the catalogue");
  const auto published = value_of(*part, "secondary_flow_lpm");
  if (!published || std::abs(*published - *flow) > 1e-6) {
    return PointAnswer::none("one published point gives no pump curve");
  }
  return PointAnswer::about(*value_of(*part, "external_head_kpa"), kPublishedTableError);
}

/// GPUs, processors and NVLink trays of an NVL72.
PointAnswer liquid_load(const topology::Catalog& catalog, const ThermalCase& asked) {
  const auto gpu = asked.number("gpu_w"), cpu = asked.number("cpu_w");
  const auto* trays = catalog.find("nvlink-trays-gb200-rack");
  if (!gpu || !cpu || trays == nullptr || !asked.words.contains("nvl72")) {
    return PointAnswer::none("no component list of this system");
  }
  const double watts = 72 * *gpu + 36 * *cpu + value_of(*trays, "static_power_w").value_or(0);
  return PointAnswer::about(watts / 1e3, 0.02);
}

PointAnswer air_rise(const topology::Catalog&, const ThermalCase& asked) {
  const auto power = asked.number("max_power_kw"), flow = asked.number("airflow_cfm");
  if (!power || !flow) return PointAnswer::none("power or air flow is not given");
  const auto rise = topology::air_temperature_rise(Power::from_si(*power * 1e3), *flow * cfm, {});
  return PointAnswer::about(rise.si(), kAirRiseError);
}

/// The provision that the maker's guide asks for; the user guide's flow is the low end.
PointAnswer rack_air_flow(const topology::Catalog& catalog, const ThermalCase& asked) {
  const auto systems = asked.number("systems");
  const auto* part = part_in(catalog, asked.words, "airflow_cfm");
  if (part == nullptr || !systems) return PointAnswer::none("no air flow of this system");
  const topology::Fact& fact = part->facts.at("airflow_cfm");
  PointAnswer answer;
  answer.value = *systems * fact.high.value_or(*fact.value);
  answer.low = *systems * fact.low.value_or(*fact.value);
  answer.high = answer.value;
  return answer;
}

/// Module temperature over about 20 degC inlet: the published rise scales with power; a module
/// downstream of another breathes air that one has warmed, P / (rho cp Q) over the flow of a lane.
PointAnswer gpu_temperature(const topology::Catalog& catalog, const ThermalCase& asked) {
  const auto power = asked.number("power_w");
  std::set<std::string> words = asked.words;
  words.insert("module");
  const auto* module = part_in(catalog, words, "rise_over_inlet_k");
  if (module == nullptr || !power) {
    return PointAnswer::none("no thermal resistance of this module in the catalogue");
  }
  const auto rise = value_of(*module, "rise_over_inlet_k"), at = value_of(*module, "rise_power_w");
  const auto inlet = value_of(*module, "rise_inlet_c");
  if (!rise || !at || !inlet)
    return PointAnswer::none("the published rise names no power or inlet");
  double kelvin = topology::ThermalLine{0, *rise / *at}.celsius(*power);
  const auto slot = asked.number("gpu_slot");
  const auto* node = catalog.find("dgx-b200");
  if (slot && std::fmod(*slot, 2) == 1 && node != nullptr && asked.words.contains("b200")) {
    const VolumeFlow flow = *value_of(*node, "airflow_cfm") * cfm;
    const double lanes = *value_of(*node, "gpu_count") / 2;
    kelvin += topology::air_temperature_rise(Power::from_si(*power), flow / lanes, {}).si();
  }
  PointAnswer answer;
  answer.value = *inlet + kelvin;
  answer.low = *inlet + kelvin * (1 - kAirRiseError);
  answer.high = *inlet + kelvin * (1 + kAirRiseError);
  // Fans slow down with the load: the resistance at low power is higher, by how much nobody prints.
  answer.extrapolated = *power < 0.5 * *at;
  return answer;
}

PointAnswer scaled(PointAnswer answer, double factor) {
  for (double* value : {&answer.value, &answer.low, &answer.high}) *value *= factor;
  return answer;
}

/// kPa to the unit of the row; 0 for an unknown unit.
double pressure_factor(const std::string& unit) {
  if (unit == "psi") return kilopascal.si() / psi.si();
  if (unit == "bar") return kilopascal.si() / bar.si();
  return unit == "kPa" ? 1 : 0;
}

PointAnswer answer_to(const topology::Catalog& catalog, const ThermalCase& asked,
                      const std::string& unit) {
  if (asked.notes.find("calibration data") != std::string::npos) {
    return PointAnswer::none("calibration data, no test case");
  }
  if (asked.output == "required_rack_flow" || asked.output == "tray_flow") {
    return required_flow(catalog, asked);
  }
  if (asked.output == "rack_pressure_drop") {
    return scaled(pressure_drop(catalog, asked, "rack_flow_lpm", "pressure_drop_kpa_at_"),
                  pressure_factor(unit));
  }
  if (asked.output == "chassis_pressure_drop") {
    return scaled(pressure_drop(catalog, asked, "tray_flow_lpm", "chassis_pressure_drop_kpa_at_"),
                  pressure_factor(unit));
  }
  if (asked.output == "external_head") {
    return scaled(pump_head(catalog, asked), pressure_factor(unit));
  }
  if (asked.output == "component_sum_vs_hpe") return liquid_load(catalog, asked);
  if (asked.output == "air_temp_rise") return air_rise(catalog, asked);
  if (asked.output == "rack_airflow") return rack_air_flow(catalog, asked);
  if (asked.output == "gpu_temp") return gpu_temperature(catalog, asked);
  return PointAnswer::none("no model of this quantity");
}

std::vector<ValidationRow> thermal_rows(const ValidationRequest& request, const DataLocator& data,
                                        const ProgressCallback&) {
  const auto catalog = topology::Catalog::load(data);
  const auto answer = [&](const CsvReader& csv) {
    ThermalCase asked;
    asked.output = csv.cell("output");
    asked.words = words_of(csv.cell("system"));
    if (csv.column("source")) asked.words.merge(words_of(csv.cell("source")));
    if (csv.column("notes")) asked.notes = csv.cell("notes");
    for (const std::string input : {"input_1", "input_2"}) {
      if (!csv.column(input) || !csv.column(input + "_value")) continue;
      asked.inputs[csv.cell(input)] = csv.cell(input + "_value");
    }
    return answer_to(catalog, asked, csv.cell("unit"));
  };
  return answer_points(request, {{"system"}, "output_value", "output", answer});
}

}  // namespace

ValidationFormat thermal_points_format() {
  ValidationFormat format;
  format.name = "thermal-points";
  format.summary = "Published coolant flows, pressure drops, air rises, module temperatures";
  format.baseline = "none";
  format.file_suffix = "thermal.csv";
  format.quantities = {"value"};
  format.run = &thermal_rows;
  return format;
}

}  // namespace rackwright::results
