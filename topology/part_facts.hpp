#pragma once

#include <optional>
#include <string>
#include <vector>

#include "topology/catalog.hpp"
#include "topology/thermal/liquid.hpp"

namespace rackwright::topology {

/// The facts that the evaluation reads, by meaning. The keys are those of the table in
/// `topology/README.md`.

/// The first fact of `keys` that is not blank; a blank fact when none is.
[[nodiscard]] const Fact& first_fact(const Part& part, const std::vector<std::string>& keys);
/// The same as an estimate of `unit`; nothing when blank.
[[nodiscard]] std::optional<Estimate> first_estimate(const Part& part,
                                                     const std::vector<std::string>& keys,
                                                     std::string unit, std::string boundary = "");
/// A design fact as an estimate; nothing when blank.
[[nodiscard]] std::optional<Estimate> fact_estimate(const Fact& fact, std::string unit,
                                                    std::string boundary = "");

/// Highest input of a node, tray or switch.
[[nodiscard]] std::optional<double> max_power_of(const Part& part);
[[nodiscard]] std::optional<double> idle_power_of(const Part& part);
/// Air that the part moves at its stated duty, CFM.
[[nodiscard]] std::optional<double> airflow_cfm_of(const Part& part);
/// True for parts that draw from AC without being named by a bus (switches, management).
[[nodiscard]] bool is_direct_load(const Part& part);
/// `density_kg_per_m3_at_25c` and `specific_heat_j_per_kg_k_at_25c`, for every temperature that has
/// both.
[[nodiscard]] std::vector<CoolantPoint> coolant_table(const Part& part);

}  // namespace rackwright::topology
