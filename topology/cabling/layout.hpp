#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "common/data_locator.hpp"

namespace rackwright::topology {

inline constexpr double kMillimetresPerMetre = 1000;

/// How cables are led, of `topology/layouts/practice/*.json`. Lengths in m, shares as fractions.
struct CablingPractice {
  std::string id, name, file;
  std::string source, status, confidence;
  double tray_over_rack_m = 0;  ///< bottom of the tray over the rack top
  double tray_width_m = 0, tray_depth_m = 0;
  double tray_bend_radius_m = 0;
  bool cross_tray_at_start = false, cross_tray_at_end = false;  ///< where rows are joined
  double manager_width_m = 0, manager_depth_m = 0;              ///< one vertical manager
  double manager_bend_radius_m = 0;
  double fill_limit = 0;      ///< share of a cross-section that cables may take
  double slack = 0;           ///< share of the routed length
  double service_loop_m = 0;  ///< at each end
  int bundle_cables = 1;
  double network_rack_width_m = 0, network_rack_depth_m = 0;
  double network_rack_opening_m = 0, network_rack_height_m = 0;
  int network_rack_units = 0, network_rack_usable_units = 0;
  double restock_s = 0;          ///< from a failure to its replacement on the shelf
  double spares_confidence = 0;  ///< chance that the spares last over that time
  std::vector<std::string> notes;
};
/// Throws InputError with all problems.
[[nodiscard]] CablingPractice read_cabling_practice(const std::filesystem::path& path);

enum class LeafPlace {
  compute_rack,  ///< free units of the racks they serve
  network_rack
};
enum class NetworkRackPosition {
  row_middle,
  row_end,
  own_row,  ///< a row of network racks for the whole fabric
  spread    ///< between the compute racks, each beside those its leaves serve
};
enum class NetworkRackOrder {
  unit,  ///< leaves in the order of the nodes they serve
  rail   ///< a rail is never split over two racks unless it fills more than one
};

/// Where racks and switches stand, of `topology/layouts/*.json`.
struct RowLayout {
  std::string id, name, summary, file;
  std::string source, status, confidence;
  int compute_racks_per_row = 1;
  LeafPlace leaf_place = LeafPlace::network_rack;
  NetworkRackPosition position = NetworkRackPosition::row_middle;
  NetworkRackOrder order = NetworkRackOrder::unit;
  CablingPractice practice;
};
/// Reads a layout and the practice it names. Throws InputError with all problems.
[[nodiscard]] RowLayout read_row_layout(const std::filesystem::path& path, const DataLocator& data);

inline constexpr const char* kLayoutFolder = "topology/layouts";
inline constexpr const char* kPracticeFolder = "topology/layouts/practice";

}  // namespace rackwright::topology
