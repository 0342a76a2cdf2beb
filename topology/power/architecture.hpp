#pragma once

#include <optional>
#include <string>
#include <vector>

#include "topology/catalog.hpp"

namespace rackwright::topology {

/// One conversion between AC terminals and the trays.
struct ArchitectureStage {
  std::string part, name;
  std::optional<double> low, high;  ///< published efficiencies, worst and best; blank: none
  std::string source;
};

/// A way to bring power from the same AC terminals to the same trays and modules.
struct Architecture {
  std::string id, name;
  std::vector<ArchitectureStage> stages;      ///< from AC inward
  double distribution_v = 0;                  ///< into the rack
  double phases = 0;                          ///< 3 for AC, 0 for DC
  std::optional<double> ac_low_w, ac_high_w;  ///< at the AC terminals; blank with a blank stage
  /// With one blank stage: what it must reach to equal the best known design.
  std::optional<double> solved_efficiency;
  double distribution_a = 0;    ///< into the rack, at unity power factor
  double rack_units_freed = 0;  ///< of shelves that move out
  std::optional<double> racks_per_sidecar;
  std::optional<double> sidecar_kg;  ///< share of one rack
  std::optional<double> sidecar_m2;
  std::vector<std::string> blanks;
  std::string source, status;
};

/// What the rack at hand gives to the comparison.
struct ArchitectureLoad {
  double bus_w = 0;        ///< all trays, 50 V tray input: the same trays in every design
  double shelf_units = 0;  ///< rack units of power shelves in the rack
};

/// Every part of kind `power_architecture`: its stages `stage_1`, `stage_2`, … name parts, the
/// AC input is the trays' input over the product of their efficiencies; what lies between tray and
/// module input is the same in all. A stage without a published efficiency stays blank and is
/// solved for. Sorted by least AC input, blanks last.
[[nodiscard]] std::vector<Architecture> compare_architectures(const Catalog& catalog,
                                                              const ArchitectureLoad& load);

}  // namespace rackwright::topology
