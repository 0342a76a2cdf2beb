#pragma once

#include <string>

#include <CLI/CLI.hpp>

#include "topology/evaluation.hpp"

namespace rackwright::cli {

/// Overrides of a rack's surroundings and caps, as typed: `--air-inlet 27degC`.
struct EnvironmentOptions {
  std::string air_inlet, tcs_supply, fws_supply, dew_point, tcs_flow, gpu_power_cap, rack_power_cap;

  void add_to(CLI::App& app);
  /// Throws InputError with every value that has no or a wrong unit, or is out of range.
  [[nodiscard]] topology::EvaluateOptions parse(std::uint64_t seed) const;
};

}  // namespace rackwright::cli
