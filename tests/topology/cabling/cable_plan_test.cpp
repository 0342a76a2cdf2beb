#include <algorithm>
#include <map>
#include <set>
#include <sstream>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "tests/topology/cabling/small_floor.hpp"
#include "topology/cabling/cable_exports.hpp"
#include "topology/cabling/cable_totals.hpp"
#include "topology/network/fabric_growth.hpp"
#include "topology/rack_design.hpp"

namespace rackwright::topology {
namespace {

/// Each link on exactly one cable (or on cords of one link), each port of a link once.
void expect_every_link_laid_once(const CablePlan& plan) {
  std::vector<int> laid(plan.links.size(), 0);
  for (const PulledCable& cable : plan.cables) {
    for (const int k : cable.links) laid[static_cast<std::size_t>(k)] += cable.cord == 0 ? 1 : 0;
    EXPECT_EQ(cable.legs.size() + 1, cable.ends.size());
    std::size_t first_ports = cable.ends[0].ports.size(), other_ports = 0;
    for (std::size_t i = 1; i < cable.ends.size(); ++i) other_ports += cable.ends[i].ports.size();
    EXPECT_EQ(first_ports, cable.links.size());
    EXPECT_EQ(other_ports, cable.links.size());
  }
  for (const int count : laid) EXPECT_EQ(count, 1);
  std::set<std::pair<int, int>> ports;
  for (const FabricLink& link : plan.links) {
    EXPECT_TRUE(ports.insert({plan.floor.device_of(link.lower), link.lower.port}).second);
    EXPECT_TRUE(ports.insert({plan.floor.device_of(link.upper), link.upper.port}).second);
  }
}

TEST(CablePlan, OfTheNvl72RowPullsOneThousandOneHundredFiftyTwoCords) {
  const CablePlan plan = testing::shipped("gb200-superpod", 144, "middle-of-row", "gb200-nvl72");
  // 8 racks x 18 trays x 4 NICs = 576 to the leaves; 32 leaves x 18 uplinks = 576 to the spines.
  EXPECT_EQ(plan.links.size(), 1152U);
  expect_every_link_laid_once(plan);
  // 8 compute racks and 32 + 24 switches of one unit in racks of 42 usable units: 2 network racks.
  EXPECT_EQ(plan.floor.racks.size(), 10U);
  EXPECT_EQ(plan.backplane.racks * plan.backplane.cartridges_per_rack, 32);
  EXPECT_EQ(plan.backplane.pairs_per_rack, 5184);
}

TEST(CablePlan, FactoryBackplaneHasNoLineOnThePullSheet) {
  const CablePlan plan = testing::shipped("gb200-superpod", 144, "middle-of-row", "gb200-nvl72");
  EXPECT_EQ(pull_sheet_csv(plan).find("backplane"), std::string::npos);
  const Catalog catalog = Catalog::load(testing::data());
  EXPECT_NE(cable_bom_csv(total_cabling(plan, catalog)).find("41472 differential pairs"),
            std::string::npos);  // 8 x 5184
}

TEST(CablePlan, KeepsRailsOnTheirLeaves) {
  const CablePlan plan = testing::shipped("dgx-h100-superpod", 127, "by-rail", "dgx-h100-air");
  expect_every_link_laid_once(plan);
  for (const FabricLink& link : plan.links) {
    if (link.lower.tier != FabricTier::node) continue;
    EXPECT_EQ(link.lower.rail, link.upper.rail);
  }
}

TEST(CablePlan, EveryDeviceHasItsOwnUnits) {
  for (const char* layout :
       {"top-of-rack", "middle-of-row", "end-of-row", "network-rack", "by-rail", "by-rack"}) {
    const CablePlan plan = testing::shipped("dgx-h100-superpod", 63, layout, "dgx-h100-air");
    std::set<std::pair<int, int>> units;
    for (const PlacedDevice& d : plan.floor.devices) {
      for (int u = 0; u < static_cast<int>(d.height); ++u) {
        EXPECT_TRUE(units.insert({d.rack, static_cast<int>(d.unit) + u}).second)
            << layout << ": " << d.name;
      }
      EXPECT_LE(d.unit + d.height - 1, plan.floor.racks[static_cast<std::size_t>(d.rack)].units);
      EXPECT_GE(d.unit, 1);
    }
  }
}

TEST(CablePlan, ModulesOfOneLinkAreOfOneKindOfLight) {
  const CablePlan plan = testing::shipped("dgx-h100-superpod", 127, "network-rack", "dgx-h100-air");
  std::map<std::pair<int, int>, Medium> light;
  for (const PlacedTransceiver& module : plan.transceivers) {
    EXPECT_TRUE(light.emplace(std::pair{module.device, module.cage}, module.medium).second)
        << "two modules in a cage";
  }
  for (const PulledCable& cable : plan.cables) {
    if (!is_fibre(cable.medium)) continue;
    for (const CableEnd& end : cable.ends) {
      EXPECT_EQ(light.at({end.device, end.cage}), cable.medium);
    }
  }
}

TEST(CablePlan, StaysWithinReachAndLossBudget) {
  const CablePlan plan = testing::shipped("dgx-h100-superpod", 127, "end-of-row", "dgx-h100-air");
  for (const PulledCable& cable : plan.cables) {
    if (cable.part.empty()) continue;
    EXPECT_LE(cable.length_m(), cable.reach_m + 1e-9);
    EXPECT_GE(cable.length_m(), cable.needed_m - 1e-9);
    EXPECT_LE(cable.loss_db.value_or(0), cable.loss_budget_db.value_or(0));
  }
}

TEST(CablePlan, MovingTheSwitchesChangesMetresMediaCostAndPowerTogether) {
  const Catalog catalog = Catalog::load(testing::data());
  const auto top =
      total_cabling(testing::shipped("gb200-superpod", 144, "top-of-rack", "gb200-nvl72"), catalog);
  const auto far = total_cabling(
      testing::shipped("gb200-superpod", 144, "network-rack", "gb200-nvl72"), catalog);
  EXPECT_LT(top.routed_m, far.routed_m);
  EXPECT_LT(top.modules, far.modules);
  EXPECT_LT(top.optics_w.low, far.optics_w.low);
  EXPECT_LT(top.latency.node_leaf_max_s, far.latency.node_leaf_max_s);
}

TEST(TreeCableTime, PassesTwiceTheDepthOfTheTree) {
  // 144 nodes: ceil(log2 144) = 8, 16 messages of 200 ns.
  EXPECT_NEAR(tree_cable_time_s(144, 200e-9), 3.2e-6, 1e-12);
  EXPECT_EQ(tree_cable_time_s(1, 200e-9), 0);
}

TEST(CableMedia, ReadsLengthsAndForms) {
  EXPECT_EQ(parse_lengths("0.5, 1, 1.5, 2"), (std::vector<double>{0.5, 1, 1.5, 2}));
  EXPECT_TRUE(parse_lengths("up to 3 m").empty());
  EXPECT_EQ(cage_form("32 twin-port OSFP"), "OSFP");
  EXPECT_EQ(cage_form("64 OSFP + 1 SFP28"), "OSFP");
  EXPECT_EQ(cage_form("2 x 18 widgets"), "");
}

/// Cells of one column; none of the files used here quotes a comma.
std::set<std::string> column(const std::string& csv, const std::string& name) {
  std::istringstream lines(csv);
  std::string line, cell;
  std::getline(lines, line);
  std::istringstream head(line);
  int wanted = 0;
  while (std::getline(head, cell, ',') && cell != name) ++wanted;
  std::set<std::string> cells;
  while (std::getline(lines, line)) {
    std::istringstream row(line);
    for (int i = 0; i <= wanted; ++i) std::getline(row, cell, ',');
    cells.insert(cell);
  }
  return cells;
}

// NetBox refuses a line that names what is not there yet.
TEST(CablePlan, NetboxFilesNameNothingThatAnEarlierOneLacks) {
  const CablePlan plan = testing::shipped("gb200-superpod", 144, "middle-of-row", "gb200-nvl72");
  const Catalog catalog = Catalog::load(testing::data());
  const std::string devices = netbox_devices_csv(plan, catalog);
  const std::string types = netbox_device_types_csv(plan, catalog);
  const std::string racks = netbox_racks_csv(plan);
  EXPECT_EQ(column(devices, "site"), column(netbox_sites_csv(plan), "name"));
  EXPECT_EQ(column(racks, "site"), column(netbox_sites_csv(plan), "name"));
  EXPECT_EQ(column(devices, "role"), column(netbox_roles_csv(plan), "name"));
  EXPECT_EQ(column(devices, "role"), (std::set<std::string>{"node", "leaf", "spine"}));
  EXPECT_EQ(column(devices, "manufacturer"),
            column(netbox_manufacturers_csv(plan, catalog), "name"));
  EXPECT_EQ(column(devices, "device_type"), column(types, "model"));
  EXPECT_EQ(column(types, "slug"), (std::set<std::string>{"gb200-nvl72-compute-tray", "qm9700"}));
  EXPECT_EQ(column(types, "u_height"), (std::set<std::string>{"1"}));
  EXPECT_EQ(column(devices, "rack"), column(racks, "name"));
  EXPECT_EQ(column(netbox_interfaces_csv(plan), "device"), column(devices, "name"));
}

// NVIDIA's cabling requirements: MPO-12 between SR4 modules is type B, female without pins.
TEST(CablePlan, PullSheetGivesThePolarityOfFibreAndNoneOfCopper) {
  const CablePlan plan = testing::shipped("gb200-superpod", 144, "middle-of-row", "gb200-nvl72");
  int fibre = 0;
  for (const PulledCable& cable : plan.cables) {
    EXPECT_EQ(cable.polarity.rfind("type B", 0) == 0, is_fibre(cable.medium)) << cable.part;
    fibre += is_fibre(cable.medium) ? 1 : 0;
  }
  ASSERT_GT(fibre, 0);
  const std::string sheet = pull_sheet_csv(plan);
  EXPECT_NE(sheet.find(",loss_budget_db,polarity,route,"), std::string::npos);
  EXPECT_NE(sheet.find(",\"type B (crossed), female ends without pins\","), std::string::npos)
      << sheet.substr(0, 600);
}

// The growth curve counts without keeping the floor; its sums are those of the cables one by one.
TEST(FabricGrowth, SumsTheCablesOfTheExpandedFloor) {
  const DataLocator locator = testing::data();
  const Catalog catalog = Catalog::load(locator);
  const RackDesign rack = read_rack_design(locator.find("gb200-nvl72", "topology/racks"), catalog);
  const RackEvaluation one =
      evaluate(rack, catalog, kernels::find_device(rack.device, locator), std::nullopt, {});
  const RowLayout layout = read_row_layout(locator.find("middle-of-row", kLayoutFolder), locator);
  const GrowthPoint point =
      grow(read_fabric_design(locator.find("gb200-superpod", "topology/fabrics")), catalog, 8,
           GrowthRack{&rack, &one, &layout});
  const CablePlan plan = testing::shipped("gb200-superpod", 144, "middle-of-row", "gb200-nvl72");
  double ordered_m = 0, longest_m = 0;
  for (const PulledCable& cable : plan.cables) {
    ordered_m += cable.length_m();
    longest_m = std::max(longest_m, cable.length_m());
  }
  EXPECT_EQ(point.cabling->cables, static_cast<int>(plan.cables.size()));
  EXPECT_EQ(point.cabling->modules, static_cast<int>(plan.transceivers.size()));
  EXPECT_NEAR(point.cabling->ordered_m, ordered_m, 1e-6 * ordered_m);
  EXPECT_DOUBLE_EQ(*point.rack_power_w, 8 * one.figures.at("power.rack_ac.design_envelope").value);
  // 552 cords of 3 mm in a side of the first network cabinet, half of what its opening leaves;
  // copper is of blank diameter.
  const CablingPractice& practice = layout.practice;
  const double side_m = (practice.network_rack_width_m - practice.network_rack_opening_m) / 2;
  const double cord_m2 = 3.14159265 / 4 * 0.003 * 0.003;
  EXPECT_NEAR(*point.fullest_fill, 552 * cord_m2 / (side_m * practice.manager_depth_m), 1e-4);
  EXPECT_TRUE(point.violations.empty());
  // The columns of the file in the order of its head.
  const std::string csv = growth_csv({point});
  const std::string row = csv.substr(csv.find('\n') + 1);
  EXPECT_TRUE(row.starts_with("8,144,576,32,24,0,576,576,0,")) << row;
  EXPECT_EQ(std::count(row.begin(), row.end(), ','),
            std::count(csv.begin(), csv.begin() + static_cast<long>(csv.find('\n')), ','));
  EXPECT_NE(row.find(fmt::format(",{},{:.6g},", plan.cables.size(), ordered_m)), std::string::npos)
      << csv;
}

TEST(FabricGrowth, SaysWhereTheTraysAreTooSmall) {
  const DataLocator locator = testing::data();
  const Catalog catalog = Catalog::load(locator);
  const RackDesign rack = read_rack_design(locator.find("gb200-nvl72", "topology/racks"), catalog);
  const RackEvaluation one =
      evaluate(rack, catalog, kernels::find_device(rack.device, locator), std::nullopt, {});
  RowLayout layout = read_row_layout(locator.find("middle-of-row", kLayoutFolder), locator);
  layout.practice.tray_width_m /= 20;  // 13 % of the tray becomes 260 %
  const GrowthPoint point =
      grow(read_fabric_design(locator.find("gb200-superpod", "topology/fabrics")), catalog, 8,
           GrowthRack{&rack, &one, &layout});
  EXPECT_GT(*point.fullest_fill, 2);
  EXPECT_FALSE(point.violations.empty());
}

}  // namespace
}  // namespace rackwright::topology
