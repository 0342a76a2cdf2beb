#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "topology/cabling/cable_plan.hpp"
#include "topology/catalog.hpp"

namespace rackwright::topology {

/// Physical facts of a cable part; blank where the catalogue is.
struct CableFacts {
  std::optional<double> diameter_m, bend_radius_m, weight_kg_per_m, latency_s_per_m;
  bool weight_is_average = false;  ///< a planning average of its kind, not of the product
};
[[nodiscard]] CableFacts cable_facts(const Catalog& catalog, const PulledCable& cable);

/// The fullest cross-section of a tray segment or of one vertical manager.
struct ChannelLoad {
  std::string name;  ///< "tray row 1, 4.2 to 4.5 m", "R03 left manager"
  double area_m2 = 0;
  int cables = 0, blank_cables = 0;  ///< at the fullest place; blank: of unknown diameter
  double known_area_m2 = 0;          ///< of the cables with a known diameter
  double known_weight_kg_per_m = 0;
  bool in_rack = false, cross = false;
  int rack = -1;     ///< of a manager
  int segment = -1;  ///< of a tray
  [[nodiscard]] double known_fill() const { return known_area_m2 / area_m2; }
};

/// What the cables of one rack ask of it.
struct RackCabling {
  int cables_out = 0;    ///< cables that leave it over the tray
  double weight_kg = 0;  ///< of the parts of cables inside it, known weights
  int blank_weight_cables = 0;
  double optics_typical_w = 0, optics_max_w = 0;  ///< modules and active plugs in it, known figures
  int blank_power_plugs = 0;                      ///< plugs or modules with neither figure
  double blocked_known_m2 = 0;                    ///< of the opening, by the bundles that cross it
  double blocked_blank_run_m = 0;  ///< of cables of unknown diameter: at most this x diameter more
  double opening_m2 = 0;
};

/// Cables that run together from rack to rack, dressed in bundles.
struct CableBundle {
  int first_rack = 0, other_rack = 0;
  std::string part;
  int cables = 0, bundles = 0;
  std::optional<double> diameter_m;  ///< of a full bundle
};

/// A blank figure with the value it would need.
struct CableRequirement {
  std::string part, input, solved, effect;
};

struct CableLoads {
  std::vector<ChannelLoad> channels;  ///< trays, then managers; only those with cables
  std::vector<RackCabling> racks;
  std::vector<CableBundle> bundles;
  std::vector<CableRequirement> requirements;
  std::vector<std::string> violations;  ///< fill and bend limits that known figures break
};
[[nodiscard]] CableLoads load_channels(const CablePlan& plan, const Catalog& catalog);

/// W of a module or plug: highest where published, else typical; and typical, else highest.
struct PlugPower {
  std::optional<double> typical_w, max_w;
};
[[nodiscard]] PlugPower plug_power(const Catalog& catalog, const std::string& part);

}  // namespace rackwright::topology
