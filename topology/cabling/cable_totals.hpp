#pragma once

#include <array>
#include <map>
#include <string>
#include <vector>

#include "topology/cabling/cable_load.hpp"
#include "topology/cabling/cable_plan.hpp"

namespace rackwright::topology {

/// A sum over items of which some may be blank.
struct KnownSum {
  double low = 0, high = 0;  ///< equal where the source prints one figure
  int known = 0, blank = 0;  ///< items
  void add(const std::optional<double>& low_value, const std::optional<double>& high_value,
           int items = 1);
};

/// Cables of one part, medium and ordered length.
struct CableBomLine {
  std::string part, name, part_number;
  std::string kind;  ///< "cable", "module", "factory cable"
  Medium medium = Medium::unknown;
  std::optional<double> length_m;  ///< ordered; blank where lengths are not published
  int count = 0;
  std::optional<double> unit_usd_low, unit_usd_high;
  std::string note;
};

struct MediumTotal {
  int cables = 0;
  double routed_m = 0, ordered_m = 0;
};

/// Failures of modules by component sums, and the stock that covers the restocking time.
struct OpticsReliability {
  int modules = 0, blank_modules = 0;  ///< blank: lanes unknown
  double failures_per_year_low = 0, failures_per_year_high = 0;
  int spares = 0;                     ///< at the high rate
  double links_failing_per_year = 0;  ///< field rate of NIC to top-of-rack links, all links
};

/// One way over the cables of a path, without switches and modules. s.
struct PathLatency {
  double node_leaf_mean_s = 0, node_leaf_max_s = 0;
  double tier_mean_s = 0, tier_max_s = 0;  ///< leaf to spine and spine to core together
  int blank = 0;                           ///< cables without a figure
  /// Node to node over the top tier.
  [[nodiscard]] double across_mean_s() const { return 2 * (node_leaf_mean_s + tier_mean_s); }
  [[nodiscard]] double across_max_s() const { return 2 * (node_leaf_max_s + tier_max_s); }
};

struct CableTotals {
  std::array<MediumTotal, kMediumCount> media;  ///< by Medium
  std::vector<CableBomLine> bom;
  int cables = 0, modules = 0, fibres = 0, problems = 0;
  double routed_m = 0, ordered_m = 0;
  KnownSum optics_w;     ///< modules and active plugs: typical to highest
  KnownSum cost_usd;     ///< list prices of cables and modules
  double weight_kg = 0;  ///< ordered length x weight of a metre, known ones
  int blank_weight_cables = 0, average_weight_cables = 0;
  double longest_m = 0;
  int at_cliff = 0;  ///< cables within 0.5 m of the reach of a copper medium
  OpticsReliability reliability;
  PathLatency latency;
};
[[nodiscard]] CableTotals total_cabling(const CablePlan& plan, const Catalog& catalog);

/// Time that the cables add to a small all-reduce over `nodes` nodes in a double binary tree, which
/// passes 2 ceil(log2 nodes) messages one after the other, each node to node. s.
[[nodiscard]] double tree_cable_time_s(int nodes, double path_s);

}  // namespace rackwright::topology
