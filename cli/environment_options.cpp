#include "cli/environment_options.hpp"

#include <fmt/format.h>

#include "common/input_error.hpp"
#include "common/json_document.hpp"
#include "common/quantity_text.hpp"

namespace rackwright::cli {

void EnvironmentOptions::add_to(CLI::App& app) {
  const auto add = [&](const char* name, std::string& value, const char* help, const char* type) {
    app.add_option(name, value, help)->type_name(type)->group("Environment");
  };
  add("--air-inlet", air_inlet, "Air at the rack inlet, for example 27degC", "T");
  add("--tcs-supply", tcs_supply, "Supply of the technology loop, for example 40degC", "T");
  add("--fws-supply", fws_supply, "Supply of the facility water, for example 30degC", "T");
  add("--dew-point", dew_point, "Dew point of the room, for example 15degC", "T");
  add("--tcs-flow", tcs_flow, "Flow of the technology loop per rack, for example 89l/min", "Q");
  add("--gpu-power-cap", gpu_power_cap, "Cap of each GPU at module input, for example 600W", "P");
  add("--rack-power-cap", rack_power_cap, "Cap of the rack at AC input, for example 120kW", "P");
}

topology::EvaluateOptions EnvironmentOptions::parse(std::uint64_t seed) const {
  topology::EvaluateOptions options;
  options.seed = seed;
  ProblemList problems;
  const auto read = [&](const std::string& text, const char* field, double min, double max,
                        const char* unit, auto parse) -> std::optional<double> {
    if (text.empty()) return std::nullopt;
    try {
      const double value = parse(text, field);
      if (value >= min && value <= max) return value;
      problems.add({"", 0, field, fmt::format("{:g} to {:g} {}", min, max, unit),
                    fmt::format("\"{}\"", text)});
    } catch (const InputError& error) {
      for (const auto& problem : error.problems()) problems.add(problem);
    }
    return std::nullopt;
  };
  const auto celsius = [](const std::string& text, const char* field) {
    return parse_temperature(text, field).celsius();
  };
  const auto watts = [](const std::string& text, const char* field) {
    return parse_power(text, field).in(watt);
  };
  const auto flow = [](const std::string& text, const char* field) {
    return parse_volume_flow(text, field).in(litre_per_minute);
  };
  // Ranges within which the air and coolant models hold.
  options.air_inlet_c = read(air_inlet, "--air-inlet", -20, 60, "degC", celsius);
  options.tcs_supply_c = read(tcs_supply, "--tcs-supply", 2, 70, "degC", celsius);
  options.fws_supply_c = read(fws_supply, "--fws-supply", 2, 60, "degC", celsius);
  options.dew_point_c = read(dew_point, "--dew-point", -40, 40, "degC", celsius);
  options.tcs_flow_lpm = read(tcs_flow, "--tcs-flow", 1e-3, 1e5, "l/min", flow);
  options.gpu_power_cap_w = read(gpu_power_cap, "--gpu-power-cap", 1, 1e5, "W", watts);
  options.rack_power_cap_w = read(rack_power_cap, "--rack-power-cap", 1, 1e7, "W", watts);
  problems.throw_if_any();
  return options;
}

}  // namespace rackwright::cli
